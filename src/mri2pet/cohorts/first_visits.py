"""One visit a person, where a study asks for it, so that nobody counts several times."""

from typing import TYPE_CHECKING, Any

from mri2pet.cohorts.contract import EXCLUSION_COLUMNS

if TYPE_CHECKING:
    import pandas as pd

ALL, FIRST = "all", "first"  # values of the key `visits` of a study


def keep_first(
    cohort: "pd.DataFrame", exclusions: "pd.DataFrame", study: dict[str, Any]
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Keep the first visit of each person, of those with a PET where there are any.

    Parameters
    ----------
    cohort, exclusions
        As a reader made them.
    study
        Its block of the configuration, with its `name`. Nothing is left out unless its `visits`
        is `first`.

    Returns
    -------
    cohort : DataFrame
        One row a person. First is the earliest MRI where all of the person's are dated, else what
        the reader lists first.
    exclusions : DataFrame
        With a row for each scan of the other visits, and the reason. An MRI that the visit that
        is kept has too is not among them.
    """
    import pandas as pd

    if study.get("visits", ALL) != FIRST or cohort.empty:
        return cohort, exclusions
    kept, left_out = [], []
    for _, own in cohort.groupby("subject", sort=False):
        first, *others = _ordered(own).to_dict("index").items()
        kept.append(first[0])
        for _, row in others:
            left_out += _scans(row, first[1], f"studies.{study['name']}.visits")
    added = pd.DataFrame(left_out, columns=list(EXCLUSION_COLUMNS), dtype=object)
    listed = pd.concat([exclusions.astype(object), added], ignore_index=True)
    return cohort.loc[sorted(kept)].reset_index(drop=True), listed


def _ordered(visits: "pd.DataFrame") -> "pd.DataFrame":
    """Order a person's visits: those with a PET first, then by date where all have one."""
    by = visits.assign(alone=visits["kind"] != "paired")
    keys = ["alone"]
    if "mri_date" in visits and visits["mri_date"].notna().all():
        keys.append("mri_date")
    return by.sort_values(keys, kind="stable").drop(columns="alone")


def _scans(row: dict[str, Any], first: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """Make the exclusions of one visit's scans."""
    import pandas as pd

    reason = f"{key}: first, and visit {first['visit']} of the person is taken"
    found = []
    for modality, prefix in (("MRI", "mri"), ("PET", "pet")):
        file, member = (row[f"{prefix}_{part}"] for part in ("file", "member"))
        same = [file, str(member)] == [first[f"{prefix}_file"], str(first[f"{prefix}_member"])]
        if pd.isna(file) or same:
            continue
        found.append(
            {
                "subject": row["subject"],
                "visit": row["visit"],
                "image_id": None if pd.isna(member) else member,
                "modality": modality,
                "stage": "cohort",
                "reason": reason,
            }
        )
    return found
