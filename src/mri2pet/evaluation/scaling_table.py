"""How much the reference region, and partial volume, change diagnosis and regional errors."""

from collections.abc import Sequence

import pandas as pd
from numpy.typing import NDArray

from mri2pet.evaluation import classification
from mri2pet.evaluation.comparison import (
    Parts,
    check_same_people,
    compare,
    mean_of_people,
    over_people,
)
from mri2pet.evaluation.image_tables import table_over_folds, with_published
from mri2pet.evaluation.statistics import paired_t_test
from mri2pet.evaluation.three_way import NO_PUBLISHED

ERROR, UNIT = "regional error", "percent"


def scaling_table(
    predictions: pd.DataFrame,
    errors: pd.DataFrame,
    positive: str,
    models: Sequence[str],
) -> pd.DataFrame:
    """Make the table: a row a method and scale, the metric's name with the scale after it.

    Parameters
    ----------
    predictions, errors
        As `diagnosis.scaled_diagnosis.diagnose_on_scale` makes them, with the column `method`.
    positive
        The positive group.
    models
        The trained models, in the order of the rows; reference rows follow.

    Returns
    -------
    DataFrame
        `image_tables.COLUMNS`. `AUC, <scale>`: of the diagnosis on Paired. `regional error,
        <scale>`: mean over regions of grey matter of the distance to the real PET, in percent of
        it, over people.
    """

    def score(visits: pd.DataFrame, weights: NDArray) -> dict[str, Parts]:
        truth = visits["truth"] == positive
        return {classification.AUC: classification.auc_parts(truth, visits["score"], weights)}

    metrics = [classification.AUC]
    tables = []
    for scale, own in predictions.groupby("scale", sort=False):
        made = table_over_folds(own, "Paired", score, metrics, models, NO_PUBLISHED)
        tables.append(made.assign(metric=f"{classification.AUC}, {scale}"))
    for scale, own in errors.groupby("scale", sort=False):
        check_same_people(own, str(scale))
        people = own.groupby(["method", "subject"])["value"].mean()
        found = {str(method): mean_of_people(people[method]) for method in people.index.unique(0)}
        metric, test = f"{ERROR}, {scale}", over_people(paired_t_test)
        rows = compare("Paired", metric, UNIT, found, models, False, test)
        tables.append(with_published(rows, models, NO_PUBLISHED))
    return pd.concat(tables, ignore_index=True)
