"""The report's listings by sex, age, group and scanner, and by the scale of uptake."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from mri2pet.evaluation.classification import AUC
from mri2pet.evaluation.gap import ERROR, METRIC
from mri2pet.evaluation.image_tables import REFERENCES
from mri2pet.evaluation.scaling_table import ERROR as SCALED_ERROR
from mri2pet.evaluation.strata import FEWEST_OF_A_CLASS
from mri2pet.files import read_tsv
from mri2pet.reporting.html import Listing, Section
from mri2pet.reporting.spans import by_head

OVER = (
    "A person's visits averaged; mean over held-out people of the stratum, 95% interval over "
    "people, number of people. A scanner is maker and model of the MRI's, as its header says. "
)
CAPTIONS = {  # of a metric: title, caption, factor, digits
    ERROR: ("Mean absolute error", OVER + "In thousandths of the intensity range.", 1000.0, 1),
    METRIC: (
        "Gap closed",
        OVER + "In percent of the way from the mean PET to the best that the MRI can tell, over "
        "the people of the stratum.",
        1.0,
        0,
    ),
    AUC: (
        "Diagnosis: AUC",
        "Of pairs of a positive and a negative visit of one fold, both of the stratum, with the "
        f"95% interval over people. Only where both classes have at least {FEWEST_OF_A_CLASS} "
        "people.",
        1.0,
        2,
    ),
}
SCALED = {  # the same of the scales of uptake
    AUC: (
        "Diagnosis: AUC",
        "On Paired, as in Table II, with each image, real or synthetic, divided by its own mean of "
        "a region, or with grey matter corrected for partial volume (Mueller-Gaertner 1992). As it "
        "is: the dataset's scale. Pons: an ellipsoid in its middle. No model is trained anew.",
        1.0,
        2,
    ),
    SCALED_ERROR: (
        "Regional error, percent",
        "Mean over regions of grey matter of the distance to the real PET, in percent of it, both "
        "on the same scale; over held-out people, a person's visits averaged. The correction "
        "measures the regions in another way: its errors do not compare with the others.",
        1.0,
        1,
    ),
}


def sections(
    paths: Iterable[str | Path],
    labels: Mapping[str, str],
    anchor: str,
    title: str,
    name: str = "strata",
) -> list[Section]:
    """Show `tables/strata.tsv` of a system where it is among its files and has rows.

    Parameters
    ----------
    paths
        Files that a system shows.
    labels
        Model to label.
    anchor, title
        Of the section.
    name
        `strata`, or `scaling` for `tables/scaling.tsv`.
    """
    found = [p for path in paths if (p := Path(path)).parts[-2:] == ("tables", f"{name}.tsv")]
    table = read_tsv(found[0]) if found else pd.DataFrame({"metric": [], "dataset": []}, dtype=str)
    listings = []
    captions = SCALED if name == "scaling" else CAPTIONS
    for metric, (head, caption, scale, digits) in captions.items():
        own = table[table["metric"].astype(str).str.startswith(f"{metric}, ")]
        for dataset, part in own.groupby("dataset", sort=False):
            strata = part["metric"].str.removeprefix(f"{metric}, ")
            listed = by_head(part.assign(head=strata), {**REFERENCES, **labels}, digits, scale)
            further = str(dataset).removeprefix("Paired")
            listings.append(Listing(f"{head}{further}", caption, listed))
    return [Section(anchor, title, [], listings=listings)] if listings else []
