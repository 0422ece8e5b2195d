"""Controls with a PET who are held back: the further real PET that synthetic PET is compared with.

No generator and no detector learns from them, but for the training sets that ask for them. They
have a role of their own in the dataset's table.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from mri2pet.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

FURTHER = "further"  # their role
KEY = "gan_anomaly.detector.further_controls"


def held_back(visits: Iterable[Mapping[str, Any]], count: int, seed: int) -> set[str]:
    """Choose the controls that are held back.

    Parameters
    ----------
    visits
        Rows with `subject`, `role` and `kind`.
    count
        How many.
    seed
        They are the first by a hash of seed and label, whatever the order of the rows.

    Returns
    -------
    set of str
        Their labels.

    Raises
    ------
    InputError
        If no control with a PET would be left.
    """
    own = {
        str(row["subject"]) for row in visits if (row["role"], row["kind"]) == ("control", "paired")
    }
    if count and count >= len(own):
        raise InputError(
            f"{KEY}: {count} of {len(own)} controls with a PET leave none to learn from; hold "
            "fewer back"
        )
    return set(sorted(own, key=lambda subject: _hash(subject, seed))[:count])


def with_roles(table: "pd.DataFrame", back: Collection[str]) -> "pd.DataFrame":
    """Give the people who are held back their role, in a table with `subject` and `role`."""
    return table.assign(role=table["role"].mask(table["subject"].isin(back), FURTHER))


def _hash(subject: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:further:{subject}".encode()).hexdigest()
