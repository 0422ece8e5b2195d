"""Regional bias of synthetic PET, and how much of a disease's contrast it keeps.

Measures of whole images hide both: a synthetic PET that is near the mean of all people has a high
SSIM, and shows a disease weaker than it is.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.cohorts.sites import site_of
from mri2pet.diagnosis.features import WHOLE
from mri2pet.errors import InputError
from mri2pet.evaluation import image_tables
from mri2pet.evaluation.comparison import check_same_people
from mri2pet.evaluation.resampling import (
    FEWEST,
    interval,
    smallest_group,
    subject_weights,
    weighted_mean,
)

COLUMNS = (*image_tables.COLUMNS, "region", "by", "level")
BIAS, CONTRAST = "regional bias", "regional contrast"
SLOPE, CORRELATION = "contrast slope", "contrast correlation"
UNIT = "intensity in 0..1"
REAL, EVERY = "real_pet", "all regions"
FEWEST_REGIONS = 3  # a line through two regions has no spread


def with_sites(visits: pd.DataFrame, participants: pd.DataFrame | None) -> pd.DataFrame:
    """Add the column `site`, missing where nothing tells it.

    Parameters
    ----------
    visits
        With `subject`.
    participants
        `participants.tsv` of a raw BIDS dataset, whose column `site` tells it if there is one. None
        for other studies: the label of an ADNI subject begins with the site.
    """
    if participants is None:
        return visits.assign(site=visits["subject"].map(site_of))
    if "site" not in participants:
        return visits.assign(site=None)
    people = participants["participant_id"].astype(str).str.removeprefix("sub-")
    site = dict(zip(people, participants["site"], strict=True))
    return visits.assign(site=visits["subject"].map(site))


def uptake(features: pd.DataFrame) -> pd.DataFrame:
    """Return the mean uptake of each region, a row a visit (`index`), a column a region's name.

    Of grey matter where the features are of tissues; else of the whole region.
    """
    tissues = set(features["tissue"])
    tissue = "GM" if "GM" in tissues else WHOLE
    chosen = features[(features["modality"] == "PET") & (features["tissue"] == tissue)]
    wide = chosen.pivot(index="index", columns=["region", "name"], values="value")
    return wide.sort_index(axis=1).droplevel("region", axis=1)


def bias_table(
    visits: pd.DataFrame,
    real: pd.DataFrame,
    synthetic: Mapping[str, pd.DataFrame],
    positive: Sequence[str],
    negative: Sequence[str],
    told: Sequence[str] = (),
) -> pd.DataFrame:
    """Make the table of bias and contrast of all methods over the same held-out visits.

    Parameters
    ----------
    visits
        Of the dataset: index subject group sex site.
    real
        Features of the real scans (`features.feature_table`).
    synthetic
        Method to the features of its PET of all folds; those of paired visits count, whose
        generator had not seen them.
    positive, negative
        Groups on either side of the diagnosis.
    told
        Methods that are told the diagnosis: their contrast is what they were told, and is left out.

    Returns
    -------
    DataFrame
        `COLUMNS`. `regional bias`: synthetic less real uptake, mean and sd over people (visits
        averaged) by region, and their mean as `all regions`; of all people, by group, by sex and,
        where it is known, by site (of a site with fewer than `resampling.FEWEST` people only the
        mean of all regions). `regional contrast`: positive less negative people; of the real PET
        as `real_pet`. `contrast slope` and `contrast correlation`: of the synthetic on the real
        contrast over regions; a slope of 1 keeps all of the contrast.
    """
    target = uptake(real)
    tested = {name: own[own["kind"] == "paired"] for name, own in synthetic.items()}
    every = [own[["subject", "visit"]].assign(method=name) for name, own in tested.items()]
    check_same_people(pd.concat(every), "regional bias")
    rows: list[dict[str, object]] = []
    for method, features in tested.items():
        made = uptake(features)
        lost = sorted(set(made.index) - set(target.index))
        if lost:
            raise InputError(
                f"{method}: no features of the real PET of visit {lost[0]} of visits.tsv"
            )
        people = visits.set_index("index").loc[made.index]
        truth = target.loc[made.index, made.columns]
        rows += _bias(method, people, made - truth)
        if method not in told:
            rows += _contrast(method, people, truth, made, positive, negative)
    table = pd.DataFrame(rows).assign(dataset="Paired").reindex(columns=list(COLUMNS))
    return table.drop_duplicates(["method", "metric", "region", "by", "level"], ignore_index=True)


def _levels(people: pd.DataFrame) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Yield what people are told apart by, the level, and whose visits are of it."""
    yield "all", "all", np.ones(len(people), dtype=bool)
    for by in ("group", "sex", "site"):
        for level in sorted(people[by].dropna().astype(str).unique()):
            yield by, level, (people[by].astype(str) == level).to_numpy()


