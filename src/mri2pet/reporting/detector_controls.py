"""Section of the report on the detectors' training sets, and on what they find at all."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from mri2pet.files import read_tsv
from mri2pet.reporting.html import Listing, Picture, Section, filled
from mri2pet.reporting.pictures import data_uri, is_there

SPREAD = (
    "What each training set adds to the real PET of its folds' controls. Standard deviation "
    "between the people added over that between real people: 0 is one image copied, 1 as different "
    "as people are. Percentile: the brightness of synthetic PET before it was scaled by itself as "
    "real PET is, which is then 1. Mean and sd over folds. A set of copies (of Mean PET) is a "
    "placebo: synthetic PET must do better than these to add more than a larger number of images. "
    "The best PET that the MRI can tell, of simulated people, and further real PET are its "
    "ceilings."
)


INJECTION = (
    "Lesions of known place and depth put into the PET of held-out controls, and found as "
    "patients' lesions are: the share of controls in whom a cluster meets them, over the share of "
    "the uptake that they take away, with 95% intervals by resampling controls. Dotted: at the "
    "same place with nothing put in, by chance. Numbers and the detection floor: "
    "tables/injection.tsv."
)


def sections(paths: Iterable[str | Path], detectors: dict[str, str]) -> list[Section]:
    """Make the section of what there is, from the files under results/gan_anomaly.

    Parameters
    ----------
    paths
        `tables/spread.tsv` and `figures/injection.png`; any may be missing.
    detectors
        Detector to label.
    """
    tables = [read_tsv(path) for path in paths if Path(path).name == "spread.tsv"]
    title = "What the training sets add"
    listings = [Listing(title, SPREAD, _shown(table, detectors)) for table in tables]
    figures = [
        Picture("Detection over the depth of injected lesions", INJECTION, data_uri(path))
        for path in map(Path, paths)
        if path.name == "injection.png" and is_there(path)
    ]
    heading = "GAN-made PET for anomaly detection: what there is to find, and to learn from"
    return filled([Section("anomaly-controls", heading, figures, listings=listings)])


def _shown(table: pd.DataFrame, labels: dict[str, str]) -> pd.DataFrame:
    """Turn the long table into a row a training set and a column a metric."""
    means, spreads = table["mean"].astype(float), table["sd"].astype(float)
    told = [_told(mean, sd) for mean, sd in zip(means, spreads, strict=True)]
    wide = table.assign(told=told).pivot(index=["method", "n"], columns="metric", values="told")
    order = {name: place for place, name in enumerate(table["method"].unique())}
    wide = (
        wide[list(table["metric"].unique())]
        .reset_index()
        .sort_values("method", key=lambda s: s.map(order))
    )
    names = wide["method"].map(labels).fillna(wide["method"])
    rest = wide.drop(columns=["method", "n"]).fillna("n/a")
    people = wide["n"].astype(int).astype(str)
    made = pd.concat([names.rename("Training set"), people.rename("People added"), rest], axis=1)
    return made.reset_index(drop=True).rename_axis(columns=None)


def _told(mean: float, sd: float) -> str:
    """Write mean and sd; one person who is added differs from nobody."""
    if pd.isna(mean):
        return "n/a"
    return f"{mean:.3f}" + (f" ± {sd:.3f}" if pd.notna(sd) else "")
