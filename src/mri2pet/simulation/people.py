"""Who is in the simulated cohort: identities, groups, visits, dates. Light: no images, no pandas.

Everything about a person follows from `(seed, number)`; whether there is a PET follows from the
number, and the group from the place among those with a PET or without. So a larger cohort has the
people of a smaller one. Who comes back after a year follows from how many are paired and asked.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from mri2pet.errors import InputError

GROUPS = ("CN", "SMC", "EMCI", "MCI", "LMCI", "AD")
SEVERITY = dict(zip(GROUPS, (0.05, 0.10, 0.25, 0.45, 0.60, 1.0), strict=True))
# sd of the logarithm of severity; MCI reaches from nearly healthy to nearly demented
SPREAD = dict(zip(GROUPS, (0.22, 0.22, 0.35, 0.35, 0.35, 0.22), strict=True))
PROGRESSION = dict(zip(GROUPS, (0.01, 0.02, 0.05, 0.08, 0.12, 0.15), strict=True))  # a year
SITES = (2, 3, 5, 6, 7, 9, 11, 13, 16, 18, 20, 22, 23, 27, 31, 33, 36, 41, 52, 68, 73, 94, 98, 126)
STREAMS = {"person": 0, "anatomy": 1, "uptake": 2, "bl": 3, "m12": 4, "place": 5, "healthy": 6}
MOST_PEOPLE = 9973  # a prime: record numbers are a permutation modulo it
ALONE = 4  # every so many numbers the last is a person without a PET
MOST = {"paired": MOST_PEOPLE // ALONE * (ALONE - 1), "mri_only": MOST_PEOPLE // ALONE}


@dataclass(frozen=True)
class Visit:
    """One visit; dates are ISO times, image and series numbers are LONI's; no PET: None."""

    code: str
    years: float
    mri_time: str
    mri_image: int
    mri_series: int
    pet_time: str | None = None
    pet_image: int | None = None
    pet_series: int | None = None


@dataclass(frozen=True)
class Person:
    """One simulated person; `age` is in years at baseline, `severity` 1 is average AD."""

    seed: int
    number: int
    ptid: str
    rid: int
    group: str
    sex: str
    age: float
    severity: float
    visits: tuple[Visit, ...]

    def rng(self, stream: str) -> np.random.Generator:
        """Return the generator of one stream of this person's randomness."""
        return np.random.default_rng([self.seed, self.number, STREAMS[stream]])

    def age_at(self, visit: Visit) -> float:
        """Age in years at a visit."""
        return self.age + visit.years

    def severity_at(self, visit: Visit) -> float:
        """Severity of the disease at a visit."""
        return self.severity + PROGRESSION[self.group] * visit.years

    def as_dict(self) -> dict[str, Any]:
        """Return plain values only, as a rule's parameter needs them."""
        return asdict(self) | {"visits": [asdict(visit) for visit in self.visits]}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Person":
        """Undo `as_dict`."""
        return cls(**{**values, "visits": tuple(Visit(**visit) for visit in values["visits"])})


def plan_people(simulation: Mapping[str, Any], seed: int) -> list[Person]:
    """Plan the whole cohort.

    Parameters
    ----------
    simulation
        The block `simulation` of the configuration: `paired` and `mri_only`, each a number or the
        number of each group, `second_visits`, `groups` (taken in turn, separately among the paired
        and the others, where a number alone is given).
    seed
        The run's seed.

    Returns
    -------
    list of Person
        `paired + mri_only` people in the order of their numbers, of which some are left out where
        the two are not as 3 to 1. More people of either kind, or of both, change none.

    Raises
    ------
    InputError
        If a group is unknown or the numbers do not fit together.
    """
    returning, groups = simulation["second_visits"], list(simulation["groups"])
    counts = {kind: _counts(simulation[kind], groups) for kind in MOST}
    paired, alone = (sum(counts[kind].values()) for kind in ("paired", "mri_only"))
    named = dict.fromkeys([*groups, *counts["paired"], *counts["mri_only"]])
    if unknown := [group for group in named if group not in GROUPS]:
        raise InputError(
            f"config simulation.groups: unknown {unknown}; choose among {list(GROUPS)}"
        )
    least = min(returning, *(count for own in counts.values() for count in own.values()), 0)
    if not groups or least < 0 or paired + alone < 1:
        raise InputError("config simulation: needs at least one group and one person")
    if returning > paired:
        raise InputError(
            f"config simulation.second_visits is {returning}, but only {paired} people are paired"
        )
    for kind, count in (("paired", paired), ("mri_only", alone)):
        if count > MOST[kind]:
            raise InputError(
                f"config simulation.{kind}: {count}, at most {MOST[kind]} can be simulated"
            )
    people = []
    own = counts["paired"]
    # every group's members are asked back evenly, the first groups once more if need be
    asked = _shares(returning, list(own))
    for count, (group, turn) in enumerate(_in_turn(own)):
        back = _evenly(turn, min(asked[group], own[group]), own[group])
        number = count + count // (ALONE - 1)
        people.append(make_person(seed, number, group, True, back))
    for count, (group, _) in enumerate(_in_turn(counts["mri_only"])):
        people.append(make_person(seed, ALONE * count + ALONE - 1, group, False, False))
    return sorted(people, key=lambda person: person.number)


