"""Where people were scanned: the site, by the label of a subject or by a table of participants."""

import csv
import re
from collections.abc import Iterable
from pathlib import Path

MISSING = ("", "n/a", "nan")


def site_of(subject: str) -> str | None:
    """Return the site of an ADNI subject, `011` of `011S0005` (`011_S_0005`); None of others."""
    found = re.fullmatch(r"(\d{3})_?S_?\d{4}", subject)
    return found[1] if found else None


def read_sites(subjects: Iterable[str], participants: str | Path | None = None) -> dict[str, str]:
    """Return the site of each subject of whom it is known.

    Parameters
    ----------
    subjects
        Labels.
    participants
        `participants.tsv` of a raw BIDS dataset, whose column `site` tells it if there is one;
        else, and of other studies, the label of an ADNI subject does.
    """
    told: dict[str, str] = {}
    if participants is not None:
        with Path(participants).open(newline="", encoding="utf-8-sig") as handle:
            for row in csv.DictReader(handle, delimiter="\t"):
                site = (row.get("site") or "").strip()
                if site.lower() not in MISSING:
                    told[(row.get("participant_id") or "").removeprefix("sub-")] = site
    found = {subject: told.get(subject) or site_of(subject) for subject in subjects}
    return {subject: site for subject, site in found.items() if site is not None}
