"""Whether a study has enough people for its folds: known from its cohort, before a scan is read."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mri2pet.errors import InputError


def people_of(
    visits: Iterable[Mapping[str, Any]], groups: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """Return group and kind of each subject, ordered by subject.

    Parameters
    ----------
    visits
        Rows with `subject`, `group` and `kind`.
    groups
        That there can be, from healthy to ill.

    Returns
    -------
    Subject to the group of most visits (of equally many, the more impaired), and `paired` if any
    visit is, else `mri_only`.

    Raises
    ------
    InputError
        A visit has a group that is not among them.
    """
    order = list(groups)
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    paired = set()
    for row in visits:
        if row["group"] not in order:
            raise InputError(f"unknown group {row['group']!r} in the table of visits")
        subject = str(row["subject"])
        counts[subject][row["group"]] += 1
        if row["kind"] == "paired":
            paired.add(subject)
    return {
        subject: (
            max(own, key=lambda group: (own[group], order.index(group))),
            "paired" if subject in paired else "mri_only",
        )
        for subject, own in sorted(counts.items())
    }


def check_enough(
    people: Mapping[str, tuple[str, str]], n: int, groups: Sequence[str], key: str = "folds.n"
) -> None:
    """Check that every group has a subject with MRI and PET for each fold.

    Parameters
    ----------
    people
        As `people_of` returns them.
    n
        Number of folds.
    groups
        That there can be, from healthy to ill.
    key
        Of the configuration, where `n` stands.

    Raises
    ------
    InputError
        Fewer than two folds, or a group has fewer paired subjects than folds.
    """
    if n < 2:
        raise InputError(f"{key}: {n} is too few; cross-validation needs at least 2")
    paired = Counter(group for group, kind in people.values() if kind == "paired")
    found = {group for group, _ in people.values()}
    for group in (group for group in groups if group in found):
        if paired[group] < n:
            drop = f", or drop {group} from the study's groups" if len(groups) > 1 else ""
            raise InputError(
                f"{key}: {n} folds need at least {n} subjects of group {group} with MRI and "
                f"PET, there are {paired[group]}; lower {key}{drop}"
            )