def _bias(method: str, people: pd.DataFrame, difference: pd.DataFrame) -> list[dict[str, object]]:
    rows = []
    for by, level, chosen in _levels(people):
        own = difference[chosen].groupby(people.loc[chosen, "subject"]).mean()
        own = pd.concat([own.mean(axis=1).rename(EVERY), own], axis=1)
        if by == "site" and len(own) < FEWEST:
            own = own[[EVERY]]
        drawn = weighted_mean(own.to_numpy(), subject_weights(pd.Series(own.index)))
        lows, highs = interval(drawn, len(own))
        spread = own.std(ddof=1)
        for region, low, high in zip(own, lows, highs, strict=True):
            row = {"method": method, "metric": BIAS, "unit": UNIT, "mean": own[region].mean()}
            row |= {"sd": spread[region], "n": len(own), "low": low, "high": high}
            rows.append(row | {"region": region, "by": by, "level": level})
    return rows


def _contrast(
    method: str,
    people: pd.DataFrame,
    real: pd.DataFrame,
    made: pd.DataFrame,
    positive: Sequence[str],
    negative: Sequence[str],
) -> list[dict[str, object]]:
    side = people["group"].isin(positive)
    chosen = (side | people["group"].isin(negative)).to_numpy()
    keys = [people.loc[chosen, "subject"], side[chosen].rename("side")]
    units = [table[chosen].groupby(keys).mean() for table in (real, made)]
    subjects, positives = (
        units[0].index.get_level_values(name).to_series(index=range(len(units[0])))
        for name in ("subject", "side")
    )
    if positives.nunique() < 2:
        return []
    n, smallest = subjects.nunique(), smallest_group(subjects, positives)
    common = {"by": "all", "level": "all", "n": n}
    weights = {"once": np.ones((1, len(subjects))), "drawn": subject_weights(subjects, positives)}
    found = {
        name: [_difference(table.to_numpy(), positives.to_numpy(), own) for table in units]
        for name, own in weights.items()
    }
    rows: list[dict[str, object]] = []
    for place, who in enumerate((REAL, method)):
        lows, highs = interval(found["drawn"][place], smallest)
        means = found["once"][place][0]
        for region, mean, low, high in zip(made, means, lows, highs, strict=True):
            row = {"method": who, "metric": CONTRAST, "unit": UNIT, "mean": mean}
            rows.append(common | row | {"low": low, "high": high, "region": region})
    once, drawn = (kept(*found[name]) for name in ("once", "drawn"))
    for metric, unit in ((SLOPE, "ratio"), (CORRELATION, "correlation")):
        low, high = interval(drawn[metric], smallest)
        row = {"method": method, "metric": metric, "unit": unit, "mean": float(once[metric][0])}
        rows.append(common | row | {"low": float(low), "high": float(high), "region": EVERY})
    return rows


def _difference(values: NDArray, positive: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """Return positive less negative means, (B, regions), of (people, regions)."""
    sides = (weighted_mean(values[own], weights[:, own]) for own in (positive, ~positive))
    first, second = sides
    return first - second


def kept(real: NDArray, made: NDArray) -> dict[str, NDArray[np.float64]]:
    """Return slope and correlation, over regions, of one contrast on another.

    Parameters
    ----------
    real, made
        (B, regions); a region that is missing in either is left out.

    Returns
    -------
    `SLOPE` (least squares, with an intercept) and `CORRELATION` (Pearson), (B,); NaN with fewer
    than `FEWEST_REGIONS` regions or without differences between them.
    """
    defined = np.isfinite(real) & np.isfinite(made)
    count = defined.sum(axis=1, keepdims=True)
    centred = []
    for values in (real, made):
        values = np.where(defined, values, 0.0)
        mean = values.sum(axis=1, keepdims=True) / np.maximum(count, 1)
        centred.append(np.where(defined, values - mean, 0.0))
    across = (centred[0] * centred[1]).sum(axis=1)
    spread = [np.square(values).sum(axis=1) for values in centred]
    enough = count[:, 0] >= FEWEST_REGIONS
    nothing = np.full(len(real), np.nan)
    slope = np.divide(across, spread[0], out=nothing.copy(), where=enough & (spread[0] > 0))
    norm = np.sqrt(spread[0] * spread[1])
    return {
        SLOPE: slope,
        CORRELATION: np.divide(across, norm, out=nothing, where=enough & (norm > 0)),
    }
