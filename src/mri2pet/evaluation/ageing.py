"""How regional PET changes with age: regression lines with their bands, and slopes a decade.

Part D10 of DUAL-GLOW (Figure 7). Three things are regressed: real PET on the person's age, the
synthetic PET of the same visits on the same age, and the synthetic PET of one MRI on the age that
its generator was told, all else equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mri2pet.evaluation.regions import SET_AGE

LEVEL = 0.95
DECADE = 10.0  # years
UNIT = "intensity in 0..1 per decade"
ALL = "All"
SLOPE_COLUMNS = (
    "method", "curve", "region", "group", "unit", "mean", "slope", "low", "high", "n",
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A least-squares line of a value on age.

    Attributes
    ----------
    slope, mean_age, mean_value
        Value = mean_value + slope * (age - mean_age); per year, years.
    residual_sd
        Square root of the residual sum of squares over `freedom`.
    spread
        Sum of squared deviations of the ages, years squared.
    n, freedom
        Points, and what is left of them after the parameters.
    """

    slope: float
    mean_age: float
    mean_value: float
    residual_sd: float
    spread: float
    n: int
    freedom: int

    def at(self, ages: ArrayLike) -> NDArray:
        """Return the line's values."""
        return self.mean_value + self.slope * (np.asarray(ages, dtype=float) - self.mean_age)

    def half_width(self, ages: ArrayLike, level: float = LEVEL) -> NDArray:
        """Half the width of the confidence band of the mean, t * s * sqrt(1/n + (x - m)^2 / Sxx).

        It says where the line itself may lie, not where people do.
        """
        distance = np.square(np.asarray(ages, dtype=float) - self.mean_age)
        return self._t(level) * self.residual_sd * np.sqrt(1 / self.n + distance / self.spread)

    def slope_half_width(self, level: float = LEVEL) -> float:
        """Half the width of the slope's confidence interval, t * s / sqrt(Sxx), per year."""
        return float(self._t(level) * self.residual_sd / np.sqrt(self.spread))

    def _t(self, level: float) -> float:
        from scipy.stats import t

        return float(t.ppf((1 + level) / 2, self.freedom))


def fit_line(age: ArrayLike, value: ArrayLike, groups: Sequence[str] | None = None) -> Line | None:
    """Fit a value to age by least squares.

    Parameters
    ----------
    age, value
        (n,) years and intensities; points with a missing one are left out.
    groups
        (n,) names; each group then has an intercept of its own and the slope is common to all,
        so that groups of different age do not make one.

    Returns
    -------
    None where nothing is left to tell a slope and its error by: fewer than three points (one more
    for each further group), or no two ages within a group.
    """
    points = pd.DataFrame({"age": np.asarray(age, float), "value": np.asarray(value, float)})
    points["group"] = ALL if groups is None else np.asarray(groups, dtype=str)
    points = points.dropna()
    centred = points[["age", "value"]] - points.groupby("group")[["age", "value"]].transform("mean")
    spread = float(np.square(centred["age"]).sum())
    freedom = len(points) - points["group"].nunique() - 1
    if freedom < 1 or spread < 1e-6:
        return None
    slope = float((centred["age"] * centred["value"]).sum() / spread)
    residuals = centred["value"] - slope * centred["age"]
    return Line(
        slope=slope,
        mean_age=float(points["age"].mean()),
        mean_value=float(points["value"].mean()),
        residual_sd=float(np.sqrt(np.square(residuals).sum() / freedom)),
        spread=spread,
        n=len(points),
        freedom=freedom,
    )


def by_person(values: pd.DataFrame) -> pd.DataFrame:
    """Average the visits of a person (of one diagnosis): a person counts once in a regression."""
    keys = ["method", "curve", "region", "group", "subject"]
    return values.groupby(keys, sort=False)[["age", "value"]].mean().reset_index()


def slope_table(
    values: pd.DataFrame, regions: Sequence[str], groups: Sequence[str]
) -> pd.DataFrame:
    """Slopes a decade with their 95% intervals, by method, curve, region and group.

    Curves on people's own age: the least-squares slope over people; of all groups together, with
    an intercept a group. Curves on a set age: each MRI has a slope of its own, which is averaged
    over people, then over folds; the interval is Student's over folds, since people of one fold
    share a generator.

    Parameters
    ----------
    values
        As `region_values` makes them.
    regions, groups
        The regions and groups shown, in this order; `All` is added to the groups.

    Returns
    -------
    `SLOPE_COLUMNS`: mean intensity; slope, low and high a decade; n people. What too few people
    leave open is NaN.
    """
    rows = []
    for (method, curve), own in values.groupby(["method", "curve"], sort=False):
        for region in regions:
            chosen = own[own["region"] == region]
            for group in (*groups, ALL):
                of = chosen if group == ALL else chosen[chosen["group"] == group]
                fit = _set_age_slope if curve == SET_AGE else _own_age_slope
                slope, half = fit(of)
                rows.append(
                    {
                        "method": method,
                        "curve": curve,
                        "region": region,
                        "group": group,
                        "unit": UNIT,
                        "mean": of["value"].mean(),
                        "slope": DECADE * slope,
                        "low": DECADE * (slope - half),
                        "high": DECADE * (slope + half),
                        "n": of["subject"].nunique(),
                    }
                )
    return pd.DataFrame(rows, columns=list(SLOPE_COLUMNS))


def _own_age_slope(values: pd.DataFrame) -> tuple[float, float]:
    people = by_person(values)
    line = fit_line(people["age"], people["value"], people["group"])
    return (line.slope, line.slope_half_width()) if line else (np.nan, np.nan)


def _set_age_slope(values: pd.DataFrame) -> tuple[float, float]:
    from scipy.stats import t

    values = values.dropna(subset=["age", "value"])
    centred = values[["age", "value"]] - values.groupby(["subject", "visit"])[
        ["age", "value"]
    ].transform("mean")
    products = pd.DataFrame(
        {
            "fold": values["fold"],
            "subject": values["subject"],
            "visit": values["visit"],
            "both": centred["age"] * centred["value"],
            "spread": np.square(centred["age"]),
        }
    )
    sums = products.groupby(["fold", "subject", "visit"])[["both", "spread"]].sum()
    sums = sums[sums["spread"] > 0]
    people = (sums["both"] / sums["spread"]).groupby(level=["fold", "subject"]).mean()
    folds = people.groupby(level="fold").mean()
    if folds.empty:
        return np.nan, np.nan
    if len(folds) < 2:
        return float(folds.iloc[0]), np.nan
    error = folds.std(ddof=1) / np.sqrt(len(folds))
    return float(folds.mean()), float(t.ppf((1 + LEVEL) / 2, len(folds) - 1) * error)


def mean_curve(values: pd.DataFrame) -> pd.DataFrame:
    """Average a region over people at each set age: age mean half_width n, by age.

    The half width is of the 95% interval of the mean by Student's distribution over people; NaN
    for one person.
    """
    from scipy.stats import t

    people = values.groupby(["age", "subject"])["value"].mean()
    rows = []
    for age, own in people.groupby(level="age"):
        n = len(own)
        half = t.ppf((1 + LEVEL) / 2, n - 1) * own.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan
        rows.append({"age": age, "mean": own.mean(), "half_width": half, "n": n})
    return pd.DataFrame(rows, columns=["age", "mean", "half_width", "n"])
