"""Table 1 of the anomaly paper: image quality of each configuration of a GAN (part A5).

Unlike the tables of folds, mean and sd are over people, each held out once, as the paper has it;
configurations are compared by two-tailed Wilcoxon signed-rank tests over the same people.
"""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from mri2pet.errors import InputError
from mri2pet.evaluation import image_metrics
from mri2pet.evaluation.comparison import (
    check_same_people,
    compare,
    mean_of_people,
    over_people,
)
from mri2pet.evaluation.differences import listed_in
from mri2pet.evaluation.gap import gap_rows
from mri2pet.evaluation.image_tables import COLUMNS, printed_unit, with_published
from mri2pet.evaluation.statistics import holm, smallest_wilcoxon_p, wilcoxon_test

SYSTEM = "gan_anomaly"
REFERENCE = "reference"  # in place of a configuration, of rows that are no models
TEST_COLUMNS = (
    "metric", "unit", "first", "second", "n", "median_difference",
    "p_value", "smallest_p", "p_holm",
)  # fmt: skip


def by_subject(values: pd.DataFrame, metric: str) -> pd.Series:
    """Return a metric of each method and subject, visits averaged; indexed by both."""
    chosen = values[values["metric"] == metric]
    return chosen.groupby(["method", "subject"])["value"].mean()


def configuration_table(
    values: pd.DataFrame, models: Mapping[str, str], published: pd.DataFrame
) -> pd.DataFrame:
    """Make Table 1, in long form with the columns of all tables.

    Parameters
    ----------
    values
        One row a visit and metric: method subject fold metric unit value. A metric that could not
        be computed is missing, and its unit says why.
    models
        Trained model to its configuration, in the order of the rows; reference rows follow.
    published
        As `tables.read_published` gives it.

    Returns
    -------
    DataFrame
        Mean and sd (ddof 1) over people; p of the Wilcoxon test against the model with the best
        mean of its metric, `p_holm` corrected over all of that metric. There are no folds to test
        over: people of all folds are taken together.
    """
    rows = []
    published = image_metrics.in_all_scopes(published)
    for metric in listed_in(values, SYSTEM):
        chosen = values[values["metric"] == metric]
        unit, scale = _shown_unit(chosen, metric, published)
        check_same_people(chosen, "")
        people = by_subject(values, metric) * scale
        found = {str(name): mean_of_people(people[name]) for name in people.index.unique(0)}
        higher, test = image_metrics.higher_is_better(metric), over_people(wilcoxon_test)
        rows += compare("", metric, unit, found, list(models), higher, test)
    rows += gap_rows(values, "")
    for row in rows:
        row["dataset"] = models.get(str(row["method"]), REFERENCE)
    keys = ("dataset", "method", "metric")  # not the unit, which may say why there is no value
    return with_published(rows, list(models), published, keys)[list(COLUMNS)]


def pair_tests(
    values: pd.DataFrame, models: Sequence[str], published: pd.DataFrame
) -> pd.DataFrame:
    """Compare every two models over the same people by the Wilcoxon signed-rank test.

    Parameters
    ----------
    values
        As for `configuration_table`.
    models
        Those that are compared, in order.
    published
        As for `configuration_table`: differences are in the unit of that table.

    Returns
    -------
    DataFrame
        Columns `TEST_COLUMNS`; the median is of first minus second; `smallest_p` is what p would
        be, had all differences one sign; `p_holm` is corrected over all pairs of that metric (Holm
        1979).
    """
    rows = []
    published = image_metrics.in_all_scopes(published)
    for metric in listed_in(values, SYSTEM):
        unit, scale = _shown_unit(values[values["metric"] == metric], metric, published)
        people = by_subject(values, metric)  # not scaled before the tests: rounding parts ties
        for pair in itertools.combinations(models, 2):
            first, second = (people.loc[method].dropna() for method in pair)
            differences = (first - second).dropna()
            rows.append(
                {
                    "metric": metric,
                    "unit": unit,
                    "first": pair[0],
                    "second": pair[1],
                    "n": len(differences),
                    "median_difference": scale * differences.median()
                    if len(differences)
                    else np.nan,
                    "p_value": wilcoxon_test(first, second),
                    "smallest_p": smallest_wilcoxon_p(first, second),
                }
            )
    tests = pd.DataFrame(rows, columns=list(TEST_COLUMNS[:-1]))
    return tests.assign(p_holm=tests.groupby("metric")["p_value"].transform(lambda p: holm(p)))


def _shown_unit(chosen: pd.DataFrame, metric: str, published: pd.DataFrame) -> tuple[str, float]:
    """Return the unit in which a metric is shown, and the factor that leads to it."""
    units = set(chosen["unit"])
    if len(units) != 1:
        found = ", ".join(map(str, units)) or "no value"
        raise InputError(f"{metric}: expected one unit in the metrics tables, found {found}")
    unit = units.pop()
    measured = unit == image_metrics.unit_of(metric)
    return printed_unit(metric, unit, published) if measured else (unit, 1.0)
