"""Maps of regional bias and contrast over the template: where synthetic PET is wrong."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.evaluation.image_tables import REFERENCES
from mri2pet.evaluation.regional_bias import BIAS, CONTRAST, EVERY, REAL
from mri2pet.reporting.brain_frames import Frames
from mri2pet.reporting.brain_views import Brain, draw_brain, spared, window_around
from mri2pet.reporting.figures import GREY
from mri2pet.reporting.synthesis_figures import CLEAR, difference_scale, said_clear

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Regions:
    """Put a value a region into a volume.

    Parameters
    ----------
    atlas
        (X, Y, Z) labels; 0 is no region.
    names
        Label to region.
    affine
        4x4, voxel to world in mm.
    """

    def __init__(self, atlas: NDArray, names: Mapping[int, str], affine: NDArray) -> None:
        import nibabel as nib
        from nilearn.maskers import NiftiLabelsMasker

        self.names = [names[label] for label in np.unique(atlas[atlas > 0]).tolist()]
        self.masker = NiftiLabelsMasker(nib.Nifti1Image(atlas.astype(np.int16), affine)).fit()

    @spared
    def volume(self, values: "pd.Series[float]") -> NDArray:
        """Return (X, Y, Z) of the values by region; zero where there is none."""
        wanted = values.reindex(self.names).fillna(0.0).to_numpy(np.float64)
        return np.asarray(self.masker.inverse_transform(wanted).dataobj)


def by_region(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return one metric of all people, a row a region, a column a method."""
    chosen = table[
        (table["metric"] == metric) & (table["by"] == "all") & (table["region"] != EVERY)
    ]
    return chosen.pivot(index="region", columns="method", values="mean")


def maps_figure(
    table: pd.DataFrame,
    regions: Regions,
    template: NDArray,
    mask: NDArray,
    affine: NDArray,
    labels: Mapping[str, str],
    groups: Sequence[Sequence[str]],
    note: str = "",
) -> "Figure":
    """Draw contrast and bias of each region over the template, a row a method.

    Parameters
    ----------
    table
        As `evaluation.regional_bias.bias_table` makes it.
    regions
        The atlas, on the grid of the others.
    template, mask, affine
        (X, Y, Z) the template's brain; (X, Y, Z) boolean; 4x4, voxel to world in mm.
    labels
        Method to label.
    groups
        The positive and the negative groups.
    note
        Small print below.
    """
    bias, contrast = by_region(table, BIAS), by_region(table, CONTRAST)
    methods = [REAL, *table.loc[table["metric"] == BIAS, "method"].unique()]
    scales = [difference_scale(each.to_numpy()[each.notna()]) for each in (contrast, bias)]
    sides = " less ".join(", ".join(side) for side in groups)
    window = window_around(mask, affine)
    title = "Regions over the MNI152 template"
    frames = Frames(len(methods), 2, window.ratio(), 4.4, title, note)
    names, named = {**REFERENCES, **labels}, set()
    for row, method in enumerate(methods):
        for column, (values, scale) in enumerate(zip((contrast, bias), scales, strict=True)):
            if method in values:
                volume = regions.volume(values[method])
                brain = Brain(volume, scale, template, CLEAR * scale["vmax"])
                first = column not in named
                draw_brain(frames.axes[row][column], brain, window, named=first)
                if first:
                    heads = (f"contrast: {sides}", "bias: synthetic less real PET")
                    frames.head(column, heads[column], row)
                named.add(column)
            elif method != REAL:
                left, bottom = frames.corners[row][column]
                told = "told the diagnosis, or nobody of one of the groups was held out"
                middle = left + frames.wide / 2, bottom + frames.tall / 2
                frames.write(*middle, told, fontsize=8.5, color=GREY)
        frames.label(row, "Real PET" if method == REAL else names.get(str(method), str(method)))
    frames.scale(0, 0, scales[0], said_clear(scales[0], "difference of the groups"))
    frames.scale(1, 1, scales[1], said_clear(scales[1], "bias"))
    return frames.figure
