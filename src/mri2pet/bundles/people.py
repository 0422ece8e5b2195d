"""What a bundle tells of the people behind it: numbers of all of them together, of nobody alone."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from mri2pet.bundles.unlike import histogram, histogram_spread
from mri2pet.diagnosis.features import regional_means
from mri2pet.evaluation.comparison import Measured, mean_of_folds, mean_of_people
from mri2pet.files import read_json

Array = np.ndarray
UNTOLD = "not told"
# Of a visit's MRI, in its quality control.
MEASURES = ("brain_ml", "template_correlation", "template_dice", "t1_grey_white", "t1_detail")


def trained_on(visits: pd.DataFrame, chosen: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the visits that any of a model's generators was trained or validated on.

    Parameters
    ----------
    visits
        The dataset's table.
    chosen
        What each training left beside its weights: labels in `training` and `validation`.
    """
    people = {
        label for each in chosen for part in ("training", "validation") for label in each[part]
    }
    rows = visits[visits["subject"].isin(people)]
    if "kind" in rows:
        rows = rows[rows["kind"] == "paired"]
    return rows.reset_index(drop=True)


def summary(rows: pd.DataFrame, sidecars: Iterable[str | Path]) -> dict[str, Any]:
    """Count people by group and sex; give their range of ages and the makes of their scanners.

    Parameters
    ----------
    rows
        Visits, as `trained_on` gives them.
    sidecars
        JSON files of the visits' MRI in `results/bids`; those of other visits are not read.
    """
    people = rows.drop_duplicates("subject")
    ages = rows["age"].dropna()
    makes = Counter(
        str(read_json(path).get("Manufacturer") or UNTOLD) for path in of_visits(sidecars, rows)
    )
    return {
        "people": len(people),
        "visits": len(rows),
        "people_by_group": _counts(people["group"]),
        "people_by_sex": _counts(people["sex"]),
        "age_years": [float(np.floor(ages.min())), float(np.ceil(ages.max()))] if len(ages) else [],
        "visits_by_scanner_make": dict(sorted(makes.items())),
    }


def of_visits(paths: Iterable[str | Path], rows: pd.DataFrame) -> list[Path]:
    """Return those files, in folders `sub-*/ses-*`, that are of some visits."""
    wanted = set(zip(rows["subject"], rows["visit"].astype(str), strict=True))
    found = []
    for path in map(Path, paths):
        folders = path.parent.parts
        told = dict(part.split("-", 1) for part in folders if part[:4] in ("sub-", "ses-"))
        if (told.get("sub"), told.get("ses")) in wanted:
            found.append(path)
    return found


def likeness(rows: pd.DataFrame, source: Array, mask: Array, quality: Iterable[str | Path]) -> dict:
    """Describe the MRIs that were trained on, so that another one can be compared with them.

    Parameters
    ----------
    rows
        Visits, as `trained_on` gives them.
    source
        (all visits, X, Y, Z), 0 to 1; may be memory-mapped.
    mask
        (X, Y, Z) bool.
    quality
        JSON files of the visits' quality control.

    Returns
    -------
    dict
        `measures`: mean and sd over visits of each of `MEASURES`; `histogram`: the mean one, and
        `histogram_distance`, mean and largest of the distances to it (`unlike.histogram`).
    """
    told = [read_json(path).get("Measures", {}) for path in of_visits(quality, rows)]
    measures = {}
    for name in MEASURES:
        values = [each[name] for each in told if each.get(name) is not None]
        if len(values) > 1:
            measures[name] = {"mean": float(np.mean(values)), "sd": float(np.std(values, ddof=1))}
    histograms = np.array([histogram(source[row], mask) for row in rows["index"]])
    return {"measures": measures, **histogram_spread(histograms)}


def control_uptake(
    made: Iterable[tuple[pd.DataFrame, Array]],
    controls: Sequence[str],
    atlas: Array,
    mask: Array,
    names: Sequence[str],
) -> pd.DataFrame:
    """Mean and sd of each region's uptake in the synthetic PET of held-out controls.

    A person's PET is that of the generator that has not seen the person. Real PET would mislead in
    its place: what a generator makes too bright or too dark in everybody would look like illness.

    Parameters
    ----------
    made
        A table of visits and the array (M, X, Y, Z) of their synthetic PET, for each fold.
    controls
        Groups that count as healthy.
    atlas, mask
        (X, Y, Z) labels, 0 where no region is; bool.
    names
        Of the regions 1, 2, ...

    Returns
    -------
    DataFrame
        Columns region, name, mean, sd (n/a for fewer than two people), people. The visits of a
        person are averaged.
    """
    inside = np.where(mask, atlas, 0)
    values, people = [], []
    for rows, volumes in made:
        wanted = (rows["role"] == "test") & rows["group"].isin(controls)
        for place in np.flatnonzero(wanted.to_numpy()):
            values.append(regional_means(volumes[place], mask, inside, len(names)))
            people.append(rows["subject"].iloc[place])
    columns = range(1, len(names) + 1)
    of_people = pd.DataFrame(values, columns=columns, dtype=float).groupby(people).mean()
    return pd.DataFrame(
        {
            "region": columns,
            "name": list(names),
            "mean": of_people.mean().to_numpy(),
            "sd": of_people.std(ddof=1).to_numpy(),
            "people": len(of_people),
        }
    )


def scores(values: pd.DataFrame, groups: Sequence[str], over_folds: bool) -> pd.DataFrame:
    """Sum up what was measured on held-out people, as the tables of a run do.

    Parameters
    ----------
    values
        A row a visit and metric: method subject group fold metric unit value, and `split` where
        people are split once, of whom those to test on count.
    groups
        Groups that were learnt from; all if none is named.
    over_folds
        Whether mean and sd are over folds; else over people.

    Returns
    -------
    DataFrame
        Columns method metric unit mean sd n low high; the interval is 95% over people.
    """
    if groups:
        values = values[values["group"].isin(groups)]
    if "split" in values:
        values = values[values["split"] == "test"]
    rows = []
    for (method, metric, unit), own in values.groupby(["method", "metric", "unit"], sort=False):
        measured = _measured(own, over_folds)
        row = {"method": method, "metric": metric, "unit": unit, "mean": measured.mean}
        row["low"], row["high"] = _interval(measured)
        rows.append(row | {"sd": measured.sd, "n": len(measured.subjects)})
    columns = ["method", "metric", "unit", "mean", "sd", "n", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _measured(own: pd.DataFrame, over_folds: bool) -> Measured:
    if over_folds:
        return mean_of_folds(own)
    return mean_of_people(own.groupby("subject")["value"].mean())


def _interval(measured: Measured) -> tuple[float, float]:
    from mri2pet.evaluation.resampling import interval

    low, high = interval(measured.resampled, measured.smallest)
    return float(low), float(high)


def _counts(column: pd.Series) -> dict[str, int]:
    return {str(name): int(count) for name, count in column.fillna(UNTOLD).value_counts().items()}
