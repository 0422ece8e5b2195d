"""Section of the report on the anomaly detector (parts A6 to A8)."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from mri2pet.anomaly.detection_tables import RANDOM
from mri2pet.files import read_tsv
from mri2pet.reporting.captions import CURVES
from mri2pet.reporting.html import Picture, Section, filled
from mri2pet.reporting.pictures import data_uri, is_there
from mri2pet.reporting.views import table_view

TABLE = (
    "Share of the patients whose lesion shares a voxel with one of their clusters: with any kept "
    "(detection sensitivity), with the first, and the mean over the numbers of clusters (area). "
    "Each patient's score map has a threshold of its own; clusters are ranked by the sum of the "
    "score above it, that is by size and deviation. In random order: what the same clusters would "
    "give, exactly. Intervals: patients resampled. n: patients whose lesion is known. The paper "
    "prints sensitivities alone."
)
DETECTION = (
    "Sensitivity over the number of clusters looked at in each patient. Dashed: the same clusters "
    "in random order."
)
CLUSTERS = (
    "Clusters over the patient's MRI, in transverse and coronal slices through the lesion. Green "
    "clusters meet the lesion (outlined in blue), red ones do not; the brighter, the higher the "
    "rank. Neurological view: L and R are the patient's left and right."
)


def sections(paths: Iterable[str | Path], detectors: dict[str, str]) -> list[Section]:
    """Make the section of what there is, from the files under results/gan_anomaly.

    Parameters
    ----------
    paths
        `tables/detection.tsv`, `figures/{detection,clusters}.png` and
        `detector/<name>/fold-<k>/curve.png`; any may be missing.
    detectors
        Detector to label.
    """
    found = [Path(path) for path in paths]
    titles = {
        "clusters": ("Clusters over the MRI (Figure 3)", CLUSTERS),
        "detection": ("Detection curves (Figure 4)", DETECTION),
    }
    figures = [
        Picture(*titles[path.stem], data_uri(path))
        for path in found
        if path.suffix == ".png" and path.stem in titles and is_there(path)
    ]
    figures += [
        Picture(f"Training of the encoder: {detectors[path.parts[-3]]}", CURVES, data_uri(path))
        for path in found
        if path.name == "curve.png" and path.parts[-3] in detectors and is_there(path)
    ]
    random = {f"{RANDOM}{name}": f"{label}, random order" for name, label in detectors.items()}
    tables = [
        table_view("anomaly-detection", "Anomaly detection", TABLE, _read(path), detectors | random)
        for path in found
        if path.name == "detection.tsv"
    ]
    title = "GAN-made PET for anomaly detection: the detector"
    return filled([Section("anomaly", title, figures, tables)])


def _read(path: Path) -> pd.DataFrame:
    """Read a table whose columns may hold nothing."""
    table = read_tsv(path)
    numbers = ["mean", "sd", "p_value", "published_mean", "published_sd"]
    numbers += ["low", "high", "p_holm"]
    return table.assign(**{name: table[name].astype(float) for name in numbers})
