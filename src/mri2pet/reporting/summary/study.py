"""What was run, on whom, and whether it is sound."""

from collections.abc import Mapping, Sequence

import pandas as pd

from mri2pet.reporting.qc_order import nearest
from mri2pet.reporting.summary.parts import people


def whom(cohort: pd.DataFrame, simulated: Mapping[str, bool]) -> list[str]:
    """Describe each study: people, visits, scans and groups.

    Parameters
    ----------
    cohort
        One row a visit: subject group kind study.
    simulated
        Study to whether it is.

    Returns
    -------
    A sentence a study, in the order of `simulated`; none of a study without a table.
    """
    if cohort.empty:
        return []
    said = []
    for study, visits in cohort.groupby("study", sort=False):
        first = visits.drop_duplicates("subject")
        groups = first.groupby("group", sort=False).size()
        counted = ", ".join(f"{count} {name}" for name, count in groups.items())
        kind = "simulated people" if simulated.get(str(study)) else "real people"
        number = len(first)
        noun = kind.replace("people", "person") if number == 1 else kind
        visit = "1 visit" if len(visits) == 1 else f"{len(visits)} visits"
        paired = int((visits["kind"] == "paired").sum())
        pets = f", {paired} with PET" if paired else ""
        said.append(f"{study}: {number} {noun} ({counted}), {visit}{pets}.")
    return said


def sound(
    cohort: pd.DataFrame,
    excluded: pd.DataFrame,
    measures: pd.DataFrame,
    missing: Sequence[str],
    failed: pd.DataFrame,
) -> list[str]:
    """Say what was left out, what failed and what quality control found.

    Parameters
    ----------
    cohort, excluded, measures
        One row a visit; a scan left out; a scan and measure (`qc_measures.qc_measures`).
    missing, failed
        Of a partial report: files that are not there; failed jobs and excluded scans.
    """
    said = []
    if missing:
        said.append(f"This report is not whole: {len(missing)} of its files are missing.")
        jobs = failed[failed["Kind"] != "excluded"] if "Kind" in failed else failed
        if len(jobs):
            noun = "job" if len(jobs) == 1 else "jobs"
            said.append(f"{len(jobs)} failed {noun} at the end of the last run.")
    else:
        said.append("All results that the configuration asks for were made; no job failed.")
    if excluded.empty:
        said.append("No scan was left out.")
    else:
        who = excluded["subject"].nunique() if "subject" in excluded else len(excluded)
        scans = f"{len(excluded)} scan{'s were' if len(excluded) > 1 else ' was'} left out"
        said.append(f"{scans}, of {people(who)}.")
    judged = measures.dropna(subset=["lowest", "highest"], how="all") if len(measures) else measures
    if len(judged):
        low = judged["value"] < judged["lowest"].fillna(float("-inf"))
        beyond = int((low | (judged["value"] > judged["highest"].fillna(float("inf")))).sum())
        count = judged.groupby(["subject", "visit", "modality", "space"]).ngroups
        text = f"{beyond} beyond a limit" if beyond else "all within their limits"
        said.append(f"Quality control judged {count} scans by their numbers: {text}.")
        said.append(f"Nearest to a limit: {nearest(measures)}.")
    return said


def what(names: Sequence[str]) -> str:
    """Say which systems were run."""
    count = "1 system" if len(names) == 1 else f"{len(names)} systems"
    return f"{count}, from raw scans to tables: {', '.join(names)}."
