"""The cohort table that every reader fills, and the check that every table passes.

One row is one visit of a person. A reader may add columns after these, as long as
workflow/schemas/cohort.schema.yaml names them.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from mri2pet.config.studies import group_names
from mri2pet.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

COLUMNS = (
    *("subject", "visit", "group", "role", "age", "sex", "kind", "tracer"),
    *("mri_file", "mri_member", "pet_file", "pet_member", "lesion_file"),
)
EXCLUSION_COLUMNS = ("subject", "visit", "image_id", "modality", "stage", "reason")
MAX_DAYS_APART = 183  # between the MRI and the PET of a visit, where a study does not say
UNIQUE = (["subject", "visit"], ["pet_file", "pet_member"])  # an MRI may serve two PETs of a person


class Reader(Protocol):
    """What a reader's module has (mri2pet.cohorts.READERS)."""

    LOOKED_FOR: str  # what marks a folder of its kind, in words

    def recognise(self, raw: Path) -> str | None:
        """Say by what a folder is recognised as one of its kind; None if it is not."""

    def list_inputs(self, raw: Path, study: Mapping[str, Any]) -> dict[str, Any]:
        """List `tables`, files that the table is made from, and `listing`, names of scans.

        Both are known before any job starts: a new file makes the cohort anew.
        """

    def read(
        self, raw: Path, study: Mapping[str, Any], listing: Any
    ) -> "tuple[pd.DataFrame, pd.DataFrame]":
        """Make the cohort table and the table of exclusions. No image is opened."""


def validate_cohort(table: "pd.DataFrame", schema: str | Path) -> None:
    """Check every row, and that no visit or image stands in two rows.

    Parameters
    ----------
    table
        As a reader made it.
    schema
        Path of the JSON schema of one row.

    Raises
    ------
    InputError
        Naming row, column and fault.
    """
    import jsonschema
    import pandas as pd
    import yaml

    if lost := [name for name in COLUMNS if name not in table]:
        raise InputError(f"cohort table: the reader gave no column {', '.join(lost)}")
    validator = jsonschema.Draft202012Validator(yaml.safe_load(Path(schema).read_text()))
    for number, row in enumerate(table.to_dict("records"), start=1):
        for fault in validator.iter_errors({key: _plain(value) for key, value in row.items()}):
            column = ".".join(map(str, fault.path))
            raise InputError(
                f"cohort table, row {number} ({row.get('subject')} {row.get('visit')})"
                f"{', ' + column if column else ''}: {fault.message}"
            )
    for columns in UNIQUE:
        twice = table.dropna(subset=columns[:1])[columns]
        twice = twice[twice.duplicated()]
        if len(twice):
            raise InputError(
                f"cohort table: {' '.join(map(str, twice.iloc[0].dropna()))} stands in two rows "
                f"({', '.join(columns)} must be unique)"
            )
    shared = table.dropna(subset="mri_file").groupby(["mri_file", "mri_member"], dropna=False)
    people = shared["subject"].nunique()
    if (people > 1).any():
        found = " ".join(str(part) for part in people[people > 1].index[0] if not pd.isna(part))
        raise InputError(f"cohort table: the MRI {found} is that of two subjects")


def warn_of_empty_groups(table: "pd.DataFrame", study: Mapping[str, Any]) -> list[str]:
    """Warn, once for all, of groups that a study names and nobody of its cohort is in.

    Parameters
    ----------
    table
        As a reader made it.
    study
        Its block of the configuration, with its `name`.

    Returns
    -------
    list of str
        These groups, in the study's order.
    """
    named = study.get("groups") or ()
    there = set(table["group"].dropna())
    empty = [group for group in group_names(named) if group not in there]
    if empty:
        words = [
            f"{group} ({', '.join(word for word in named if named[word] == group)} in the tables)"
            if isinstance(named, Mapping)
            else group
            for group in empty
        ]
        log.warning(
            "studies.%s.groups: nobody is in %s; the run goes on without. If there should be "
            "somebody, see how the study's tables call the group, and why people were left out: "
            "results/cohort/%s_exclusions.tsv",
            study["name"],
            " and nobody in ".join(words),
            study["name"],
        )
    return empty


def _plain(value: Any) -> Any:
    import pandas as pd

    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
