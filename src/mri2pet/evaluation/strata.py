"""Image error and diagnosis by sex, age, group and scanner: whom a method serves worse.

Rows are those of every table, their metric with the stratum after it: `MAE, women`, `gap closed, 65
to 75 years`, `AUC, scanner Siemens TrioTim`. Everything is of held-out visits. A person's visits
are averaged, so that mean, sd and interval are over people; the AUC is of pairs within folds, as
everywhere. A method's p is against the best model in the same stratum: it does not compare strata.
"""

from collections.abc import Iterator, Sequence

import numpy as np
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
from mri2pet.evaluation.gap import ERROR, METRIC, gap_rows
from mri2pet.evaluation.image_tables import COLUMNS, table_over_folds, with_published
from mri2pet.evaluation.statistics import paired_t_test
from mri2pet.evaluation.three_way import NO_PUBLISHED

SEXES = {"F": "women", "M": "men"}
AGES = {  # from, and below
    "under 65 years": (0.0, 65.0),
    "65 to 75 years": (65.0, 75.0),
    "75 years and over": (75.0, np.inf),
}
FEWEST_OF_A_CLASS = 5  # people: fewer make no AUC worth a row
VISIT = ["subject", "visit"]
Stratum = tuple[str, NDArray[np.bool_]]


def strata(visits: pd.DataFrame, groups: bool = True) -> Iterator[Stratum]:
    """Yield the strata of some visits: words, and which visits are of it.

    Parameters
    ----------
    visits
        sex (F, M), age in years at the visit, group, scanner (of the MRI) and pet_scanner; what is
        missing is in no stratum.
    groups
        Whether diagnostic groups are among them.

    Yields
    ------
    Of each partition that has at least two strata with visits. Where the PET's scanners part the
    visits as the MRI's do, they stand there once.
    """
    sex, age = visits["sex"], pd.to_numeric(visits["age"], errors="coerce")
    yield from _several({words: sex == code for code, words in SEXES.items()})
    yield from _several({words: (age >= low) & (age < high) for words, (low, high) in AGES.items()})
    if groups:
        yield from _several(_levels(visits["group"], "{}"))
    mri = _levels(visits["scanner"], "scanner {}")
    pet = _levels(visits["pet_scanner"], "PET scanner {}")
    yield from _several(mri)
    if {own.to_numpy().tobytes() for own in mri.values()} != {
        own.to_numpy().tobytes() for own in pet.values()
    }:
        yield from _several(pet)


def _levels(values: pd.Series, words: str) -> dict[str, pd.Series]:
    levels = sorted(values.dropna().astype(str).unique())
    return {words.format(level): values.astype(str) == level for level in levels}


def _several(found: dict[str, pd.Series]) -> Iterator[Stratum]:
    there = {words: own.to_numpy(dtype=bool) for words, own in found.items() if own.any()}
    if len(there) > 1:
        yield from there.items()


def strata_table(
    errors: pd.DataFrame,
    predictions: pd.DataFrame,
    visits: pd.DataFrame,
    models: Sequence[str],
    diagnosing: Sequence[str],
    positive: str,
    groups: Sequence[str] = (),
    harmonised: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Make the table of all strata.

    Parameters
    ----------
    errors
        Image metrics of all methods: method subject visit group fold metric unit value; `MAE` is
        among the metrics.
    predictions
        Diagnosis on Paired of all methods: method subject visit group fold truth score predicted.
    visits
        Of the dataset, as `datasets.scanners.with_scanners` makes them: subject visit sex age group
        scanner pet_scanner.
    models, diagnosing
        The trained models of either, in the order of the rows; reference rows follow.
    positive
        The word for the positive class in `truth`.
    groups
        Groups whose images count: those that the models have learnt from; all if none is named.
    harmonised
        Further predictions, by harmonised features: the dataset of their rows is `Paired,
        harmonised`.

    Returns
    -------
    DataFrame
        `image_tables.COLUMNS`. Of images `MAE` and, where people are simulated, `gap closed`; of
        the diagnosis `AUC`, not by group, and only where both classes have at least
        `FEWEST_OF_A_CLASS` people. Without a stratum of at least two of a kind it has no row.
    """
    told = visits.drop_duplicates(VISIT)
    chosen = errors[errors["metric"] == ERROR]
    if len(groups):
        chosen = chosen[chosen["group"].isin(list(groups))]
    known = ["sex", "age", "scanner", "pet_scanner"]
    chosen = chosen.merge(told[[*VISIT, *known]], on=VISIT, how="left")
    tables = [_images(own, words, models) for words, own in _parts(chosen, True)]
    for dataset, rows in (("Paired", predictions), ("Paired, harmonised", harmonised)):
        if rows is None:
            continue
        predicted = rows.merge(told[[*VISIT, *known]], on=VISIT, how="left")
        for words, own in _parts(predicted, False):
            one = own[own["method"] == own["method"].iloc[0]]
            people = one.groupby("truth")["subject"].nunique()
            if len(people) == 2 and people.min() >= FEWEST_OF_A_CLASS:
                tables.append(_auc(own, dataset, words, diagnosing, positive))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(COLUMNS))


def _parts(rows: pd.DataFrame, groups: bool) -> Iterator[tuple[str, pd.DataFrame]]:
    for words, own in strata(rows, groups):
        yield words, rows[own]


def _images(rows: pd.DataFrame, words: str, models: Sequence[str]) -> pd.DataFrame:
    """Make the rows of the error and of the gap closed in one stratum."""
    check_same_people(rows, words)
    unit = str(rows["unit"].iloc[0])
    people = rows.groupby(["method", "subject"])["value"].mean()
    found = {str(method): mean_of_people(people[method]) for method in people.index.unique(0)}
    test = over_people(paired_t_test)
    made = compare("Paired", f"{ERROR}, {words}", unit, found, models, False, test)
    # one part: in the folds of a small stratum there may be nobody
    pooled = people.reset_index().assign(fold=0, metric=ERROR)
    gaps = [row | {"metric": f"{METRIC}, {words}"} for row in gap_rows(pooled, "Paired")]
    return with_published([*made, *gaps], models, NO_PUBLISHED)


def _auc(
    predictions: pd.DataFrame, dataset: str, words: str, models: Sequence[str], positive: str
) -> pd.DataFrame:
    """Make the rows of the area under the curve in one stratum."""

    def score(visits: pd.DataFrame, weights: NDArray) -> dict[str, Parts]:
        truth = visits["truth"] == positive
        return {classification.AUC: classification.auc_parts(truth, visits["score"], weights)}

    table = table_over_folds(
        predictions, dataset, score, [classification.AUC], models, NO_PUBLISHED
    )
    return table.assign(metric=f"{classification.AUC}, {words}")
