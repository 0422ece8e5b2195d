"""A trained model as others can use it: a folder with all that it needs, made, checked and applied.

Examples
--------
>>> from mri2pet.bundles import load_bundle
>>> bundle = load_bundle("results/gla_gan/bundles/unet")
>>> pet = bundle.pet("T1.nii.gz")  # a nibabel image on the grid of the T1
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mri2pet.bundles.bundle import Bundle, load_bundle
    from mri2pet.bundles.detector import Detector, load_detector

__all__ = ["Bundle", "Detector", "load_bundle", "load_detector"]


def __getattr__(name: str) -> Any:
    """Import what opens bundles when it is asked for: it takes torch along, a manifest does not."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from mri2pet.bundles import bundle, detector

    return getattr(detector if "etector" in name else bundle, name)
