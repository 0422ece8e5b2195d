"""What the report shows of GLA-GAN: its tables, figures, ablations, interpretation and training."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mri2pet.files import read_tsv
from mri2pet.reporting import insight, intervals, regional_bias, strata, views
from mri2pet.reporting.captions import CURVES, SYNTHESIS, TABLES
from mri2pet.reporting.html import Picture, Section, filled
from mri2pet.reporting.pictures import data_uri, is_there, named_pictures
from mri2pet.reporting.sections import (
    ablation_section,
    cross_fitted_section,
    harmonised_section,
    part_views,
    three_way_section,
)


def sections(
    paths: Iterable[str | Path],
    labels: Mapping[str, str],
    compared: Mapping[str, Mapping[str, str]],
    groups: Sequence[str],
) -> list[Section]:
    """Make GLA-GAN's sections of what there is, from the files under results/gla_gan.

    Parameters
    ----------
    paths
        What `tables`, `figures`, `further`, `curves` and `regional_bias.sections` take; any may be
        missing.
    labels
        Model to label.
    compared, groups
        As `further` takes them.
    """
    made = [
        Section("tables", "GLA-GAN: Tables I to III", [], tables(paths, labels)),
        Section("figures", "GLA-GAN: synthetic PET", figures(paths)),
        *regional_bias.sections(paths, labels, "regions", "GLA-GAN: regional bias"),
        *strata.sections(paths, labels, "strata", "GLA-GAN: by sex, age, group and scanner"),
        *strata.sections(paths, labels, "scaling", "GLA-GAN: other scales of uptake", "scaling"),
        *intervals.sections(paths, labels, "intervals", "GLA-GAN: intervals"),
        *further(paths, labels, compared, groups),
        Section("training", "GLA-GAN: training", curves(paths, labels)),
    ]
    return filled(made)


def tables(paths: Iterable[str | Path], labels: Mapping[str, str]) -> list[views.TableView]:
    """Show Tables I to III, `tables/table{1,2,3}.tsv`, of what there is; each part on its own."""
    found = {Path(path).stem: path for path in paths}
    return [
        view
        for number, name in (("I", "table1"), ("II", "table2"), ("III", "table3"))
        if name in found
        for view in part_views(*TABLES[number], read_tsv(found[name]), labels)
    ]


def figures(paths: Iterable[str | Path]) -> list[Picture]:
    """Show `figures/synthesis_<group>.png`."""
    return [
        Picture(f"Synthetic PET, {group} case", SYNTHESIS, data_uri(path))
        for group, path in named_pictures(paths, "synthesis_")
    ]


def curves(paths: Iterable[str | Path], labels: Mapping[str, str]) -> list[Picture]:
    """Show `figures/curves_<model>.png`."""
    return [
        Picture(f"Training of {labels.get(model, model)}", CURVES, data_uri(path))
        for model, path in named_pictures(paths, "curves_")
    ]


def further(
    paths: Iterable[str | Path],
    labels: Mapping[str, str],
    compared: Mapping[str, Mapping[str, str]],
    groups: Sequence[str],
) -> list[Section]:
    """Make the sections beyond Tables I to III, of what there is.

    Parameters
    ----------
    paths
        `tables/{ablation_<figure>,three_way,dissection,interpolation}.tsv` and the pictures of the
        same names under `figures/`: a section is made where both are there.
        `tables/{cross_fitted,harmonised}.tsv` have no picture; `composites.tsv` is shown with the
        dissection.
    labels
        Model to label.
    compared
        Figure of the ablations (`losses`, `patches`) to its models and their labels.
    groups
        The positive and the negative group of the interpretation.
    """
    both: dict[str, dict[str, Path]] = {}
    for path in map(Path, paths):
        both.setdefault(path.stem, {})[path.suffix] = path
    there = {
        name: (files[".tsv"], files[".png"])
        for name, files in both.items()
        if {".tsv", ".png"} <= set(files) and is_there(files[".png"])
    }
    made = [
        ablation_section(figure, *there[f"ablation_{figure}"], names)
        for figure, names in compared.items()
        if f"ablation_{figure}" in there
    ]
    if ".tsv" in (cross_fitted := both.get("cross_fitted", {})):
        made.append(cross_fitted_section(cross_fitted[".tsv"], labels))
    if ".tsv" in (harmonised := both.get("harmonised", {})):
        made.append(harmonised_section(harmonised[".tsv"], labels))
    if "three_way" in there:
        made.append(three_way_section(*there["three_way"], labels))
    looked = (there.get(name, ()) for name in ("dissection", "interpolation"))
    return made + insight.sections(*looked, groups, both.get("composites", {}).get(".tsv"))
