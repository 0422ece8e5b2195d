"""Sections of the report on IXI: T2 and PD from each other, tissues, training."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from mri2pet.evaluation.image_metrics import shown, words
from mri2pet.files import read_tsv
from mri2pet.reporting.captions import CURVES
from mri2pet.reporting.html import Picture, Section, filled
from mri2pet.reporting.pictures import data_uri, is_there, named_pictures
from mri2pet.reporting.views import TableView, table_view

SYNTHESIS = (
    f"{words(shown('ixi'))} over all voxels of the reduced volume, in standardised intensity "
    "(mean 0, sd 1 of each volume); the PSNR's peak is the range of the real volume. Volumes are "
    "the mean of overlapping patches. Mean and sd (ddof 1) are over people, and the t-test pairs "
    "them. Source image copied: what the source scores in place of a synthesised volume. G4 goes "
    "on from its G3 with L1, G3 continued from the same epoch for as long with L2: what G4 has "
    "beyond that is of the L1 and not of further epochs. The epoch of each model is the one of "
    "the best PSNR on the validation people, measured there on patches that do not overlap: on "
    "them a model is at its best by choice, on the test people it is not."
)
TISSUE = (
    "Beyond the report: real and synthesised volume of each person to test on are segmented "
    "alike (N4, Atropos; classes named by brightness) inside one mask, the template's brain "
    "less a rim of 4 mm; Dice is the overlap of the two segmentations. A T2 has three "
    "classes; in a PD grey matter and fluid are too alike to be told apart, and are one. "
    "Source image copied: the segmentation of the source, against that of the target."
)
VALIDATION = (
    "Mean over the validation people after every epoch; a dot marks the epoch that is kept, "
    "by PSNR. G4 (with L1) and G3 continued (with L2) go on from the kept epoch of their G3, and "
    "count theirs anew. Dashed: the source image in place of a synthesised volume."
)
ERRORS = (
    "Rows: models; in each plane the synthesised volume, its squared error, and the absolute "
    "difference of the gradients' magnitudes (within slices), with one scale for all models. "
    "Neurological view, along the scan's own axes. The case is the test person whose error, "
    "averaged over the models, is the median."
)


def sections(paths: Iterable[str | Path], labels: Mapping[str, str]) -> list[Section]:
    """Make the sections of what there is, from the files under results/ixi.

    Parameters
    ----------
    paths
        `tables/{synthesis,tissue}.tsv`, `figures/{validation,synthesis}_<direction>.png` and
        `models/<model>/fold-0/curve.png`; any may be missing.
    labels
        Model to label.
    """
    found = [Path(path) for path in paths]
    ways = {model: " to ".join(part.upper() for part in model.split("_")[:2]) for model in labels}
    tables = [
        view
        for name, title, caption in (
            ("synthesis", "quality of the synthesised volume", SYNTHESIS),
            ("tissue", "overlap of tissues", TISSUE),
        )
        for path in found
        if path.name == f"{name}.tsv"
        for view in _by_dataset(name, title, caption, path, labels)
    ]
    curves = [
        Picture(f"Training of {labels[name]}, {ways[name]}", CURVES, data_uri(path))
        for path in found
        for name in [path.parents[1].name]
        if path.name == "curve.png" and name in labels and is_there(path)
    ]
    made = [
        Section("ixi", "IXI: T2 and PD from each other", _pictures(found), tables),
        Section("ixi-training", "IXI: training", curves),
    ]
    return filled(made)


def _pictures(found: list[Path]) -> list[Picture]:
    kinds = {
        "validation": ("validation over the epochs", VALIDATION),
        "synthesis": ("squared errors and gradient differences", ERRORS),
    }
    pictures = []
    for kind, (title, caption) in kinds.items():
        for way, path in named_pictures(found, f"{kind}_"):
            words = f"{way.upper().replace('_', ' to ')}: {title}"
            pictures.append(Picture(words, caption, data_uri(path)))
    return pictures


def _by_dataset(
    name: str, title: str, caption: str, path: Path, labels: Mapping[str, str]
) -> list[TableView]:
    """One view a direction and part of the split."""
    return [
        table_view(
            f"ixi-{name}-{str(dataset).lower().replace(' ', '-')}",
            f"IXI, {str(dataset).replace('-', ' to ')}: {title}",
            caption,
            rows,
            labels,
        )
        for dataset, rows in read_tsv(path).groupby("dataset", sort=False)
    ]
