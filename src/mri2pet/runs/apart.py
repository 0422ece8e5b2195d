"""Simulated people and one's own never share a folder of results."""

import json
from collections.abc import Mapping
from pathlib import Path

from mri2pet.errors import InputError


def check_apart(records: str | Path, simulated: Mapping[str, bool]) -> None:
    """Refuse own data where simulated people of the same study lie, and the other way round.

    Parameters
    ----------
    records
        The folder of records, `results/provenance`.
    simulated
        Study to whether its people are simulated now.

    Raises
    ------
    InputError
        Naming the study and what to do.
    """
    for study, now in simulated.items():
        try:
            record = json.loads((Path(records) / f"cohort/{study}.tsv.json").read_text())
            before = bool(record["params"]["study"]["simulated"])
        except (OSError, ValueError, KeyError, TypeError):
            continue  # nothing there, or nothing that tells
        if before != now:
            there, here = ("simulated", "real") if before else ("real", "simulated")
            raise InputError(
                f"studies.{study}.raw: {Path(records).parent}/ holds {there} people of this study, "
                f"and this run is of {here} ones; run it in a folder of its own (--directory DIR), "
                f"or move {Path(records).parent}/ away"
            )
