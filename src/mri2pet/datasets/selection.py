"""Which visits a model is trained on, and for which it synthesises, by the folds held out."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mri2pet.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

HeldOut = int | tuple[int, ...]  # the fold that is held out, or several


def held_out(text: str) -> HeldOut:
    """Read which folds a file's name says are held out: `0` is one, `0-2` are two."""
    folds = tuple(map(int, text.split("-")))
    return folds if len(folds) > 1 else folds[0]


def training_rows(
    visits: "pd.DataFrame", folds: "pd.DataFrame", fold: HeldOut, groups: Sequence[str] = ()
) -> "pd.DataFrame":
    """Select the visits that a generator may learn from.

    Parameters
    ----------
    visits
        The dataset's table (`index`, `subject`, `kind`, ...).
    folds
        `subject` and `fold`, one row a subject.
    fold
        The fold that is held out, or several: nothing of their subjects is returned.
    groups
        Groups to learn from, by the visit's diagnosis; all if none is named.

    Returns
    -------
    DataFrame
        Rows of `visits` with MRI and PET, in the dataset's order.

    Raises
    ------
    InputError
        If a subject has no fold, or nothing is left to train on.
    """
    visits = _learnt_from(visits)
    fold_of = _fold_of(visits, folds)
    rows = visits[(visits["kind"] == "paired") & ~fold_of.isin(_several(fold))]
    if groups:
        rows = rows[rows["group"].isin(groups)]
    if rows.empty:
        of = f" of {', '.join(groups)}" if groups else ""
        raise InputError(
            f"fold {fold}: no visit{of} with MRI and PET outside it, nothing to train on"
        )
    return rows


def synthesis_rows(
    visits: "pd.DataFrame", folds: "pd.DataFrame | None", fold: HeldOut
) -> "pd.DataFrame":
    """Select the visits whose PET is synthesised, with a column `role`.

    Paired visits of the fold's subjects (role `test`), then all that have an MRI alone (role
    `mri_only`), of every group: a generator may be asked for groups that it has not learnt from.
    Where several folds are held out, MRI-only visits of their subjects alone: of these people the
    generator has seen nothing at all. Patients and controls held back, of the anomaly dataset, are
    not among them. In a study that is split once (no folds) the people to validate and to test on,
    whose part the column `split` says.
    """
    if folds is None:
        return of_split(visits, "val", "test")
    visits = _learnt_from(visits)
    inside = _fold_of(visits, folds).isin(_several(fold))
    test = visits[(visits["kind"] == "paired") & inside]
    mri_only = visits["kind"] == "mri_only"
    mri_only = visits[mri_only & inside if isinstance(fold, tuple) else mri_only]
    rows = [test.assign(role="test"), mri_only.assign(role="mri_only")]
    import pandas as pd

    return pd.concat(rows, ignore_index=True)


def patient_rows(visits: "pd.DataFrame") -> "pd.DataFrame":
    """Select the patients of the anomaly dataset who have a PET; no generator learns from them."""
    rows = visits[(visits["kind"] == "paired") & (visits["role"] == "patient")]
    return rows.reset_index(drop=True)


