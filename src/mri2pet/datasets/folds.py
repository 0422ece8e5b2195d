"""Cross-validation folds by subject, made once and used by every model and classifier."""

import hashlib
from collections.abc import Sequence

import pandas as pd

from mri2pet.datasets.enough import check_enough, people_of

FOLD_COLUMNS = ("subject", "group", "kind", "fold")


def make_folds(visits: pd.DataFrame, n: int, seed: int, groups: Sequence[str]) -> pd.DataFrame:
    """Deal subjects to folds, stratified by group and by kind (paired or MRI-only).

    Subjects of a stratum are shuffled by a hash of seed and label, which depends neither on the
    order of the table nor on a library's random stream, and dealt out in turn; each stratum goes
    on where the one before stopped. So the folds differ by at most one subject in every stratum
    and as a whole.

    Parameters
    ----------
    visits
        Columns subject, group, kind; one row a visit. A subject counts as paired if any visit is,
        and belongs to the group of most visits (of equally many, the more impaired).
    n
        Number of folds.
    seed
        Of the shuffle.
    groups
        That there can be, from healthy to ill.

    Returns
    -------
    DataFrame
        Columns `FOLD_COLUMNS`, one row a subject, ordered by subject; fold 0 to n - 1.

    Raises
    ------
    InputError
        Fewer than two folds, or a group has fewer paired subjects than folds.
    """
    people = people_of(visits.to_dict("records"), groups)
    check_enough(people, n, groups)
    rows = [(subject, *own) for subject, own in people.items()]
    subjects = pd.DataFrame(rows, columns=["subject", "group", "kind"])
    dealt, turn = {}, 0
    for _, stratum in subjects.groupby(["kind", "group"], sort=True):
        for subject in _shuffled(stratum["subject"].tolist(), seed):
            dealt[subject] = turn % n
            turn += 1
    subjects["fold"] = subjects["subject"].map(dealt)
    return subjects[list(FOLD_COLUMNS)]


def fold_sizes(folds: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count subjects of each group and kind in each fold, for a reader of folds.json."""
    sizes: dict[str, dict[str, int]] = {}
    for (fold, group, kind), rows in folds.groupby(["fold", "group", "kind"], sort=True):
        sizes.setdefault(f"fold-{fold}", {})[f"{group} {kind}"] = len(rows)
    return sizes


def _shuffled(subjects: Sequence[str], seed: int) -> list[str]:
    return sorted(
        subjects, key=lambda subject: hashlib.sha256(f"{seed}:{subject}".encode()).hexdigest()
    )
