"""On which scanner each visit was made, as far as the headers of its scans tell."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mri2pet.files import read_json

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("subject", "visit", "site", "scanner", "pet_scanner")


def scanner_name(sidecar: Mapping[str, Any]) -> str | None:
    """Return maker and model of a scan's sidecar, `Siemens TrioTim`; None where one is missing.

    The model is that of a kind of machine: two sites with the same have the same name.
    """
    told = [sidecar.get(key) for key in ("Manufacturer", "ManufacturersModelName")]
    if not all(isinstance(word, str) and word.strip() not in ("", "n/a") for word in told):
        return None
    return " ".join(" ".join(map(str, told)).split())


def scanner_table(
    visits: "pd.DataFrame",
    mri: Sequence[str | Path],
    pet: Sequence[str | Path],
    sites: Mapping[str, str],
) -> "pd.DataFrame":
    """Make the table of the scanners of a study's visits.

    Parameters
    ----------
    visits
        Rows of a cohort table: subject visit kind.
    mri
        Sidecar of the converted MRI of each row.
    pet
        Sidecar of the converted PET of each paired row, in their order.
    sites
        Subject to site, of those of whom it is known.

    Returns
    -------
    DataFrame
        `COLUMNS`, a row a visit. `scanner` is that of the MRI, which everybody has and which a
        model is applied to; `pet_scanner` that of the PET. What the headers do not tell is missing,
        as it is of a scan that could not be converted.
    """
    import pandas as pd

    paired = iter(pet)
    rows = []
    for row, sidecar in zip(visits.to_dict("records"), mri, strict=True):
        of_pet = read_json(next(paired)) if row["kind"] == "paired" else {}
        rows.append(
            {
                "subject": row["subject"],
                "visit": row["visit"],
                "site": sites.get(str(row["subject"])),
                "scanner": scanner_name(read_json(sidecar)),
                "pet_scanner": scanner_name(of_pet),
            }
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def with_scanners(visits: "pd.DataFrame", scanners: "pd.DataFrame") -> "pd.DataFrame":
    """Add site and scanners to visits of a dataset, missing of a visit that is not in the table."""
    keys = ["subject", "visit"]
    return visits.merge(scanners[list(COLUMNS)], on=keys, how="left", validate="many_to_one")
