"""What a bundle made of each person, gathered."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mri2pet.exclusion import is_excluded
from mri2pet.files import read_json, read_tsv

COLUMNS = ("subject", "visit", "group", "age", "sex", "status", "remarks")
SYNTHETIC = ("PET", "PET, unlike the training", "no PET")  # done, done but remarkable, not done
JUDGED = ("judged", "judged, unlike the controls", "not judged")


def gather(
    cohort: pd.DataFrame,
    exclusions: pd.DataFrame,
    sidecars: Sequence[str | Path],
    regions: Sequence[str | Path],
    words: tuple[str, str, str] = SYNTHETIC,
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
        Table of each person's regions, or clusters; empty files of those without a PET.
    words
        What `status` says: `SYNTHETIC`, or `JUDGED`.

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
    done, marked, none = words
    for visit, sidecar, table in zip(cohort.to_dict("records"), sidecars, regions, strict=True):
        who = {key: visit[key] for key in ("subject", "visit")}
        row = who | {key: visit[key] for key in ("group", "age", "sex")}
        if reason := is_excluded(sidecar):
            rows.append(row | {"status": none, "remarks": reason["reason"]})
            excluded.append(who | {"image_id": None, "modality": "MRI"} | reason)
            continue
        told = read_json(sidecar)
        status = marked if told["Remarks"] else done
        rows.append(
            row
            | {"status": status, "remarks": "; ".join(told["Remarks"])}
            | ({"clusters": told["Clusters"]} if "Clusters" in told else {})
            | told["Unlike"]
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
