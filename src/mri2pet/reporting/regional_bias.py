"""The report's section on regional bias: what is too high or too low, and the contrast kept."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from mri2pet.evaluation.image_tables import REFERENCES
from mri2pet.evaluation.regional_bias import BIAS, CORRELATION, EVERY, SLOPE
from mri2pet.files import read_tsv
from mri2pet.reporting.html import Listing, Picture, Section
from mri2pet.reporting.pictures import data_uri, is_there
from mri2pet.reporting.spans import by_head

THOUSAND = 1000
FIGURE = (
    "A dot an AAL region: how much the positive group's uptake differs from the negative group's, "
    "in synthetic PET (up) and in real PET (across), over the same held-out people. Dots on the "
    "dashed line keep the contrast of the disease whole; the solid line is the least-squares line "
    "over regions. A slope below 1 is a disease that looks weaker than it is, which measures of "
    "whole images do not show. What no MRI can tell, and the noise of few people, lower the slope "
    "too."
)
MAPS = (
    "Each AAL region in the colour of its value, over the MNI152 template, in three planes. Left: "
    "mean uptake of the positive group less that of the negative group, in real PET and in each "
    "method's. Right: synthetic less real uptake, mean over the held-out people. Values are those "
    "of grey matter, drawn over the whole region; one colour scale a column. Neurological view: L "
    "and R are the patient's left and right; P and A back and front."
)
BIAS_TABLE = (
    "Synthetic less real uptake, in thousandths of the intensity range, mean over the AAL regions "
    "of grey matter (of whole regions where there are no tissue maps) and over held-out people, "
    "with the 95% interval over people. Above zero: the synthetic PET is too bright. Groups that a "
    "model was not trained on count too. The regions one by one, and sites, are in "
    "tables/regional_bias.tsv."
)
KEPT_TABLE = (
    "Slope (1: all of the contrast) and correlation, over regions, of the contrast between the "
    "groups of the diagnosis in synthetic PET on that in real PET, with 95% intervals over people. "
    "Models that are told the diagnosis are left out: their PET shows what they were told."
)


def sections(
    paths: Iterable[str | Path], labels: Mapping[str, str], anchor: str, title: str
) -> list[Section]:
    """Show `figures/regional_bias.png` and `tables/regional_bias.tsv` where both are there.

    And `figures/regional_maps.png` if that is there.

    Parameters
    ----------
    paths
        Files that a system shows.
    labels
        Model to label.
    anchor, title
        Of the section.
    """
    found = {Path(path).name: Path(path) for path in paths}
    if not {"regional_bias.tsv", "regional_bias.png"} <= set(found):
        return []
    if not is_there(found["regional_bias.png"]):
        return []
    table = read_tsv(found["regional_bias.tsv"], dtype={"level": str})
    names = {**REFERENCES, **labels}
    figures = [Picture("Contrast of regions", FIGURE, data_uri(found["regional_bias.png"]))]
    maps = found.get("regional_maps.png")
    if maps is not None and is_there(maps):
        figures.append(Picture("Where contrast and bias lie", MAPS, data_uri(maps)))
    listings = [
        Listing("Contrast of the diagnosis that is kept", KEPT_TABLE, _kept(table, names)),
        Listing("Uptake that is too high or too low", BIAS_TABLE, _bias(table, names)),
    ]
    return [Section(anchor, title, figures, listings=listings)]


def _kept(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    rows = table[table["metric"].isin([SLOPE, CORRELATION])]
    heads = {SLOPE: "Slope", CORRELATION: "Correlation"}
    return by_head(rows.assign(head=rows["metric"].map(heads)), names, 2, 1)


def _bias(table: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    rows = table[(table["metric"] == BIAS) & (table["region"] == EVERY) & (table["by"] != "site")]
    heads = rows["level"].where(rows["by"] != "all", "All")
    return by_head(rows.assign(head=heads), names, 1, THOUSAND)
