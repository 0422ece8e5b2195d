"""What IXI calls its people, images and contrasts, and this project the parts of its split."""

from dataclasses import dataclass

from mri2pet.files import MISSING

SPLITS = ("train", "val", "test")
CONTRASTS = ("T1", "T2", "PD")


@dataclass(frozen=True, order=True)
class IxiImage:
    """One image, known by its name: IXI002-Guys-0828-T1.nii.gz.

    Attributes
    ----------
    subject, site, number, contrast
        `IXI002`, `Guys`, `0828` (of the session) and `T1`.
    file, member
        The NIfTI, or the archive and the name inside it; `n/a` without an archive.
    """

    subject: str
    contrast: str
    site: str
    number: str
    file: str
    member: str = MISSING


def ixi_label(number: int) -> str:
    """Return the name of a person in files and as a BIDS label: IXI002."""
    return f"IXI{number:03d}"
