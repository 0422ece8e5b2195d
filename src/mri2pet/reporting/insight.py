"""Sections of the report that look into the generator: unit dissection and interpolation."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from mri2pet.files import read_tsv
from mri2pet.reporting.html import Listing, Picture, Section
from mri2pet.reporting.pictures import data_uri

UNITS_SHOWN = 12
CUT = (
    "A unit is a feature map of a residual block of the global path of one fold's generator; "
    "layers count from 1, layer 0 is the MRI itself, for comparison. Its values over the brain "
    "voxels of all held-out visits are cut where the set beyond is as large as the region (or at "
    "the configured share); IoU is the overlap with the region over their union. Expected: of as "
    "many voxels drawn at random. Atlas turned: the best IoU of the same unit with the atlas put "
    "wrong, front to back, upside down or both, which is what a map of its smoothness reaches by "
    "chance when its best region is chosen. "
)
DISSECTION_FIGURE = (
    CUT + "Each row: the unit's map over the MRI of a held-out visit of each group, the one whose "
    "decision on real PET is the median of its group, in three planes through the outlined "
    "region's centre; one colour scale a row."
)
DISSECTION_TABLE = (
    CUT + "Side: the region is where the unit is highest or lowest. AUC and Cohen's d compare the "
    "unit's mean in the region between the groups, over the held-out visits of one fold (n "
    "positive against n negative): with few visits both are coarse, and the largest of many is "
    "large by chance."
)
INTERPOLATION_FIGURE = (
    "Linear steps between the MRIs of two held-out visits, one of each group, and the PET that the "
    "fold's generator makes of each; the real pair stands at either end. Each visit is the one "
    "whose decision on real PET is the median of its group. Below: the probability of the first "
    "group by the fold's classifier, trained on real MRI and PET of the other folds, and the root "
    "mean square change from the PET before, inside the mask (x 1000)."
)
INTERPOLATION_TABLE = (
    "Smoothness: the largest step between neighbouring PETs over the mean step. The linear "
    "interpolation of the two end PETs has 1 by construction; a jump from one memorised image to "
    "another has the number of steps. Correlation: Spearman's, of the classifier's decision for "
    "the first group with the step; -1 where it falls all the way. The probability is flat where "
    "the training folds do not support a sigmoid; the decision still has an order. The paper "
    "prints probabilities of Normal of 0.86, 0.79, 0.56, 0.24, 0.08 and 0.09 for six images from "
    "Normal to AD."
)


COMPOSITES_TABLE = (
    "As above, of regions put together of the atlas's and of the ventricles, which the atlas does "
    "not have: the largest connected piece of fluid that none of its regions covers. A large "
    "region overlaps with much by chance: the IoU is to be read beside the expected one and that "
    "of the atlas turned."
)


def sections(
    dissection: Sequence[str | Path],
    interpolation: Sequence[str | Path],
    groups: Sequence[str],
    composites: str | Path | None = None,
) -> list[Section]:
    """Make the sections of what was run.

    Parameters
    ----------
    dissection, interpolation
        Table and picture of each; empty if it was not run.
    groups
        The positive and the negative group.
    composites
        Table of the composite regions; None if there is none.
    """
    made = [dissection_section(*dissection, composites)] if dissection else []
    return made + ([interpolation_section(*interpolation, groups)] if interpolation else [])


def dissection_section(
    table: str | Path, picture: str | Path, composites: str | Path | None = None
) -> Section:
    """Show the figure, the first rows of the ranked table, and the composite regions."""
    rows = read_tsv(table).head(UNITS_SHOWN)
    ranked = pd.concat([rows["rank"].rename("Rank"), _shown(rows)], axis=1)
    listings = [Listing("The units that overlap best", DISSECTION_TABLE, ranked)]
    if composites is not None:
        found = _shown(read_tsv(composites))
        found.insert(0, "Region", found.pop("Region"))
        listings.append(Listing("Composite regions", COMPOSITES_TABLE, found))
    shown = Picture("Dissected feature maps", DISSECTION_FIGURE, data_uri(picture))
    return Section("dissection", "Unit dissection", [shown], listings=listings)


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows of units and regions as text."""
    columns = {
        "Fold": rows["fold"],
        "Layer": rows["layer"],
        "Unit": rows["unit"],
        "Side": rows["side"],
        "Region": rows["name"],
        "IoU": rows["iou"].map(_three),
        "Expected": rows["expected_iou"].map(_three),
        "Atlas turned": rows["turned_iou"].map(_three),
        "AUC": rows["auc"].map(_two),
        "Cohen's d": rows["cohens_d"].map(_two),
        "n": rows["n_positive"].astype(str) + " / " + rows["n_negative"].astype(str),
    }
    return pd.DataFrame(columns)


def interpolation_section(table: str | Path, picture: str | Path, groups: Sequence[str]) -> Section:
    """Show the figure and each fold's two numbers.

    Parameters
    ----------
    table, picture
        Steps and summary of all folds; the PNG.
    groups
        The positive and the negative group.
    """
    rows = read_tsv(table, dtype={"step": "Int64"})
    found = []
    for fold, own in rows.groupby("fold"):
        steps, summary = own[own["step"].notna()], own[own["step"].isna()].iloc[0]
        found.append(
            {
                "Fold": fold,
                f"P({groups[1]}) at the {groups[1]} end": _two(
                    steps["probability_negative"].iloc[0]
                ),
                f"at the {groups[0]} end": _two(steps["probability_negative"].iloc[-1]),
                "Smoothness": _two(summary["smoothness"]),
                "Correlation with the step": _two(summary["spearman"]),
            }
        )
    listing = Listing("Smoothness", INTERPOLATION_TABLE, pd.DataFrame(found))
    shown = Picture("Interpolation", INTERPOLATION_FIGURE, data_uri(picture))
    title = f"Interpolation from {groups[1]} to {groups[0]}"
    return Section("interpolation", title, [shown], listings=[listing])


def _two(value: float) -> str:
    return "n/a" if pd.isna(value) else f"{value:.2f}"


def _three(value: float) -> str:
    return "n/a" if pd.isna(value) else f"{value:.3f}"
