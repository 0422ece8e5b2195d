"""Checking a cohort table against its JSON schema, whoever made it."""

from pathlib import Path
from typing import Any

import pandas as pd

from mri2pet.errors import InputError


def validate_cohort(table: pd.DataFrame, schema: str | Path) -> None:
    """Check every row, and that no visit or image stands in two rows.

    Raises
    ------
    InputError
        Naming row, column and fault.
    """
    import jsonschema
    import yaml

    validator = jsonschema.Draft202012Validator(yaml.safe_load(Path(schema).read_text()))
    for number, row in enumerate(table.to_dict("records"), start=1):
        for fault in validator.iter_errors({key: _plain(value) for key, value in row.items()}):
            column = ".".join(map(str, fault.path))
            raise InputError(
                f"cohort table, row {number} ({row.get('subject')} {row.get('visit')})"
                f"{', ' + column if column else ''}: {fault.message}"
            )
    for columns in (["subject", "visit"], ["mri_image_id"], ["pet_image_id"]):
        twice = table.dropna(subset=columns)[columns]
        twice = twice[twice.duplicated()]
        if len(twice):
            raise InputError(
                f"cohort table: {' '.join(map(str, twice.iloc[0]))} stands in two rows "
                f"({', '.join(columns)} must be unique)"
            )


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value
