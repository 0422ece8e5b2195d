"""The report's table of the sizes of all generators."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from mri2pet.files import read_tsv
from mri2pet.reporting.html import Listing, Section

TITLE = "Sizes of the networks"
CAPTION = (
    "Parameters of each generator: the numbers that its training set, without running statistics. "
    "Those of a Cycle-GAN are of the generator that makes the target; discriminators are not "
    "counted."
)


def sections(paths: Sequence[str | Path], labels: Mapping[str, Mapping[str, str]]) -> list[Section]:
    """Make the section, if its table is there.

    Parameters
    ----------
    paths
        `parameters.tsv`, or nothing.
    labels
        System to its models' labels.
    """
    made = []
    for path in paths:
        rows = read_tsv(path)
        shown = pd.DataFrame(
            {
                "System": rows["system"],
                "Model": [
                    labels.get(row.system, {}).get(row.model, row.model)
                    for row in rows.itertuples(index=False)
                ],
                "Network": rows["network"],
                "Parameters": rows["parameters"].map("{:,}".format),
            }
        )
        made.append(Section("parameters", TITLE, [], listings=[Listing(TITLE, CAPTION, shown)]))
    return made
