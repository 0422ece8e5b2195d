"""How close a synthetic volume is to the real one: one table of metrics, and the measuring.

A new metric is one entry of `METRICS`: it is then measured, and stands in every table of image
quality, with its arrow and its best value marked. Every model of a table is measured with the same
mask, data range and SSIM window. They are fixed here, and nowhere else.

Each is measured twice, inside the mask and over the whole volume (`MAE (whole volume)`): papers
rarely say which they print, and the air around the brain, which every model has right, flatters the
latter.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.datasets.gaps import measured as measured_part
from mri2pet.errors import InputError
from mri2pet.evaluation.scales import DATA_RANGE, SCALES

SSIM_SIGMA = 1.5  # voxels; Wang et al. 2004, truncated at 3.5 sigma: a window of 11 voxels a side
INTENSITY = "intensity"  # a metric in this unit is in that of the volumes
LPIPS_UNIT = "distance"
WHOLE = " (whole volume)"  # after a metric's name: over all voxels of the volume, air too


def ssim(real: NDArray, synthetic: NDArray, mask: NDArray, data_range: float = DATA_RANGE) -> float:
    """Mean structural similarity inside `mask`, in percent (GLA-GAN, Eq. 4).

    The similarity map is computed on the whole volumes, so that the windows at the mask's edge
    are full, and averaged over the mask.

    Parameters
    ----------
    real, synthetic
        Volumes of one shape.
    mask
        Boolean volume of that shape.
    data_range
        From the lowest to the highest intensity that there can be.
    """
    from skimage.metrics import structural_similarity

    _, similarity = structural_similarity(
        np.asarray(real, dtype=np.float64),
        np.asarray(synthetic, dtype=np.float64),
        data_range=data_range,
        gaussian_weights=True,
        sigma=SSIM_SIGMA,
        use_sample_covariance=False,
        full=True,
    )
    return float(100 * similarity[mask].mean())


def psnr(real: NDArray, synthetic: NDArray, mask: NDArray, data_range: float = DATA_RANGE) -> float:
    """Peak signal-to-noise ratio inside `mask`, in dB (GLA-GAN, Eq. 10); infinite if equal."""
    mse = np.mean(np.square(_difference(real, synthetic, mask)))
    return float("inf") if mse == 0 else float(10 * np.log10(data_range**2 / mse))


def mae(real: NDArray, synthetic: NDArray, mask: NDArray, data_range: float = DATA_RANGE) -> float:
    """Mean absolute error inside `mask`, in intensity (GLA-GAN, Eq. 9)."""
    del data_range
    return float(np.mean(np.abs(_difference(real, synthetic, mask))))


def correlation(
    real: NDArray, synthetic: NDArray, mask: NDArray, data_range: float = DATA_RANGE
) -> float:
    """Pearson correlation of the voxels inside `mask` (DUAL-GLOW, Table 1); NaN if one is flat."""
    del data_range
    pair = np.stack([np.asarray(volume[mask], dtype=np.float64) for volume in (real, synthetic)])
    pair -= pair.mean(axis=1, keepdims=True)
    norms = np.sqrt(np.square(pair).sum(axis=1))
    return float(pair[0] @ pair[1] / norms.prod()) if norms.all() else float("nan")


@dataclass(frozen=True)
class Metric:
    """One metric of image quality.

    Attributes
    ----------
    name
        In tables.
    function
        From the real volume, the synthetic one, the mask and the data range to a number; None for
        one that a stage of its own measures.
    unit
        `INTENSITY` for that of the volumes.
    higher_is_better
        Which way is better.
    digits
        After the point, in the report.
    whole
        Whether it is measured over the whole volume too.
    """

    name: str
    function: Callable[[NDArray, NDArray, NDArray, float], float] | None
    unit: str
    higher_is_better: bool
    digits: int = 3
    whole: bool = True


METRICS = {
    metric.name: metric
    for metric in (
        Metric("SSIM", ssim, "percent", True),  # as GLA-GAN prints it
        Metric("PSNR", psnr, "dB", True),
        Metric("MAE", mae, INTENSITY, False, digits=5),
        Metric("CorCoef", correlation, "fraction", True),
        Metric("LPIPS", None, LPIPS_UNIT, False, whole=False),  # by evaluation/lpips.py
    )
}
# By evaluation/differences.py, of systems that have a Mean PET.
LIKENESS = Metric("correlation of differences from Mean PET", None, "1", True, whole=False)
PRINTED = {  # by a system's paper, in the order of its table
    "gla_gan": ("SSIM", "PSNR", "MAE"),
    "dual_glow": ("CorCoef", "PSNR", "SSIM", "MAE"),
    "gan_anomaly": ("SSIM", "PSNR", "LPIPS"),
    "ixi": ("MAE", "PSNR"),
}


def shown(system: str) -> list[str]:
    """Name the metrics of a system's tables: what its paper prints, then those of no paper."""
    known = {name for names in PRINTED.values() for name in names}
    return [*PRINTED[system], *(name for name in METRICS if name not in known)]


def listed(system: str) -> list[str]:
    """Name what the tables of a system list: `shown` inside the mask, then over whole volumes."""
    names = shown(system)
    return [*names, *(name + WHOLE for name in names if METRICS[name].whole)]


def metric_of(name: str) -> Metric | None:
    """Return the entry of a metric by its name in tables; None for what is none of these."""
    return LIKENESS if name == LIKENESS.name else METRICS.get(name.removesuffix(WHOLE))


