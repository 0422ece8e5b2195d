"""Who is in which fold, and whether a study has enough people for its folds.

Both are known from its cohort, before a scan is read.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mri2pet.datasets.together import PERSON, check_units, deal_units
from mri2pet.errors import InputError

EVENLY = f"; or set folds.by: {PERSON}, which deals each group evenly"


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


def deal(people: Mapping[str, tuple[str, str]], n: int, seed: int) -> dict[str, int]:
    """Deal subjects to folds: those with MRI and PET first, then those with an MRI alone.

    A stratum is a kind and a group. Its places are dealt out to the folds in turn; each stratum
    goes on where the one before stopped, so that a group smaller than the number of folds has
    places in as many folds as it has subjects. Its subjects come in the order of a hash of seed
    and label, which depends neither on the order of the table nor on a library's random stream,
    and each takes the fold that the hash names, or the next one with a place left. So one subject
    more moves few others, and one with an MRI alone moves nobody with a PET.

    Parameters
    ----------
    people
        As `people_of` returns them.
    n
        Number of folds.
    seed
        Of the hash.

    Returns
    -------
    Subject to fold, 0 to n - 1. The folds differ by at most one subject in every stratum, in each
    kind and as a whole.
    """
    strata = defaultdict(list)
    for subject, (group, kind) in people.items():
        strata[kind != "paired", group].append((_hash(subject, seed), subject))
    folds, turn = {}, 0
    for _, subjects in sorted(strata.items()):
        places = [0] * n
        for _ in subjects:
            places[turn % n] += 1
            turn += 1
        for wish, subject in sorted(subjects):
            fold = next(each % n for each in range(wish % n, wish % n + n) if places[each % n])
            places[fold] -= 1
            folds[subject] = fold
    return folds


def deal_folds(
    people: Mapping[str, tuple[str, str]],
    n: int,
    seed: int,
    by: str = PERSON,
    units: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """Deal subjects to folds, one by one (`deal`) or by site or scanner (`together.deal_units`)."""
    if by == PERSON:
        return deal(people, n, seed)
    return deal_units(people, units or {}, n, seed, by)


def small_groups(people: Mapping[str, tuple[str, str]], n: int) -> dict[str, int]:
    """Return the groups with fewer paired subjects than folds, and how many they have."""
    paired = Counter(group for group, kind in people.values() if kind == "paired")
    return {group: paired[group] for group in sorted(paired) if paired[group] < n}


def check_enough(
    people: Mapping[str, tuple[str, str]],
    n: int,
    seed: int,
    learnt: Mapping[str, Sequence[str]] | None = None,
    key: str = "folds.n",
    spare: Mapping[str, int] | None = None,
    by: str = PERSON,
    units: Mapping[str, str] | None = None,
) -> None:
    """Check that there is a subject with MRI and PET for each fold, and somebody to learn from.

    Parameters
    ----------
    people
        As `people_of` returns them.
    n, seed
        As for `deal`.
    learnt
        Key of the configuration to the groups that it names, one of which at least must have a
        paired subject among the training folds of every fold: the classes of a diagnosis, say.
    key
        Of the configuration, where `n` stands.
    spare
        Key of the configuration to how many people of the training folds are not learnt from.
    by, units
        As for `deal_folds`.

    Raises
    ------
    InputError
        Fewer than two folds, fewer paired subjects (sites, scanners) than folds, or the training
        folds of one fold hold nobody of the groups that a key names, or nobody beside those who are
        not learnt from.
    """
    if n < 2:
        raise InputError(f"{key}: {n} is too few; cross-validation needs at least 2")
    paired = {subject: group for subject, (group, kind) in people.items() if kind == "paired"}
    if len(paired) < n:
        raise InputError(
            f"{key}: {n} folds need at least {n} subjects with MRI and PET, there are "
            f"{len(paired)}; lower {key}"
        )
    if by != PERSON:
        check_units(people, units or {}, n, by)
    folds = deal_folds(people, n, seed, by, units)
    for where, groups in (learnt or {}).items():
        own = [subject for subject in paired if paired[subject] in groups]
        if len({folds[subject] for subject in own}) < 2:
            there = (
                f"all {len(own)} are in one" if len(own) > 1 else f"there is {[*own, 'nobody'][0]}"
            )
            raise InputError(
                f"{where}: of {', '.join(groups)} there must be subjects with MRI and PET in two "
                f"folds, to learn from one while the other is tested; {there}. Name groups with "
                "more people, or see why people were left out: results/cohort"
                f"{'' if by == PERSON else EVENLY}"
            )
    fewest = len(paired) - max(Counter(folds[subject] for subject in paired).values())
    for where, count in (spare or {}).items():
        if count >= fewest:
            raise InputError(
                f"{where}: {count} of {fewest} people with MRI and PET in the training folds leave "
                f"nobody to learn from; lower it, or raise {key}"
            )


def _hash(subject: str, seed: int) -> int:
    return int(hashlib.sha256(f"{seed}:{subject}".encode()).hexdigest(), 16)
