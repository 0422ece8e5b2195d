"""The pages of `apply`: one for a person, one for all."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mri2pet.bundles.card import FOR_SHOW
from mri2pet.files import atomic
from mri2pet.reporting.pictures import data_uri
from mri2pet.reporting.provenance_page import Table

if TYPE_CHECKING:
    from mri2pet.bundles.apply import Applied

RESEARCH = "Synthetic PET, for research on methods alone: not for the diagnosis of a person."
Z_CAPTION = (
    "Mean uptake (1: the ceiling of the training's PET) and its standard deviation over the "
    "generators. z: difference from the synthetic PET of the training's held-out controls, in "
    "their standard deviations. Real PET of controls would mislead in their place."
)

CLUSTERS_CAPTION = (
    "Region of AAL and place in MNI152 (mm) of the highest voxel, volume, score there and on "
    "average. Scores are deviations among held-out controls. A cluster tells where to look first; "
    "healthy people have some, too: the bundle's card says how many."
)


@dataclass(frozen=True)
class Page:
    """What a page shows.

    `links` leads from the first column of its tables to other pages.
    """

    title: str
    lead: str
    notes: Sequence[str]
    tables: Sequence[Table]
    pictures: Sequence[tuple[str, str]] = ()
    links: Mapping[str, str] = field(default_factory=dict)


def write_person(
    path: str | Path,
    name: str,
    found: "Applied",
    about: Mapping[str, Any],
    pictures: Mapping[str, str | Path],
) -> None:
    """Write the page of one person.

    Parameters
    ----------
    path
        HTML to write.
    name
        Of the person and visit.
    found
        What the bundle made.
    about
        The bundle's manifest.
    pictures
        Title to PNG.
    """
    table = found.regions.copy()
    order = table["z"].abs().sort_values(ascending=False, na_position="last").index
    shown = table.loc[order].map(_number)
    page = Page(
        title=name,
        lead=_lead(about),
        notes=[*_show(about), *(f"Unlike the training: {remark}" for remark in found.remarks)],
        pictures=[(title, data_uri(picture)) for title, picture in pictures.items()],
        tables=[Table("Regions, those with the largest z first", Z_CAPTION, shown)],
    )
    _write(path, page)


def with_pages(
    people: pd.DataFrame, pages: Sequence[str | Path], group: str | Path
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Name each visit as its page does.

    Parameters
    ----------
    people
        Table with `subject` and `visit`.
    pages
        One of each row; an empty file where there is none.
    group
        Where the page of all will lie.

    Returns
    -------
    shown : DataFrame
        The table with the visit's name in the first column, in place of the two.
    links : dict
        Name to page, relative to that of all.
    """
    names = "sub-" + people["subject"] + " ses-" + people["visit"]
    links = {
        name: os.path.relpath(page, Path(group).parent)
        for name, page in zip(names, pages, strict=True)
        if Path(page).stat().st_size
    }
    shown = people.drop(columns=["subject", "visit"])
    shown.insert(0, "visit", names)
    return shown, links


def write_group(
    path: str | Path,
    people: pd.DataFrame,
    excluded: pd.DataFrame,
    about: Mapping[str, Any],
    links: Mapping[str, str],
    judged: bool = False,
) -> None:
    """Write the page of all people.

    Parameters
    ----------
    path
        HTML to write.
    people
        A row a visit, its name in the first column.
    excluded
        Scans without a PET, and why.
    about
        The bundle's manifest.
    links
        Name of a visit to its page.
    judged
        Whether a detector has judged their PET; else it is synthetic.
    """
    trained = about["trained_on"]
    model = pd.DataFrame(
        {
            "of the training": [
                "study",
                "people",
                "groups",
                "ages",
                "scanner makes",
                "licence of the data",
            ],
            "told": [
                about["study"]["name"],
                trained["people"],
                ", ".join(f"{k} {v}" for k, v in trained["people_by_group"].items()),
                " to ".join(f"{age:g}" for age in trained["age_years"]) or "not told",
                ", ".join(trained["visits_by_scanner_make"]) or "not told",
                about["study"]["licence"],
            ],
        }
    )
    page = Page(
        title=f"{'Anomalies in the' if judged else 'Synthetic'} PET of {len(people)} visits",
        lead=_judged_lead(about) if judged else _lead(about),
        notes=_show(about),
        tables=[
            Table("People", "What is unlike the training is told with its number.", _told(people)),
            Table("Not judged" if judged else "Without a PET", "", _told(excluded)),
            Table("What the model was trained on", "", model),
        ],
        links=links,
    )
    _write(path, page)


def write_judged(
    path: str | Path,
    name: str,
    clusters: pd.DataFrame,
    remarks: Sequence[str],
    about: Mapping[str, Any],
    picture: str | Path,
) -> None:
    """Write the page of one person whose PET a detector has judged.

    Parameters
    ----------
    path, name, about
        As for `write_person`.
    clusters
        As `Detector.clusters` gives it.
    remarks
        What is unlike the controls.
    picture
        PNG of the T1 with the clusters.
    """
    shown = clusters[["rank", "region", "ml", "peak_score", "mean_score", "x", "y", "z"]]
    page = Page(
        title=name,
        lead=_judged_lead(about),
        notes=[*_show(about), *(f"Unlike the controls: {remark}" for remark in remarks)],
        pictures=[("T1 with the clusters", data_uri(picture))],
        tables=[Table("Clusters, the most unlike first", CLUSTERS_CAPTION, shown.map(_number))],
    )
    _write(path, page)


def _judged_lead(about: Mapping[str, Any]) -> str:
    return (
        f"Anomaly detector, {about['label']}, {about['trained_on']['people']} controls. For "
        "research on methods alone: not for the diagnosis of a person."
    )


def _lead(about: Mapping[str, Any]) -> str:
    return f"{about['label']}, {len(about['folds'])} generators. {RESEARCH}"


def _show(about: Mapping[str, Any]) -> list[str]:
    return [FOR_SHOW.strip("*")] if about["study"]["simulated"] else []


def _told(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as it is shown: headings in words, and nothing where nothing is known."""

    def words(name: str) -> str:
        whole = f"{name[3:]} (sd)" if name.startswith("sd_") else name
        return whole.replace("_", " ")

    return table.astype(object).where(table.notna(), "").rename(columns=words)


def _number(value: Any) -> Any:
    if isinstance(value, float):
        return "n/a" if pd.isna(value) else round(value, 3)
    return value


def _write(path: str | Path, page: Page) -> None:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    source = resources.files("mri2pet.reporting").joinpath("templates/applied.html.j2").read_text()
    with atomic(path) as partial:
        partial.write_text(environment.from_string(source).render(page=page), encoding="utf-8")