def in_all_scopes(published: pd.DataFrame) -> pd.DataFrame:
    """Put what a paper prints of a metric beside that of the mask and that of the whole volume."""
    twice = published[published["metric"].isin([n for n in METRICS if METRICS[n].whole])]
    return pd.concat([published, twice.assign(metric=twice["metric"] + WHOLE)], ignore_index=True)


def measured(scale: str) -> list[str]:
    """Name the metrics that are measured on volumes of a scale.

    Of standardised volumes that is what IXI's tables show: SSIM's constants are for 0..1.
    """
    names = shown("ixi") if scale == "standardised" else METRICS
    return [name for name in names if METRICS[name].function is not None]


def unit_of(name: str, scale: str = "uptake") -> str:
    """Return the unit in which a metric of volumes of a scale is measured."""
    unit = LIKENESS.unit if name == LIKENESS.name else METRICS[name.removesuffix(WHOLE)].unit
    return SCALES[scale].unit if unit == INTENSITY else unit


def higher_is_better(name: str) -> bool:
    """Tell which way is better; higher for what is no metric of image quality."""
    metric = metric_of(name)
    return metric is None or metric.higher_is_better


def words(names: Iterable[str]) -> str:
    """Write names as in a sentence: `SSIM, PSNR and MAE`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def measure_volume(
    real: NDArray, synthetic: NDArray, mask: NDArray, scale: str
) -> dict[str, float]:
    """Measure one volume (X, Y, Z) inside a mask by all metrics of its scale."""
    data_range = SCALES[scale].range_of(real)
    return {
        name: METRICS[name].function(real, synthetic, mask, data_range) for name in measured(scale)
    }


def measure_scopes(
    real: NDArray, synthetic: NDArray, mask: NDArray, everywhere: NDArray, scale: str
) -> dict[str, float]:
    """Measure one volume inside the mask and, where that is not all of it, `everywhere`."""
    found = measure_volume(real, synthetic, mask, scale)
    if SCALES[scale].whole:
        whole = measure_volume(real, synthetic, everywhere, scale)
        found |= {name + WHOLE: value for name, value in whole.items() if METRICS[name].whole}
    return found


DESCRIPTION = (
    f"{words(shown('gla_gan'))} are taken over the voxels of one brain mask, the template's, which "
    f"is the same for all visits and models; data range {DATA_RANGE:g}; SSIM in 3D with a Gaussian "
    f"window of sigma {SSIM_SIGMA:g} voxels (11 voxels a side), its map averaged inside the mask. "
    "Whole volume: the same over all voxels, with the air around the brain, where every model is "
    "right; papers rarely say which of the two they print, so that the published value stands "
    "beside both."
)


def measure_visits(
    visits: pd.DataFrame,
    real: NDArray,
    synthetic: NDArray,
    mask: NDArray,
    fold: int,
    scale: str = "uptake",
    seen: NDArray | None = None,
) -> pd.DataFrame:
    """Measure every held-out visit of one model and fold.

    Parameters
    ----------
    visits
        Row `i` belongs to `synthetic[i]`; `index` is the row in `real`. Measured are those whose
        `role` is `test`: a visit with a real PET that the generator has not seen; in a study that
        is split once, those whose `split` is not `train`.
    real
        (N, X, Y, Z) targets of the whole dataset; may be memory-mapped.
    synthetic
        (M, X, Y, Z) synthetic volumes; may be memory-mapped.
    mask
        (X, Y, Z) boolean.
    fold
        Written into the table.
    scale
        A key of `SCALES`.
    seen
        (N, X, Y, Z) boolean, where the real volumes are measured: nothing else counts. None:
        everywhere.

    Returns
    -------
    One row a visit and metric: subject visit group fold (split) metric unit value.

    Raises
    ------
    InputError
        If the table and the volumes do not belong together.
    """
    if len(visits) != len(synthetic) or synthetic.shape[1:] != mask.shape:
        raise InputError(
            f"visits.tsv has {len(visits)} rows for a mask of shape {mask.shape}, but the array of "
            f"volumes has shape {synthetic.shape}: synthesise this fold again"
        )
    everywhere = np.ones_like(mask)
    named = ["subject", "visit", "group", *(["split"] if "split" in visits else [])]
    held_out = visits["split"] != "train" if "split" in visits else visits["role"] == "test"
    rows = [
        {
            **{name: visit[name] for name in named},
            "fold": fold,
            "metric": name,
            "unit": unit_of(name, scale),
            "value": value,
        }
        for position, visit in enumerate(visits.to_dict("records"))
        if held_out.iloc[position]
        for name, value in measure_scopes(
            *comparable(real, synthetic[position], mask, seen, visit["index"]),
            measured_part(everywhere, seen, visit["index"]),
            scale,
        ).items()
    ]
    return pd.DataFrame(rows, columns=[*named, "fold", "metric", "unit", "value"])


def comparable(
    real: NDArray, synthetic: NDArray, mask: NDArray, seen: NDArray | None, row: int
) -> tuple[NDArray, NDArray, NDArray]:
    """Return one visit's real volume, the synthetic one and the mask, less what is not measured.

    There the synthetic volume is the real one, so that a window that reaches into it finds no
    difference.
    """
    if seen is None:
        return real[row], synthetic, mask
    return real[row], np.where(seen[row], synthetic, real[row]), measured_part(mask, seen, row)


def _difference(real: NDArray, synthetic: NDArray, mask: NDArray) -> NDArray:
    """Return synthetic minus real inside the mask, in double precision."""
    return np.asarray(synthetic[mask], dtype=np.float64) - np.asarray(real[mask], dtype=np.float64)
