"""What the name of an image in a BIDS folder says."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mri2pet.errors import ScanError

NO_SESSION = "bl"  # the visit of an image without a session
T1_SUFFIXES = ("T1w", "UNIT1", "MP2RAGE", "FLASH")  # the better first
WORDS = "words"  # key of what a name has without a key, as in sub-01_NAC_pet.nii.gz
MASK_SUFFIXES = ("mask", "roi")
KINDS = {
    **dict.fromkeys(T1_SUFFIXES, "MRI"),
    **dict.fromkeys(MASK_SUFFIXES, "lesion mask"),
    "pet": "PET",
}
_FACELESS = ("defaced", "deface", "anon")  # no BIDS, but often found: sub-01_T1w_defaced.nii.gz
_PLACE = re.compile(
    r"(?P<top>derivatives/(?:[^/]+/)*)?sub-(?P<sub>[^/]+)/(?:ses-(?P<ses>[^/]+)/)?"
    r"(?P<type>anat|pet)/(?P<stem>[^/]+?)(?:\.nii|\.nii\.gz|\.v)"
)
_LABEL = re.compile(r"[A-Za-z0-9]+")


@dataclass(frozen=True)
class BidsImage:
    """One image by its name.

    Attributes
    ----------
    path
        Below the BIDS folder, with `/`.
    subject, session
        Labels; no session is None.
    suffix
        Of `KINDS`; that of a defaced image is what stands before `defaced`.
    entities
        Key to value, as `run` to `2`; `WORDS` to what stands in the name without a key.
    faceless
        Whether the name says that the face was removed.
    """

    path: str
    subject: str
    session: str | None
    suffix: str
    entities: Mapping[str, str] = field(hash=False, default_factory=dict)
    faceless: bool = False

    @property
    def kind(self) -> str:
        """MRI, PET or lesion mask."""
        return KINDS[self.suffix]

    @property
    def visit(self) -> str:
        """The session's label, or `bl`."""
        return self.session or NO_SESSION


def read_name(path: str) -> BidsImage | None:
    """Read the name of an image.

    Parameters
    ----------
    path
        Below the BIDS folder, with `/`.

    Returns
    -------
    BidsImage or None
        None for what is no concern of this workflow: other kinds of MRI, masks of other things.

    Raises
    ------
    ScanError
        It seems to be a T1-weighted MRI or a PET, but is not named as BIDS has it.
    """
    place = _PLACE.fullmatch(path)
    if place is None:
        return None
    *parts, suffix = place["stem"].split("_")
    faceless = suffix.lower() in _FACELESS and bool(parts)
    if faceless:
        suffix = parts.pop()
    loose = [part for part in parts if "-" not in part]
    if suffix in MASK_SUFFIXES:
        loose = [part for part in loose if part not in T1_SUFFIXES]  # older lesion masks have it
    entities = dict(part.split("-", 1) for part in parts if "-" in part)
    faceless |= any(word.lower() in _FACELESS for word in (entities.get("desc", ""), *loose))
    right = "pet" if suffix == "pet" else "anat"
    if suffix not in KINDS or place["type"] != right:
        if place["top"] is None and _seems_wanted(place["type"], place["stem"]):
            raise ScanError(f"{path}: its name does not end as BIDS has it (_T1w, _pet)")
        return None
    for key, label in (("sub", place["sub"]), ("ses", place["ses"])):
        if label is not None and not _LABEL.fullmatch(label):
            raise ScanError(f"{path}: {key}-{label} is no BIDS label: letters and digits alone")
        if entities.get(key) != label:
            raise ScanError(f"{path}: its name and its folder differ in {key}-<label>")
    if loose:
        entities[WORDS] = "_".join(loose)
    image = BidsImage(path, place["sub"], place["ses"], suffix, entities, faceless)
    return image if place["top"] is None or image.kind == "lesion mask" else None


def read_lesion_name(path: str) -> BidsImage:
    """Read whose lesion a mask is, by `sub-<label>` and `ses-<label>` anywhere in its path.

    Raises
    ------
    ScanError
        The path names nobody.
    """
    subject, session = (
        re.search(rf"(?:^|[/_]){key}-([A-Za-z0-9]+)", path) for key in ("sub", "ses")
    )
    if subject is None:
        raise ScanError(f"{path}: no sub-<label> in its path says whose lesion it is")
    return BidsImage(path, subject[1], session and session[1], MASK_SUFFIXES[0])


def _seems_wanted(folder: str, stem: str) -> bool:
    """Tell what a user would miss if nothing were said of it."""
    if folder == "pet":
        return not re.search(r"_(?:mask|roi|dseg|mimap)$", stem)
    return bool(re.search(r"(?<![A-Za-z])T1w|MP2?RAGE$|_T1$", stem)) and not re.search(
        r"_(?:mask|roi|dseg)$|mask$", stem
    )


def label_of(text: object, prefix: str) -> str:
    """Take a label's prefix off: `sub-01` and `01` are both 01."""
    return str(text).strip().removeprefix(f"{prefix}-")


def natural(text: str) -> list[str | int]:
    """Return a key that sorts run-2 before run-10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"([0-9]+)", text)]
