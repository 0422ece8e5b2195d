"""What the intensities of a dataset are, and from where to where they can be."""

from dataclasses import dataclass

from numpy.typing import NDArray

DATA_RANGE = 1.0  # PET intensities are 0..1: the MAX of the PSNR and the L of SSIM's constants


@dataclass(frozen=True)
class Scale:
    """Of the intensities of a dataset: their unit, and the data range; None: that of each volume.

    `whole` tells whether the mask is only a part of the volume.

    The IXI report does not say what the peak of its PSNR is: its printed mean squared errors (.040
    and .028 at about 30 dB) belong to one of about six standard deviations, which is the range of
    the real volume and not, say, 1 or 255.
    """

    unit: str
    data_range: float | None
    whole: bool = True

    def range_of(self, real: NDArray) -> float:
        """Return the data range with which a synthetic volume is compared with a real one."""
        whole = self.data_range is None
        return float(real.max()) - float(real.min()) if whole else self.data_range


SCALES = {  # by the word in dataset.json, `uptake` where it has none
    "uptake": Scale("intensity in 0..1", DATA_RANGE),
    "standardised": Scale("standardised intensity", None, whole=False),
}