def make_person(seed: int, number: int, group: str, pet: bool, second_visit: bool) -> Person:
    """Make the person of one number."""
    person = Person(seed, number, "", 0, group, "M", 0.0, 0.0, ())
    rng = person.rng("person")
    rid = (number * 6133 + 5) % MOST_PEOPLE
    site = SITES[rng.integers(len(SITES))]
    sex = "MF"[rng.integers(2)]
    age = round(float(np.clip(rng.normal(75, 6.5), 60, 90)), 1)
    spread = SPREAD[group]
    deviation = np.clip(rng.normal(0, spread), -0.45 / 0.22 * spread, 0.4 / 0.22 * spread)
    severity = float(SEVERITY[group] * np.exp(deviation))
    start = datetime(2006, 1, 9) + timedelta(days=int(rng.integers(0, 2900)))
    visits = []
    for place, code in enumerate(("bl", "m12")[: 1 + second_visit]):
        day = start + timedelta(days=365 * place + int(rng.integers(-9, 10)))
        mri = day + timedelta(seconds=int(rng.integers(8 * 3600, 17 * 3600)))
        gap = timedelta(days=int(rng.integers(1, 35)) * (1 if rng.random() < 0.7 else -1))
        shot = day + gap + timedelta(seconds=int(rng.integers(8 * 3600, 15 * 3600)))
        image = 30000 + 40 * number + 20 * place + int(rng.integers(0, 9))
        visits.append(
            Visit(
                code=code,
                years=round((day - start).days / 365.25, 3) if place else 0.0,
                mri_time=mri.isoformat(sep=" "),
                mri_image=image,
                mri_series=image // 3,
                pet_time=shot.isoformat(sep=" "),
                pet_image=image + 10,
                pet_series=image // 3 + 3,
            )
        )
    if not pet:
        visits = [replace(v, pet_time=None, pet_image=None, pet_series=None) for v in visits]
    return Person(
        seed=seed,
        number=number,
        ptid=f"{site:03d}_S_{rid:04d}",
        rid=rid,
        group=group,
        sex=sex,
        age=age,
        severity=round(severity, 4),
        visits=tuple(visits),
    )


def _counts(wanted: int | Mapping[str, int], groups: list[str]) -> dict[str, int]:
    """Return how many people each group has: as told, or a number shared out."""
    return dict(wanted) if isinstance(wanted, Mapping) else _shares(wanted, groups)


def _shares(count: int, groups: list[str]) -> dict[str, int]:
    """Share out a number evenly, one more to each of the first groups if need be."""
    return {
        group: count // len(groups) + (place < count % len(groups))
        for place, group in enumerate(groups)
    }


def _in_turn(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Take the groups in turn, each as long as it has people: group and turn of each person."""
    turns = range(max(counts.values(), default=0))
    return [(group, turn) for turn in turns for group, count in counts.items() if turn < count]


def _evenly(place: int, chosen: int, total: int) -> bool:
    """Tell whether `place` is among `chosen` places spread evenly over `total`."""
    return (place + 1) * chosen // total > place * chosen // total
