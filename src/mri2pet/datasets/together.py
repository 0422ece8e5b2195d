"""Folds that hold out all people of a site, or of a scanner, together."""

import hashlib
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from mri2pet.errors import InputError

log = logging.getLogger(__name__)

PERSON, SITE, SCANNER = "person", "site", "scanner"  # what `folds.by` can be
UNKNOWN = {
    SITE: (
        "nothing tells the site: add a column `site` to participants.tsv of the raw dataset "
        "(labels of ADNI subjects begin with it)"
    ),
    SCANNER: (
        "the MRI's sidecar in results/bids has no Manufacturer or no ManufacturersModelName: write "
        "both into the sidecars of the raw dataset"
    ),
}


def units_of(visits: Iterable[Mapping[str, Any]], by: str) -> dict[str, str]:
    """Return the site, or the scanner, of each subject of whom it is known.

    Parameters
    ----------
    visits
        Rows with subject, kind and a column named as `by`, which may be missing.
    by
        `site` or `scanner`.

    Returns
    -------
    Subject to the value of most visits with a PET, of most visits where there is none (of equally
    many the first by name).
    """
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    paired: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in visits:
        value = row.get(by)
        if isinstance(value, str) and value:
            seen[str(row["subject"])][value] += 1
            if row["kind"] == "paired":
                paired[str(row["subject"])][value] += 1
    several = sorted(subject for subject, own in seen.items() if len(own) > 1)
    if several:
        log.warning(
            "%d people were scanned at more than one %s (%s ...): each counts for that of most "
            "visits with a PET, so that folds are not quite apart",
            len(several), by, several[0],
        )  # fmt: skip
    counts = {subject: paired.get(subject) or own for subject, own in seen.items()}
    return {
        subject: min(own, key=lambda value: (-own[value], value)) for subject, own in counts.items()
    }


def deal_units(
    people: Mapping[str, tuple[str, str]], units: Mapping[str, str], n: int, seed: int, by: str
) -> dict[str, int]:
    """Deal subjects to folds so that those of one site, or of one scanner, are in the same.

    Sites with a PET come one after the other, those with the most people first (of equally many in
    the order of a hash of seed and name), each to the fold where it makes the folds most even in
    every group. Scanners have a fold each, in the order of their names. What has nobody with a PET,
    and people with an MRI alone of whom nothing is known, are dealt in turn by their hash: they
    move nobody with a PET.

    Parameters
    ----------
    people
        As `enough.people_of` returns them.
    units
        As `units_of` returns them; `check_units` accepts them.
    n
        Number of folds.
    seed
        Of the hash.
    by
        `site` or `scanner`.

    Returns
    -------
    Subject to fold, 0 to n - 1.
    """
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for subject, (group, kind) in people.items():
        if kind == "paired":
            counts[units[subject]][group] += 1
    if by == SCANNER:
        folds = {unit: fold for fold, unit in enumerate(sorted(counts))}
    else:
        folds = _evenly(counts, n, seed)
    return {
        subject: folds[unit]
        if (unit := units.get(subject)) in folds
        else _hash(unit or subject, seed) % n
        for subject in people
    }


def _evenly(counts: Mapping[str, Counter[str]], n: int, seed: int) -> dict[str, int]:
    """Return the fold of each unit, given how many paired people of each group it has."""
    total = sum(counts.values(), Counter())
    order = sorted(counts, key=lambda unit: (-counts[unit].total(), _hash(unit, seed), unit))
    held: list[Counter[str]] = [Counter() for _ in range(n)]
    folds = {}
    for unit in order:
        own = counts[unit]
        # how much less even the groups' shares become: the rise of their sums of squares
        rise = [
            sum((2 * fold[g] * own[g] + own[g] ** 2) / total[g] ** 2 for g in sorted(own))
            for fold in held
        ]
        best = min(range(n), key=lambda fold: (round(rise[fold], 12), held[fold].total(), fold))
        folds[unit] = best
        held[best] += own
    return folds


def check_units(
    people: Mapping[str, tuple[str, str]], units: Mapping[str, str], n: int, by: str
) -> None:
    """Check that there are as many sites, or scanners, as the folds need.

    Parameters
    ----------
    people, units, n, by
        As for `deal_units`.

    Raises
    ------
    InputError
        Somebody with a PET has none that is known, there are fewer sites than folds, or not as many
        scanners as folds.
    """
    paired = [subject for subject, (_, kind) in people.items() if kind == "paired"]
    lost = [subject for subject in paired if subject not in units]
    if lost:
        raise InputError(
            f"folds.by: {by}, but of sub-{lost[0]} ({len(lost)} of {len(paired)} people with MRI "
            f"and PET) {UNKNOWN[by]}, or set folds.by: {PERSON}"
        )
    there = sorted({units[subject] for subject in paired})
    named = ", ".join(there[:8]) + (" ..." if len(there) > 8 else "") or "none"
    if by == SCANNER and len(there) != n:
        last = f"set folds.n: {len(there)}, or" if len(there) > 1 else "it takes two at least:"
        raise InputError(
            f"folds.n: {n}, but people with MRI and PET were scanned on {len(there)} scanners "
            f"({named}), and folds.by: {SCANNER} holds out one in each fold; {last} set folds.by: "
            f"{PERSON}"
        )
    if len(there) < n:
        raise InputError(
            f"folds.n: {n} folds by {by} need at least {n} {by}s with people who have MRI and PET; "
            f"there are {len(there)} ({named}). Lower folds.n, or set folds.by: {PERSON}"
        )


def missing_groups(people: Mapping[str, tuple[str, str]], folds: Mapping[str, int]) -> list[str]:
    """Say of each fold which groups nobody with a PET is tested of."""
    there: defaultdict[int, set[str]] = defaultdict(set)
    for subject, (group, kind) in people.items():
        if kind == "paired":
            there[folds[subject]].add(group)
    groups = sorted(set().union(*there.values()))
    lacking = {fold: [g for g in groups if g not in own] for fold, own in sorted(there.items())}
    return [f"fold {fold} tests nobody of {', '.join(own)}" for fold, own in lacking.items() if own]


def _hash(name: str, seed: int) -> int:
    return int(hashlib.sha256(f"{seed}:{name}".encode()).hexdigest(), 16)
