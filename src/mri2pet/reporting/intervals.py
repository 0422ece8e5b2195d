"""The report's listings of intervals: what they hold, how wide they are, their scores."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from mri2pet.evaluation.coverage_tables import REFERENCES
from mri2pet.files import read_tsv
from mri2pet.reporting.html import Listing, Section
from mri2pet.reporting.spans import spanned

HELD = (
    "Share of the brain's voxels whose real PET lies in the interval that should hold the share "
    "above, mean over held-out people with its 95% interval over people. Sigma was widened by "
    "people held out inside the training folds, never by those tested. Voxelwise: mean and sd of "
    "each voxel over the people of the training folds, without the MRI."
)
SCORES = (
    "Width where so much is held: mean width of the intervals, all multiplied by the one factor "
    "with which they hold so much of these people, in thousandths of the intensity range; widths "
    "compare at equal coverage alone. CRPS: continuous ranked probability score, in the same "
    "unit. Error over sd: 1 where errors are as large as said. Bits: -log2 of the likelihood of "
    "the whole volume of 256 grey levels, a voxel. Of width, CRPS and bits less is better."
)
COLUMNS = {  # metric to heading, factor, digits
    "width where 80 is held": ("Width where 80% is held", 1000.0, 1),
    "width where 95 is held": ("Width where 95% is held", 1000.0, 1),
    "CRPS": ("CRPS", 1000.0, 2),
    "error over sd": ("Error over sd", 1.0, 2),
    "correlation of error and sd": ("Correlation of error and sd", 1.0, 2),
    "bits per voxel": ("Bits per voxel", 1.0, 3),
    "bits per voxel, as drawn": ("Bits, as drawn", 1.0, 3),
    "bits per voxel, sigma as learnt": ("Bits, sigma as learnt", 1.0, 3),
}


def listings(paths: Iterable[str | Path], labels: Mapping[str, str]) -> list[Listing]:
    """Show `tables/coverage.tsv` of a system where it is among its files.

    Parameters
    ----------
    paths
        Files that a system shows.
    labels
        Model to label.
    """
    found = [p for path in paths if (p := Path(path)).parts[-2:] == ("tables", "coverage.tsv")]
    if not found:
        return []
    table, names = read_tsv(found[0]), {**REFERENCES, **labels}
    held = [metric for metric in table["metric"].unique() if metric.startswith("coverage at")]
    held = sorted(held, key=lambda metric: "average" in metric)
    heads = {metric: (_head(metric), 1.0, 1) for metric in held}
    return [
        Listing("Intervals: share that they hold, percent", HELD, _listing(table, heads, names)),
        Listing("Intervals: width and scores", SCORES, _listing(table, COLUMNS, names)),
    ]


def sections(
    paths: Iterable[str | Path], labels: Mapping[str, str], anchor: str, title: str
) -> list[Section]:
    """Make a section of them; none where there is no table."""
    made = listings(paths, labels)
    return [Section(anchor, title, [], listings=made)] if made else []


def _head(metric: str) -> str:
    """Head a column: 95%, or 95%, on average."""
    share, *further = metric.removeprefix("coverage at ").split(",")
    return ",".join([f"{share}%", *further])


def _listing(
    table: pd.DataFrame, heads: Mapping[str, tuple[str, float, int]], names: Mapping[str, str]
) -> pd.DataFrame:
    """One row a method and one column a metric: mean and interval; empty where there is none."""
    listed = []
    for method, own in table.groupby("method", sort=False):
        cells = {"Method": names.get(str(method), str(method))}
        by_metric = own.set_index("metric")
        for metric, (head, scale, digits) in heads.items():
            cells[head] = ""
            if metric in by_metric.index:
                row = by_metric.loc[metric]
                numbers = [float(row[key]) for key in ("mean", "low", "high")]
                cells[head] = spanned(*numbers, digits, scale)
        listed.append(cells)
    return pd.DataFrame(listed)
