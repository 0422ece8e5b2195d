"""Controls and patients: what the study of anomalies needs of a cohort table, whoever made it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mri2pet.errors import InputError

ROLES = {
    "control": ("control", "controls", "healthy", "healthy control", "hc", "cn", "normal"),
    "patient": ("patient", "patients", "epilepsy", "patient with epilepsy", "case"),
}


def check_roles(table: pd.DataFrame, study: Mapping[str, Any]) -> None:
    """Check that everybody is a control or a patient, and that both are there with a PET.

    Parameters
    ----------
    table
        Of the cohort: columns `subject`, `group`, `role` and `kind`.
    study
        Its block of the configuration: `name` and `raw`, for messages.

    Raises
    ------
    InputError
        Naming the first person who is neither, or the role of which nobody has both scans.
    """
    key, raw = f"studies.{study.get('name')}", study.get("raw")
    neither = table[table["role"].isna()]
    if len(neither):
        word = neither["group"].iloc[0]
        said = "no group" if pd.isna(word) else f"group {word!r}"
        raise InputError(
            f"{key}.roles: sub-{neither['subject'].iloc[0]} ({said}) is neither a control nor a "
            "patient; name the words for both, {control: [...], patient: [...]}, and their column "
            f"in {key}.group_column if it is not the one that the log names"
        )
    for role in ROLES:
        if not ((table["role"] == role) & (table["kind"] == "paired")).any():
            raise InputError(
                f"{key}.raw: no {role} with a T1w and a PET in {raw}; see its participants.tsv "
                "and the exclusions of the cohort"
            )
