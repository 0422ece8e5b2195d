"""Fold by fold: controls scored by what has not seen them, patients by the mean over the folds."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from mri2pet.anomaly.training_sets import FoldPeople, fold_people, refuse_trained

Score = Callable[[int, FoldPeople, pd.DataFrame], np.ndarray]


def score_folds(
    visits: pd.DataFrame,
    folds: pd.DataFrame,
    count: int,
    score: Score,
    generated: Callable[[int], pd.DataFrame | None] = lambda fold: None,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Score the controls of each fold by the others, and every patient by all folds.

    Parameters
    ----------
    visits
        The dataset's table with `index`, `role` and `kind`.
    folds
        `subject` and `fold` of the controls, as `split_folds` returns it.
    count
        Number of folds.
    score
        Takes a fold, its people and the m rows that are asked for (held-out controls, then
        patients); gives (m, X, Y, Z) decision values.
    generated
        Takes a fold; gives the table of the synthetic PET that it learns from, or None
        (`refuse_trained`).

    Returns
    -------
    table : DataFrame
        Controls with their `fold`, then patients; `dataset_index` in place of `index`.
    decisions : array (rows, X, Y, Z)
        float32.
    """
    rows, maps, total, patients = [], [], 0.0, None
    for fold in range(count):
        people = fold_people(visits, folds, fold)
        refuse_trained(people.held_out.assign(fold=fold), folds, generated(fold))
        made = score(fold, people, pd.concat([people.held_out, people.patients]))
        own = len(people.held_out)
        rows.append(people.held_out.assign(fold=fold))
        maps.append(made[:own])
        patients, total = people.patients, total + made[own:]
    table = pd.concat([*rows, patients], ignore_index=True)
    table = table.drop(columns="index").assign(dataset_index=table["index"])
    return table, np.concatenate([*maps, total / count]).astype(np.float32, copy=False)
