"""What quality control has measured of every scan, beside the limits: a table and a view of it."""

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from mri2pet.files import read_json
from mri2pet.imaging.qc import LIMITS

COLUMNS = ("subject", "visit", "modality", "space", "measure", "value", "lowest", "highest")
_NAME = re.compile(r"sub-(?P<subject>[A-Za-z0-9]+)_ses-(?P<visit>[A-Za-z0-9]+)_(?P<rest>.*)")
_SPACE = re.compile(r"space-([A-Za-z0-9]+)_res-([A-Za-z0-9]+)")


def qc_measures(sidecars: Iterable[str | Path]) -> pd.DataFrame:
    """Gather the measures of the stages that judge scans.

    Parameters
    ----------
    sidecars
        JSON of `qc` (MRI) and of the stages that bring a PET to a template, named as BIDS has it.
        One of an excluded scan holds no measure and adds no row.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row a scan, space and measure; `lowest` and `highest` are the limits that held
        for it, missing where there is none.
    """
    rows = []
    for path in map(Path, sidecars):
        record, name = read_json(path), _NAME.match(path.name)
        if name is None or "Measures" not in record:
            continue
        space = _SPACE.search(name["rest"])
        scan = {
            "subject": name["subject"],
            "visit": name["visit"],
            "modality": "PET" if path.parent.name == "pet" else "MRI",
            "space": "-".join(space.groups()) if space else "MNI152-2",
        }
        limits = record.get("Limits", {})
        for measure, value in record["Measures"].items():
            bounds = {"lowest": None, "highest": None}
            for key, limit in limits.items():
                judged, lower, _ = LIMITS[key]
                if judged == measure:
                    bounds["lowest" if lower else "highest"] = limit
            rows.append({**scan, "measure": measure, "value": value, **bounds})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def qc_view(table: pd.DataFrame, modality: str) -> pd.DataFrame:
    """Turn the long table into one row a scan of a modality and space, as the report shows it.

    The limits stand below the name of a measure; values are text. Of a run that has measured
    nothing yet there is no row.
    """
    if table.empty or modality not in set(table["modality"]):
        return pd.DataFrame()
    own = table[table["modality"] == modality]
    keys = ["subject", "visit", "space"]
    wide = own.pivot(index=keys, columns="measure", values="value")
    wide = wide[list(dict.fromkeys(own["measure"]))]
    heads = {
        name: " ".join([name.replace("_", " "), *_bounds(rows)])
        for name, rows in own.groupby("measure")
    }
    shown = wide.apply(lambda column: column.map(_text)).rename(columns=heads).reset_index()
    shown.columns.name = None
    return shown.rename(columns={key: key.capitalize() for key in keys})


def _bounds(rows: pd.DataFrame) -> list[str]:
    """Write the limits of a measure; those of tracers that are not judged are missing."""
    signs = (("lowest", "≥"), ("highest", "≤"))
    found = [(sign, sorted(rows[key].dropna().unique())) for key, sign in signs]
    return [f"{sign} {' or '.join(f'{v:g}' for v in values)}" for sign, values in found if values]


def _text(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.4g}"
