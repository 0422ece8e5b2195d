"""Section of the report on the anomaly detectors (parts A6 to A8)."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from mri2pet.anomaly.detection import CHANCE, ELSEWHERE, SCORE, SHUFFLED
from mri2pet.anomaly.detection_tables import (
    ABOVE,
    AREA,
    BEFORE,
    CONTROLS,
    DATASETS,
    FALSE,
    FIRST,
    PATIENTS,
    SENSITIVITY,
    SPECIFICITY,
    at_rate,
)
from mri2pet.files import read_tsv
from mri2pet.reporting.captions import CURVES
from mri2pet.reporting.detection_words import lead
from mri2pet.reporting.html import Listing, Picture, Section, filled
from mri2pet.reporting.pictures import data_uri, is_there
from mri2pet.reporting.views import SIGNIFICANT

TABLE = (
    "Share of the patients whose lesion is found by any cluster kept, by the first one, and the "
    "mean over the numbers of clusters (area). By default a cluster has found a lesion where a "
    "tenth of the voxels of either are of both, or its highest voxel lies in the lesion; clusters "
    "are ranked by the sum of the score above the threshold, that is by size and deviation. "
    "Moved over controls: the same lesions, shifted and mirrored over grey matter, on the clusters "
    "of held-out controls. Moved in patients: on the patient's own clusters, without those that "
    "touch the true lesion. In random order: the same clusters, which tells of the ranking alone. "
    "In brackets: 95% intervals by resampling patients and controls; where all are found or none, "
    "Clopper and Pearson's. n/a: too few people. The paper prints sensitivities alone."
)
ALARMS = (
    "Controls are scored by models that have not learnt from them, cut into clusters as patients "
    "are, and each judged by the other controls. Specificity: the share without a cluster. "
    "Area above chance: less that of lesions moved over controls; its p is the share of random "
    "places of all lesions that are found as well. The last columns: share of lesions found where "
    "the threshold on a cluster's confidence leaves so many false clusters a control. A patient's "
    "score is the mean over the folds and so a little smoother than a control's: at one threshold "
    "that takes from the sensitivity and does not add to it."
)
TESTS = (
    "McNemar's exact test over patients, every two detectors, lesions found by any cluster kept; "
    "the difference is the first's sensitivity minus the second's, with a 95% interval by "
    "resampling patients. Corrected: Holm, over all pairs; * marks one below 0.05."
)
DETECTION = (
    "Sensitivity over the number of clusters looked at in each patient, and chance: the lesions "
    "moved over grey matter of held-out controls, who have none. Dotted: the same clusters in "
    "random order. Shaded: 95% intervals."
)
FREE = (
    "Share of lesions found over the mean number of clusters of a held-out control that are as "
    "confident; every cluster of a control is false. Chance: the lesions moved over grey matter, "
    "met by these clusters."
)
CLUSTERS = (
    "Clusters over the patient's MRI, in coronal and transverse slices through the lesion, and all "
    "of the brain's seen from above through glass. Green clusters have found the lesion (outlined "
    "in blue), red ones have not; in the slices, the brighter, the higher the rank. Neurological "
    "view: L and R are the patient's left and right."
)
KINDS = {
    SCORE: "",
    CHANCE: ", lesions moved over controls",
    ELSEWHERE: ", lesions moved in patients",
    SHUFFLED: ", in random order",
}
SHOWN_RATES = (0.5, 1.0, 2.0)


def sections(paths: Iterable[str | Path], detectors: dict[str, str]) -> list[Section]:
    """Make the section of what there is, from the files under results/gan_anomaly.

    Parameters
    ----------
    paths
        `tables/{detection,detection_tests}.tsv`, `figures/{detection,free_response,clusters}.png`
        and `detector/<name>/fold-<k>/curve.png`; any may be missing.
    detectors
        Detector to label.
    """
    found = [Path(path) for path in paths]
    titles = {
        "clusters": ("Clusters over the MRI (Figure 3)", CLUSTERS),
        "detection": ("Detection curves (Figure 4)", DETECTION),
        "free_response": ("Free-response curves", FREE),
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
    listings, first = [], ""
    for path in found:
        if path.name == "detection.tsv":
            table = _read(path)
            named = {name: text for name, text in detectors.items() if name in set(table["method"])}
            first = lead(table, named)
            listings += [
                Listing("Lesions found, and by chance", TABLE, sensitivities(table, named)),
                Listing("False alarms", ALARMS, alarms(table, named)),
            ]
        elif path.name == "detection_tests.tsv":
            tests = read_tsv(path).query("metric == @SENSITIVITY")
            tests = tests_listing(tests, detectors)
            listings.append(Listing("Detectors compared", TESTS, tests))
    title = "GAN-made PET for anomaly detection: the detectors"
    return filled([Section("anomaly", title, figures, listings=listings, lead=first)])


def sensitivities(table: pd.DataFrame, detectors: dict[str, str]) -> pd.DataFrame:
    """Turn the rows of detectors, of chance and of the shuffle into text."""
    rows = []
    for name, label in detectors.items():
        for ranking, kind in KINDS.items():
            own = _cells(table, BEFORE[ranking] + name, DATASETS[ranking])
            printed = own.get(SENSITIVITY)
            rows.append(
                {
                    "Detector": label + kind,
                    "Patients": str(int(printed.n)) if printed else "",
                    "Any cluster": _value(printed),
                    "Paper": f"{printed.published_mean:g}"
                    if printed and np.isfinite(printed.published_mean)
                    else "",
                    "First cluster": _value(own.get(FIRST)),
                    "Area": _value(own.get(AREA)),
                }
            )
    return pd.DataFrame(rows)


def alarms(table: pd.DataFrame, detectors: dict[str, str]) -> pd.DataFrame:
    """Turn the rows on held-out controls, and those that depend on them, into text."""
    rows = []
    for name, label in detectors.items():
        own, healthy = (_cells(table, name, dataset) for dataset in (PATIENTS, CONTROLS))
        clean, above = healthy.get(SPECIFICITY), own.get(ABOVE)
        rows.append(
            {
                "Detector": label,
                "Controls": str(int(clean.n)) if clean else "",
                "Specificity": _value(clean),
                "False clusters a control": _value(healthy.get(FALSE)),
                "Area above chance": _value(above),
                "p": f"{above.p_value:.2g}" if above and np.isfinite(above.p_value) else "n/a",
                **{
                    f"Found at {rate:g} false": _value(own.get(at_rate(rate)))
                    for rate in SHOWN_RATES
                },
            }
        )
    return pd.DataFrame(rows)


def tests_listing(tests: pd.DataFrame, detectors: dict[str, str]) -> pd.DataFrame:
    """Turn the table of tests into text."""
    rows = []
    for row in tests.itertuples(index=False):
        star = "*" if row.p_holm < SIGNIFICANT else ""
        rows.append(
            {
                "First": detectors.get(row.first, row.first),
                "Second": detectors.get(row.second, row.second),
                "n": row.n,
                "Difference": _text(row.difference, row.low, row.high, "+"),
                "p": f"{row.p_value:.2g}" if np.isfinite(row.p_value) else "n/a",
                "Corrected p": f"{row.p_holm:.2g}{star}" if np.isfinite(row.p_holm) else "n/a",
            }
        )
    return pd.DataFrame(rows)


def _cells(table: pd.DataFrame, method: str, dataset: str) -> dict[str, tuple]:
    """Return the rows of a method and dataset by metric."""
    own = table[(table["method"] == method) & (table["dataset"] == dataset)]
    return {row.metric: row for row in own.itertuples(index=False)}


def _value(row: tuple | None) -> str:
    return _text(row.mean, row.low, row.high) if row else "n/a"


def _text(mean: float, low: float, high: float, sign: str = "") -> str:
    if not np.isfinite(mean):
        return "n/a"
    ends = f" ({low:{sign}.3f} to {high:{sign}.3f})" if np.isfinite([low, high]).all() else ""
    return f"{mean:{sign}.3f}{ends or ' (n/a)'}"


def _read(path: Path) -> pd.DataFrame:
    """Read a table whose columns may hold nothing."""
    table = read_tsv(path)
    numbers = ["mean", "sd", "p_value", "published_mean", "published_sd"]
    numbers += ["low", "high", "p_holm"]
    return table.assign(**{name: table[name].astype(float) for name in numbers})
