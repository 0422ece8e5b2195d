"""Controls of another study, chosen by age: as old as the people that they stand beside."""

import math
from collections.abc import Mapping, Sequence
from typing import TypeVar

from mri2pet.errors import InputError

Key = TypeVar("Key")
CONTROLS = "gan_anomaly.ixi_controls"


def match_ages(
    ages: Mapping[Key, float], wanted: Sequence[float], count: int, where: str = CONTROLS
) -> list[Key]:
    """Choose people whose ages are as a group has them.

    As many ages as are asked for are taken from the group, evenly along the order of its ages, the
    same ones several times if need be. Each is given a person so that the sum of the differences
    is smallest (linear assignment).

    Parameters
    ----------
    ages
        Person to age in years; missing ages are NaN, and such people are chosen last, in the order
        given.
    wanted
        Ages of the group in years; missing ones do not count. Of none, the first people are taken.
    count
        How many people are asked for.
    where
        Key of the configuration, for messages.

    Returns
    -------
    list
        Chosen people in the order given.

    Raises
    ------
    InputError
        There are fewer people than asked for.
    """
    people = list(ages)
    if count > len(people):
        raise InputError(
            f"{where}: {count} people are asked for, {len(people)} have a T1; ask for fewer, or "
            "see results/cohort for why others are left out"
        )
    targets = sorted(age for age in wanted if not math.isnan(age))
    known = [person for person in people if not math.isnan(ages[person])]
    if not targets or not known:
        return people[:count]
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    asked = min(count, len(known))
    spread = [targets[(2 * place + 1) * len(targets) // (2 * asked)] for place in range(asked)]
    cost = np.abs(np.subtract.outer(spread, [ages[person] for person in known]))
    chosen = {known[place] for place in linear_sum_assignment(cost)[1]}
    chosen |= set([person for person in people if person not in known][: count - asked])
    return [person for person in people if person in chosen]
