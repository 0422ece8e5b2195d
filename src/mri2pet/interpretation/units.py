"""The tables of unit dissection: every unit and region, and each unit's best."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.interpretation.overlap import SIDES, Top, overlaps, turned_iou

if TYPE_CHECKING:
    from mri2pet.interpretation.dissection import Layer

KEYS = ["fold", "layer", "unit"]
COLUMNS = (
    "fold", "layer", "unit", "side", "region", "name", "quantile", "iou", "expected_iou",
    "turned_iou", "auc", "cohens_d", "n_positive", "n_negative",
)  # fmt: skip


def auc(positive: NDArray, negative: NDArray) -> NDArray:
    """Area under the ROC curve along the first axis, ties counted half.

    Parameters
    ----------
    positive, negative
        (P, ...) and (Q, ...) values.

    Returns
    -------
    (...) shares of pairs in which the positive is the higher; NaN without pairs or with a NaN.
    """
    if not (len(positive) and len(negative)):
        return np.full(positive.shape[1:], np.nan)
    won = np.zeros(positive.shape[1:])
    for value in positive:
        won += ((value > negative) + 0.5 * (value == negative)).sum(0)
    missing = np.isnan(positive).any(0) | np.isnan(negative).any(0)
    return np.where(missing, np.nan, won / (len(positive) * len(negative)))


def cohens_d(positive: NDArray, negative: NDArray) -> NDArray:
    """Difference of means over the pooled sd, along the first axis; NaN with one visit or no sd."""
    freedom = len(positive) + len(negative) - 2
    if min(len(positive), len(negative)) < 2:
        return np.full(positive.shape[1:], np.nan)
    squares = sum(((group - group.mean(0)) ** 2).sum(0) for group in (positive, negative))
    sd = np.sqrt(squares / freedom)
    difference = positive.mean(0) - negative.mean(0)
    return np.divide(difference, sd, out=np.full_like(sd, np.nan), where=sd > 0)


def side_table(
    fold: int,
    layer: int,
    side: str,
    overlap: tuple[NDArray, NDArray, NDArray],
    means: NDArray,
    constant: NDArray,
    positive: NDArray,
    negative: NDArray,
    names: Sequence[str],
    turned: NDArray,
) -> pd.DataFrame:
    """List every unit and region of one side of a layer; columns `COLUMNS`.

    Parameters
    ----------
    fold, layer, side
        Written to every row.
    overlap
        IoU, expected IoU and share beyond the cut, (C, regions) each, of `dissection.overlaps`.
    means
        (N, C, regions) of each visit.
    constant
        (C,) units whose IoU, AUC and d are missing.
    positive, negative
        (N,) booleans: the visits of the two groups.
    names
        Of the regions.
    turned
        (C,) best IoU with the atlas put wrong (`dissection.turned_iou`).
    """
    iou, expected, share = overlap
    units, regions = iou.shape
    means = means.astype(float)

    def flat(values: NDArray) -> NDArray:
        return np.where(constant[:, None], np.nan, values).ravel()

    columns = {
        "fold": fold,
        "layer": layer,
        "unit": np.repeat(np.arange(units), regions),
        "side": side,
        "region": np.tile(np.arange(1, regions + 1), units),
        "name": np.tile(np.asarray(names, dtype=object), units),
        "quantile": flat(1 - share if side == "high" else share),
        "iou": flat(iou),
        "expected_iou": flat(expected),
        "turned_iou": np.repeat(np.where(constant, np.nan, turned), regions),
        "auc": flat(auc(means[positive], means[negative])),
        "cohens_d": flat(cohens_d(means[positive], means[negative])),
        "n_positive": int(positive.sum()),
        "n_negative": int(negative.sum()),
    }
    return pd.DataFrame(columns)[list(COLUMNS)]


def best_regions(table: pd.DataFrame) -> pd.DataFrame:
    """Keep each unit's region and side with the highest IoU and rank the units.

    Ranked by IoU, then by how far the AUC is from one half, whichever group is the higher; equals
    stand in the order of fold, layer and unit. A unit without any IoU (a constant one) comes last,
    without a region.

    Returns
    -------
    One row a unit: `rank` from 1, then `COLUMNS`.
    """
    ordered = table.assign(apart=(table["auc"] - 0.5).abs().fillna(0)).sort_values(
        ["iou", "apart", *KEYS, "region"],
        ascending=[False, False, True, True, True, True],
        na_position="last",
        kind="stable",
    )
    best = ordered.drop_duplicates(KEYS).drop(columns="apart").reset_index(drop=True)
    nothing = best["iou"].isna()
    best["region"] = best["region"].astype("Int64").mask(nothing)
    best[["side", "name"]] = best[["side", "name"]].astype(object).mask(nothing)
    best.insert(0, "rank", np.arange(1, len(best) + 1))
    return best


def best_units(table: pd.DataFrame, count: int = 3) -> pd.DataFrame:
    """List, region by region, the units that overlap best with it; layer 0 is no unit.

    Parameters
    ----------
    table
        Of all folds: columns `COLUMNS`.
    count
        Of units a region, each with the better of its sides.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`, regions in their order, the best unit first. A region that no unit
        overlaps with has no row.
    """
    table = table.reset_index(drop=True)
    keys = {"region": table["region"], "iou": -table["iou"], **{k: table[k] for k in KEYS}}
    order = pd.DataFrame(keys).sort_values(list(keys), kind="stable").index
    found = table.loc[order]
    found = found[(found["layer"] > 0) & found["iou"].notna()]
    found = found.drop_duplicates(["region", *KEYS])
    return found.groupby("region", sort=False).head(count).reset_index(drop=True)


def most_separating(best: pd.DataFrame) -> pd.DataFrame:
    """Order units by how far they tell the groups apart, among those that single out a region.

    Such is a unit whose IoU is above `turned_iou`; where there is none, all are ordered. By
    |AUC - 0.5|, then |d|, then IoU. Layer 0, the MRI itself, is no unit.
    """
    units = best[(best["layer"] > 0) & best["iou"].notna()]
    chosen = units[units["iou"] > units["turned_iou"]]
    chosen = units if chosen.empty else chosen
    keys = pd.DataFrame(
        {
            "auc": -(chosen["auc"] - 0.5).abs().fillna(0),
            "d": -chosen["cohens_d"].abs().fillna(0),
            "rank": chosen["rank"],
        }
    )
    return chosen.loc[keys.sort_values(["auc", "d", "rank"]).index]


def shown_units(best: pd.DataFrame, rows: int) -> list[dict[str, Any]]:
    """Choose the units of a figure: those with the best IoU, then those that separate most.

    Parameters
    ----------
    best
        Of `best_regions`.
    rows
        Of the figure: half of them (rounded up) for the first kind. No unit is chosen twice, and
        of each kind at most one a region and fold.
    """
    units = best[(best["layer"] > 0) & best["iou"].notna()]
    by_iou = units.drop_duplicates(["fold", "region"]).head(-(-rows // 2))
    others = most_separating(best)
    others = others[~others["rank"].isin(by_iou["rank"])].drop_duplicates(["fold", "region"])
    chosen = [by_iou, others.head(rows - len(by_iou))]
    return [
        row | {"chosen": reason}
        for reason, table in zip(("best IoU", "most separating"), chosen, strict=True)
        for row in table.to_dict("records")
    ]


def layer_tables(
    fold: int,
    layers: Sequence["Layer"],
    groups: NDArray,
    positive: str,
    negative: str,
    names: Sequence[str],
    top: Top,
) -> list[pd.DataFrame]:
    """Make the tables of all layers and sides.

    Parameters
    ----------
    fold
        Written to every row.
    layers
        Of `dissection.dissect`.
    groups
        (N,) group of each visit; those of other groups than the two count for the IoU alone.
    positive, negative
        The groups that the AUC tells apart.
    names, top
        Of the regions; as for `dissection.overlaps`.
    """
    tables = []
    for number, layer in enumerate(layers):
        turned = turned_iou(layer.counts[1:], top)
        for side in SIDES:
            overlap = overlaps(layer.counts[0], side, top)
            tables.append(
                side_table(
                    fold, number, side, overlap, layer.means, layer.constant,
                    groups == positive, groups == negative, names, turned,
                )
            )  # fmt: skip
    return tables
