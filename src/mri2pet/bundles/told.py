"""What a bundle says of the run that made it."""

import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mri2pet.files import sha256
from mri2pet.provenance.circumstances import circumstances
from mri2pet.provenance.record import sidecar_of


def told_of_run(root: str | Path, weights: Sequence[str | Path]) -> dict[str, Any]:
    """Return versions, commit and the hashes of the records of trainings.

    Parameters
    ----------
    root
        The project's folder.
    weights
        Files of the trainings, relative to the working directory as rules name them.
    """
    here = circumstances(root)
    records = [sidecar_of(path) for path in weights]
    return {
        "versions": {"Python": platform.python_version(), **here["environment"]["packages"]},
        "commit": here["commit"],
        "records": [sha256(path) for path in records if path.is_file()],
    }
