"""What a case of bad input is, and how it is judged.

`python tests/reliability/cases.py` prints the table of docs/reliability.md: it runs every case.
"""

import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mri2pet.errors import InputError, ScanError

OUTCOMES = {
    "excluded": "scan left out, the rest goes on",
    "stops": "the run stops at once",
    "right": "read as it is meant",
}


@dataclass(frozen=True)
class Case:
    """One kind of bad input.

    Attributes
    ----------
    name
        What is wrong.
    outcome
        Of `OUTCOMES`.
    run
        Makes the input in an empty folder and reads it. It raises, returns the reason of an
        exclusion that a table lists, or (`right`) checks what was read.
    message
        What the message must match.
    """

    name: str
    outcome: str
    run: Callable[[Path], str | None]
    message: str = ""


def judge(case: Case, folder: Path) -> str:
    """Run a case and return the message; an assertion fails where it ends otherwise."""
    try:
        told, outcome = case.run(folder), "right"
        outcome = "excluded" if told else "right"
    except ScanError as error:
        told, outcome = str(error), "excluded"
    except InputError as error:
        told, outcome = str(error), "stops"
    told = told or ""
    assert outcome == case.outcome, f"{case.name}: {outcome} ({told})"
    assert re.search(case.message, told), f"{case.name}: {told}"
    assert "\n" not in told.strip() or outcome == "stops", told
    return told


def all_cases() -> dict[str, list[Case]]:
    """Return the cases by what they are about."""
    import bad_bids
    import bad_dicom
    import bad_ecat
    import bad_exports
    import bad_files
    import bad_headers
    import bad_ixi
    import bad_rows
    import bad_series
    import bad_tables

    return {
        "Tables": bad_tables.CASES,
        "Rows of tables": bad_rows.CASES,
        "Tables as LONI exports them": bad_exports.CASES,
        "NIfTI headers and values": bad_headers.CASES,
        "NIfTI files, frames and sidecars": bad_files.CASES,
        "DICOM series": [*bad_dicom.CASES, *bad_series.CASES],
        "ECAT files": bad_ecat.CASES,
        "IXI": bad_ixi.CASES,
        "BIDS folder of the anomaly study": bad_bids.CASES,
    }


def markdown() -> str:
    """Run every case and return the table of the documentation."""
    lines = []
    for part, cases in all_cases().items():
        lines += [f"### {part}", "", "| what is wrong | what happens | message |", "|---|---|---|"]
        for case in cases:
            with tempfile.TemporaryDirectory() as name:
                told = judge(case, Path(name)).replace(f"{name}/", "").replace(name, "<folder>")
            told = " ".join(told.split()).replace("|", "\\|")
            if len(told) > 160:
                told = f"{told[:157]}..."
            lines.append(f"| {case.name} | {OUTCOMES[case.outcome]} | {told} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    TESTS = Path(__file__).parents[1]
    sys.path += [str(TESTS / part) for part in ("cohorts", "conversion", "reliability")]
    print(markdown())
