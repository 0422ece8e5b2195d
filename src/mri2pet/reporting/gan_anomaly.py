"""What the report shows of the GANs of the anomaly paper: Table 1, Figure 2 and training."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from mri2pet.evaluation.image_metrics import DESCRIPTION
from mri2pet.files import read_tsv
from mri2pet.reporting import intervals
from mri2pet.reporting.captions import CURVES
from mri2pet.reporting.html import Listing, Picture, Section, filled
from mri2pet.reporting.pictures import data_uri, is_there, named_pictures
from mri2pet.reporting.views import SIGNIFICANT, table_view

TABLE_1 = (
    DESCRIPTION + " LPIPS: distance of the features of a pretrained network, mean over the "
    "transverse slices that hold brain. Each control is held out once; mean and sd (ddof 1) are "
    "over people, and so is the two-tailed Wilcoxon signed-rank test against the model with the "
    "best mean, corrected by Holm. The epoch and the width of the smoothing are chosen on people "
    "of the training folds who are not trained on; the paper chooses them on the people it "
    "reports. Mean PET predicts the mean image of the training folds for everybody."
)
TESTS = (
    "Two-tailed Wilcoxon signed-rank tests of every two models over the people whom both were "
    "tested on; median of the first's value minus the second's, in the unit of Table 1. Smallest "
    "p: what p would be, had all these differences one sign; 2^(1 - n) of n people who differ, and "
    "otherwise where scipy takes the normal distribution (ties among more than 13 people, or more "
    "than 50). The corrected p is Holm's over all pairs of a metric; * marks one below 0.05."
)
FIGURE_2 = (
    "MRI, synthetic PET of the two models that the detectors are trained with, and real PET of "
    "one held-out control, in three planes through the same point; one colour scale for all PET. "
    "The case is the one whose error, averaged over the two models, is the median."
)


def sections(paths: Iterable[str | Path], labels: Mapping[str, str]) -> list[Section]:
    """Make the sections of what there is, from files under results/gan_anomaly.

    Parameters
    ----------
    paths
        `tables/{table1,table1_tests}.tsv`, `figures/{example,curves_<model>}.png`; any may be
        missing, and others are left alone.
    labels
        Model to label.
    """
    found = {Path(path).name: Path(path) for path in paths}
    tables, listings, figures = [], [], []
    if "table1.tsv" in found:
        title = "Synthetic PET of controls, Table 1: image quality"
        table = read_tsv(found["table1.tsv"])
        tables.append(table_view("gan-table1", title, TABLE_1, table, labels))
    if "table1_tests.tsv" in found:
        shown = tests_listing(read_tsv(found["table1_tests.tsv"]), labels)
        listings.append(Listing("Wilcoxon tests between the models of Table 1", TESTS, shown))
    if "example.png" in found and is_there(found["example.png"]):
        uri = data_uri(found["example.png"])
        figures.append(Picture("Synthetic PET of a control (Figure 2)", FIGURE_2, uri))
    curves = [
        Picture(f"Training of {labels.get(model, model)}", CURVES, data_uri(path))
        for model, path in named_pictures(found.values(), "curves_")
    ]
    made = [
        Section("gan-pet", "GAN-made PET of controls", figures, tables, listings),
        Section("gan-training", "GAN-made PET: training", curves),
        *intervals.sections(found.values(), labels, "gan-intervals", "GAN-made PET: intervals"),
    ]
    return filled(made)


def tests_listing(tests: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Turn the table of tests into text."""
    rows = []
    for row in tests.itertuples(index=False):
        defined = np.isfinite(row.p_value)
        rows.append(
            {
                "Metric": row.metric,
                "Unit": row.unit,
                "First": labels.get(row.first, row.first),
                "Second": labels.get(row.second, row.second),
                "n": row.n,
                "Median difference": (
                    f"{row.median_difference:+.4f}" if np.isfinite(row.median_difference) else "n/a"
                ),
                "p": f"{row.p_value:.2g}" if defined else "n/a",
                "Smallest p": f"{row.smallest_p:.2g}" if defined else "n/a",
                "Corrected p": (
                    f"{row.p_holm:.2g}" + "*" * (row.p_holm < SIGNIFICANT) if defined else "n/a"
                ),
            }
        )
    return pd.DataFrame(rows)
