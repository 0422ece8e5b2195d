"""Cross-validation folds by subject, made once and used by every model and classifier."""

import logging
from collections.abc import Mapping, Sequence

import pandas as pd

from mri2pet.datasets.enough import check_enough, deal_folds, people_of, small_groups
from mri2pet.datasets.together import PERSON, missing_groups

log = logging.getLogger(__name__)

FOLD_COLUMNS = ("subject", "group", "kind", "fold")


def make_folds(
    visits: pd.DataFrame,
    n: int,
    seed: int,
    groups: Sequence[str],
    by: str = PERSON,
    units: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Deal subjects to folds, as `enough.deal_folds` does.

    A group smaller than `n`, or that a fold has nobody of, is warned of.

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
    by
        Who is held out together: `person`, `site` or `scanner`.
    units
        For the latter two, of each subject, as `together.units_of` returns them.

    Returns
    -------
    DataFrame
        Columns `FOLD_COLUMNS`, one row a subject, ordered by subject; fold 0 to n - 1. Not by
        person, also the column `by`.

    Raises
    ------
    InputError
        Fewer than two folds, or fewer paired subjects, sites or scanners than folds.
    """
    people = people_of(visits.to_dict("records"), groups)
    check_enough(people, n, seed, by=by, units=units)
    dealt = deal_folds(people, n, seed, by, units)
    for group, count in small_groups(people, n).items():
        log.warning(
            "group %s has %d subjects with MRI and PET for %d folds: some folds test nobody of it",
            group, count, n,
        )  # fmt: skip
    rows = [(subject, *own, dealt[subject]) for subject, own in people.items()]
    folds = pd.DataFrame(rows, columns=list(FOLD_COLUMNS))
    if by == PERSON:
        return folds
    for words in missing_groups(people, dealt):
        log.warning("folds by %s: %s", by, words)
    return folds.assign(**{by: folds["subject"].map(dict(units or {}))})


def fold_sizes(folds: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Count subjects of each group and kind in each fold, for a reader of folds.json."""
    sizes: dict[str, dict[str, int]] = {}
    for (fold, group, kind), rows in folds.groupby(["fold", "group", "kind"], sort=True):
        sizes.setdefault(f"fold-{fold}", {})[f"{group} {kind}"] = len(rows)
    return sizes