def select_training(
    visits: "pd.DataFrame",
    folds: "pd.DataFrame | None",
    fold: HeldOut,
    groups: Sequence[str] = (),
    people: int = 0,
    seed: int = 0,
    learnt_from: int = 0,
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Select the visits that a model is trained on, and those it is validated on.

    Parameters
    ----------
    visits
        The dataset's table. In a study that is split once it has a column `split`: `train` is
        trained on, `val` validated on.
    folds, fold, groups
        As for `training_rows`; no folds in a study that is split once.
    people, seed
        As for `split_validation`.
    learnt_from
        As `people` of `few_people`, of those who are left to train on.
    """
    if folds is None:
        rows, held = of_split(visits, "train"), of_split(visits, "val")
    else:
        rows, held = split_validation(training_rows(visits, folds, fold, groups), people, seed)
    return few_people(rows, learnt_from, seed), held


def refuse_seen(rows: "pd.DataFrame", people: Mapping[str, Any], model: str) -> None:
    """Refuse to synthesise for a held-out person whom the generator has seen.

    Parameters
    ----------
    rows
        As `synthesis_rows` gives them.
    people
        Labels of those that it was trained (`training`) and validated on (`validation`).
    model
        Its name.

    Raises
    ------
    InputError
        If one of them is among the rows to test on.
    """
    part = "role" if "role" in rows else "split"
    tested = set(rows.loc[rows[part] == "test", "subject"])
    seen = tested & {*people.get("training", ()), *people.get("validation", ())}
    if seen:
        raise InputError(
            f"{model}: its generator was trained on subject {min(seen)}, whose PET it is to "
            "synthesise as of a person held out; the folds are not those of its training: train "
            "it again"
        )


def of_split(visits: "pd.DataFrame", *splits: str) -> "pd.DataFrame":
    """Return the rows of some parts of the split, in the order of the dataset."""
    return visits[visits["split"].isin(splits)].reset_index(drop=True)


def split_validation(
    rows: "pd.DataFrame", people: int, seed: int
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Take some people out of a model's training rows, for early stopping.

    Parameters
    ----------
    rows
        As `training_rows` gives them.
    people
        How many; 0 for none.
    seed
        They are the first by a hash of seed and label, whatever the order of the rows.

    Returns
    -------
    training, validation : DataFrame
        All visits of a person are in one of the two.

    Raises
    ------
    InputError
        If nobody is left to train on.
    """
    subjects = _shuffled(rows["subject"].unique(), f"{seed}:validation")
    if people and people >= len(subjects):
        raise InputError(
            f"validation: {people} of {len(subjects)} people of the training folds leave nobody "
            "to train on; choose fewer"
        )
    held = rows["subject"].isin(subjects[:people])
    return rows[~held], rows[held]


def few_people(rows: "pd.DataFrame", people: int, seed: int) -> "pd.DataFrame":
    """Keep all visits of some people, to see how much a model gains by more of them.

    Parameters
    ----------
    rows
        Visits to train on; `subject`, and `group` where people are of several.
    people
        How many to keep; 0 for all.
    seed
        Groups give one person each in turn, the first by a hash of seed and label: fewer people
        are always among more.

    Raises
    ------
    InputError
        If there are not so many.
    """
    if not people:
        return rows
    subjects = rows.drop_duplicates("subject").set_index("subject")
    if people > len(subjects):
        raise InputError(
            f"a model's `people`: it is to learn from {people}, and there are {len(subjects)} to "
            "learn from in a fold; choose fewer"
        )
    order, turn = {}, {}
    for subject in _shuffled(subjects.index, f"{seed}:few"):
        group = subjects["group"].get(subject, "") if "group" in subjects else ""
        turn[group] = turn.get(group, -1) + 1
        order[subject] = turn[group]
    kept = sorted(order, key=order.get)[:people]  # stable: in the order of the hash within a turn
    return rows[rows["subject"].isin(kept)]


def _shuffled(subjects: Iterable[str], salt: str) -> list[str]:
    """Return labels in the order of a hash, whatever order they come in."""
    return sorted(
        subjects, key=lambda subject: hashlib.sha256(f"{salt}:{subject}".encode()).hexdigest()
    )


def _learnt_from(visits: "pd.DataFrame") -> "pd.DataFrame":
    """Leave out all but the controls of the anomaly dataset, which has a column `role`.

    What is learnt there is how healthy brains look; controls that are held back
    (`further_controls`) are for a training set of the detector alone.
    """
    return visits[visits["role"] == "control"] if "role" in visits else visits


def _several(fold: HeldOut) -> tuple[int, ...]:
    return fold if isinstance(fold, tuple) else (fold,)


def _fold_of(visits: "pd.DataFrame", folds: "pd.DataFrame") -> "pd.Series":
    fold_of = visits["subject"].map(dict(zip(folds["subject"], folds["fold"], strict=True)))
    import pandas as pd

    needed = pd.Series(True, visits.index)
    if "role" in visits:  # of the anomaly dataset: folds are of paired controls alone
        needed = visits["kind"] == "paired"
    if (fold_of.isna() & needed).any():
        missing = visits["subject"][fold_of.isna() & needed].iloc[0]
        raise InputError(f"folds.tsv: subject {missing} has no fold; make the folds again")
    return fold_of
