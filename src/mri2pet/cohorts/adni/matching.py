"""Which MRI stands for a visit, and which PET goes with which MRI, for the scans of one subject."""

from collections import defaultdict
from collections.abc import Sequence

from mri2pet.cohorts.adni.scans import Scan


def choose_mri(mris: Sequence[Scan], pets: Sequence[Scan]) -> tuple[list[Scan], dict[Scan, str]]:
    """Choose one MRI for each visit.

    The one nearest in time to any PET of the subject; of several as near, the one of better
    standing (an original before a processed one, a first scan before a repeat); then the last
    image ID.

    Returns
    -------
    tuple
        The chosen MRIs by date, and the reason for each of the others.
    """
    by_visit = defaultdict(list)
    for mri in mris:
        by_visit[mri.visit].append(mri)
    chosen, others = [], {}
    for same in by_visit.values():
        best = min(
            same,
            key=lambda mri: (
                min((days_between(mri, pet) for pet in pets), default=0),
                -mri.standing,
                -mri.image_id,
            ),
        )
        chosen.append(best)
        for mri in same:
            if mri is not best:
                others[mri] = f"another MRI of the visit, I{best.image_id}, is used"
    return sorted(chosen, key=lambda mri: (mri.acquired, mri.visit)), others


def match_pet(
    mris: Sequence[Scan], pets: Sequence[Scan], max_days: int
) -> tuple[dict[Scan, Scan], dict[Scan, str]]:
    """Pair each MRI with at most one PET, the nearest in time first.

    Of PETs as near, the further processed one is taken, then the last image ID. Once a PET is
    taken, the other PETs of its visit or of its day (the same acquisition at other processing
    steps, or a repeat) are no longer free: they must not turn up as the PET of another MRI.

    Returns
    -------
    tuple
        PET by MRI, and the reason for each PET without an MRI.
    """
    near = [
        (days_between(mri, pet), -pet.standing, -pet.image_id, mri.acquired, mri.visit, mri, pet)
        for mri in mris
        for pet in pets
        if days_between(mri, pet) <= max_days
    ]
    pairs: dict[Scan, Scan] = {}
    taken: dict[Scan, str] = {}
    for *_, mri, pet in sorted(near, key=lambda entry: entry[:5]):
        if mri in pairs or pet in taken:
            continue
        pairs[mri] = pet
        for other in pets:
            if other is pet:
                taken[other] = ""
            elif other not in taken and (
                other.visit == pet.visit or other.acquired == pet.acquired
            ):
                taken[other] = f"another PET of the visit, I{pet.image_id}, is used"
    reasons = {pet: reason for pet, reason in taken.items() if reason}
    for pet in pets:
        if pet not in taken:
            reasons[pet] = _unmatched(mris, pet, max_days)
    return pairs, reasons


def days_between(first: Scan, second: Scan) -> int:
    """Days between two acquisitions, without sign."""
    return abs((first.acquired - second.acquired).days)


def _unmatched(mris: Sequence[Scan], pet: Scan, max_days: int) -> str:
    """Say why a PET has no MRI."""
    if not mris:
        return "the subject has no usable MRI"
    nearest = min(mris, key=lambda mri: (days_between(mri, pet), mri.image_id))
    days = days_between(nearest, pet)
    if days > max_days:
        return (
            f"no MRI within {max_days} days: the nearest, I{nearest.image_id}, is {days} days away"
        )
    return f"the MRIs within {max_days} days (I{nearest.image_id} is the nearest) have nearer PETs"
