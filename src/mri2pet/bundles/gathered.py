"""What a bundle made of each person, gathered."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mri2pet.exclusion import is_excluded
from mri2pet.files import read_json, read_tsv

COLUMNS = ("subject", "visit", "group", "age", "sex", "status", "remarks")
DONE, MARKED, NONE = "PET", "PET, unlike the training", "no PET"


def gather(
    cohort: pd.DataFrame,
    exclusions: pd.DataFrame,
    sidecars: Sequence[str | Path],
    regions: Sequence[str | Path],
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Gather sidecars and region tables, one of each a row of the cohort.

    Parameters
    ----------
    cohort
        Its table, all columns text.
    exclusions
        What its reader has left out.
    sidecars
        JSON of each person's PET.
    regions
        Table of each person's regions; empty files of those without a PET.

    Returns
    -------
    people : DataFrame
        Columns `COLUMNS`, then each number that compares an MRI with the training's.
    regions : DataFrame
        Region tables with subject and visit before them.
    excluded : DataFrame
        Columns of `exclusions`: these, and who else has no PET, and why.
    """
    rows, tables, excluded = [], [], []
    for visit, sidecar, table in zip(cohort.to_dict("records"), sidecars, regions, strict=True):
        who = {key: visit[key] for key in ("subject", "visit")}
        row = who | {key: visit[key] for key in ("group", "age", "sex")}
        if reason := is_excluded(sidecar):
            rows.append(row | {"status": NONE, "remarks": reason["reason"]})
            excluded.append(who | {"image_id": None, "modality": "MRI"} | reason)
            continue
        told = read_json(sidecar)
        status = MARKED if told["Remarks"] else DONE
        rows.append(
            row | {"status": status, "remarks": "; ".join(told["Remarks"])} | told["Unlike"]
        )
        own = read_tsv(table)
        tables.append(own.assign(**who)[[*who, *own.columns]])
    people = pd.DataFrame(rows)
    people = people[[*COLUMNS, *(name for name in people if name not in COLUMNS)]]
    return (
        people,
        pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["subject"]),
        pd.concat([exclusions, pd.DataFrame(excluded, columns=list(exclusions))]).astype(object),
    )
