"""One visit's stage: real outputs, or empty ones and the reason.

A scan that cannot be used must not stop the others, and what pools all visits must still run.
So a stage that meets a `ScanError` writes every declared output as an empty file and its
sidecar with the reason; every later stage of that scan sees the empty input and passes the
reason on. An empty file is never a result: `is_excluded` tells.
"""

import logging
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from mri2pet.bids_output import GENERATED_BY, source_uris
from mri2pet.errors import ScanError
from mri2pet.files import atomic, read_json, write_json
from mri2pet.machine_faults import not_the_scans

log = logging.getLogger(__name__)


def is_excluded(sidecar: str | Path) -> dict[str, str] | None:
    """Return the exclusion (`stage`, `reason`) recorded in a sidecar, or None."""
    return read_json(sidecar).get("Excluded")


def run_stage(
    stage: str,
    work: Callable[[], dict[str, Any]],
    sidecar: str | Path,
    outputs: Iterable[str | Path],
    sources: Iterable[str | Path],
    upstream: Iterable[str | Path] = (),
    raw: Iterable[str | Path] = (),
) -> None:
    """Run `work` and write its measures to `sidecar`; exclude the scan if it cannot be used.

    Parameters
    ----------
    stage
        Name of the stage, for the exclusions table.
    work
        Writes `outputs` and returns what the sidecar shall hold (parameters, measures).
    sidecar
        JSON written last; it exists exactly when the stage has ended.
    outputs
        All other files of the stage; written empty if the scan is excluded.
    sources
        Files of the run that the stage reads, recorded as BIDS `Sources` (`source_uris`).
    upstream
        Sidecars of the stages whose outputs this one reads.
    raw
        Raw scans that the stage reads: no sidecar names them, and a reason does not say where they
        lie. Their paths hold IDs of people and images.
    """
    record: dict[str, Any] = {"GeneratedBy": [entry | {"Stage": stage} for entry in GENERATED_BY]}
    if named := source_uris(sources, sidecar):
        record["Sources"] = named
    excluded = next(filter(None, map(is_excluded, upstream)), None)
    if excluded is None:
        try:
            with not_the_scans(Path(sidecar).parent):
                measures = work()
            write_json(sidecar, record | measures)
            return
        except ScanError as error:
            reason = _without_place(" ".join(str(error).splitlines()), raw)
            excluded = {"stage": stage, "reason": reason}
            log.warning("excluded at %s: %s", stage, error)
    for path in outputs:
        with atomic(path) as partial:
            partial.touch()
    write_json(sidecar, record | {"Excluded": excluded})


def _without_place(reason: str, raw: Iterable[str | Path]) -> str:
    """Take out of a reason where raw scans lie: a file's folders, or all of a person's folder."""
    for path in map(Path, raw):
        places = {str(path), str(path.absolute()), str(path.resolve())}
        for whole in sorted(places, key=len, reverse=True):  # an absolute path holds a relative one
            found = re.compile(rf"(?<![\w./-]){re.escape(whole)}(/|(?![\w.-]))")
            reason = found.sub(lambda match, own=path: "" if match[1] else own.name, reason)
    return reason
