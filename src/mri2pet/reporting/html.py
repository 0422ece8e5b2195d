"""The report: one HTML page that needs nothing else, neither a file nor a network."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from mri2pet.evaluation.resampling import FEWEST, RESAMPLES
from mri2pet.files import atomic
from mri2pet.reporting.pictures import STAGES, QcVisit
from mri2pet.reporting.summary.parts import Summary
from mri2pet.reporting.views import TableView

SIMULATED_NOTE = "The cohort is simulated; these numbers do not speak about patients."


@dataclass(frozen=True)
class Picture:
    """A figure with its title and caption."""

    title: str
    caption: str
    uri: str

    def described(self) -> str:
        """Say what it shows, for who cannot see it: its title and the caption's first sentence."""
        return f"{self.title}. {self.caption.partition('. ')[0].rstrip('.')}."


@dataclass(frozen=True)
class Listing:
    """A table of text with its title and caption."""

    title: str
    caption: str
    table: pd.DataFrame


@dataclass(frozen=True)
class Section:
    """Figures and tables that belong together; left out of the page where there is none.

    `studies` are those whose scans it shows; all of the page's if none is named. `lead` is what it
    says first.
    """

    anchor: str
    title: str
    figures: list[Picture]
    tables: list[TableView] = field(default_factory=list)
    listings: list[Listing] = field(default_factory=list)
    studies: Sequence[str] = ()
    lead: str = ""


def filled(sections: Iterable[Section]) -> list[Section]:
    """Return those sections that have something to show."""
    return [each for each in sections if each.figures or each.tables or each.listings]


@dataclass
class Report:
    """All that the page shows; what is empty is left out or said to be missing.

    Attributes
    ----------
    title, lead
        Heading; one or two sentences below it.
    simulated
        Study to whether it is simulated: the page says so at its top, and where only some of its
        studies are, beside every heading.
    summary
        What the first screen says; left out if there is none.
    cohort, folds, excluded
        Tables of text as they are to be shown.
    missing, failed
        Of a partial report: files that the whole one shows and that are not there; failed jobs and
        excluded scans.
    studies
        Those that the folds are of; all if none is named.
    sections
        What each system has to show.
    qc, measures
        Pictures of the preprocessing by visit; by modality, what was measured of each scan.
    viewers
        System to its name, of those whose volumes lie in `viewer/`, beside the page.
    methods
        What was done, in words, as HTML.
    checklist
        Items of the reporting guidelines, as they are to be shown.
    graphs
        System to the picture of its rules, as SVG.
    config
        The configuration as YAML.
    versions
        Package to version.
    """

    title: str
    lead: str
    simulated: Mapping[str, bool]
    summary: Summary | None = None
    cohort: pd.DataFrame = field(default_factory=pd.DataFrame)
    folds: pd.DataFrame = field(default_factory=pd.DataFrame)
    excluded: pd.DataFrame = field(default_factory=pd.DataFrame)
    missing: list[str] = field(default_factory=list)
    failed: pd.DataFrame = field(default_factory=pd.DataFrame)
    studies: Sequence[str] = ()
    sections: list[Section] = field(default_factory=list)
    qc: list[QcVisit] = field(default_factory=list)
    measures: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    viewers: Mapping[str, str] = field(default_factory=dict)
    methods: str = ""
    checklist: pd.DataFrame = field(default_factory=pd.DataFrame)
    graphs: Mapping[str, str] = field(default_factory=dict)
    config: str = ""
    versions: dict[str, str] = field(default_factory=dict)


def simulated_note(simulated: Mapping[str, bool], studies: Sequence[str] = ()) -> str:
    """Say which of some studies are simulated; nothing if none is.

    Parameters
    ----------
    simulated
        Study to whether it is.
    studies
        Those that are shown; all of `simulated` if none is named.
    """
    shown = {study: simulated[study] for study in studies or simulated}
    if not any(shown.values()):
        return ""
    if all(shown.values()):
        return SIMULATED_NOTE
    made, real = (
        ", ".join(f"the study {study}" for study, flag in shown.items() if flag is wanted)
        for wanted in (True, False)
    )
    return f"Simulated: {made}. What comes of it does not speak about patients. Real: {real}."


def study_mark(simulated: Mapping[str, bool], studies: Sequence[str] = ()) -> str:
    """Return a word that tells simulated studies from real ones; nothing where all are alike.

    Parameters
    ----------
    simulated, studies
        As for `simulated_note`.
    """
    if len(set(simulated.values())) < 2:
        return ""
    shown = {simulated[study] for study in studies or simulated}
    return "simulated and real" if len(shown) > 1 else "simulated" if True in shown else "real"


def render(report: Report) -> str:
    """Return the page as HTML; whatever comes from data is escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mri2pet.reporting"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["finite"] = np.isfinite
    environment.globals |= {"resamples": f"{RESAMPLES:,}", "fewest": FEWEST}
    environment.globals["simulated_note"] = partial(simulated_note, report.simulated)
    environment.globals["study_mark"] = partial(study_mark, report.simulated)
    environment.globals["stages"] = STAGES
    return environment.get_template("report.html.j2").render(report=report)


def write(report: Report, path: str | Path) -> None:
    """Write the page."""
    with atomic(path) as beside:
        beside.write_text(render(report), encoding="utf-8")


def pinned_versions(locks: Iterable[str | Path], names: tuple[str, ...]) -> dict[str, str]:
    """Read the versions of some packages out of lists of requirements (`name==version`).

    torch stands in `requirements.in` alone, all others in the lock.
    """
    pins = {}
    for line in (line for lock in locks for line in Path(lock).read_text().splitlines()):
        name, equals, rest = line.partition("==")
        if equals:
            pins[name.strip().lower()] = rest.split(";")[0].split()[0]
    return {name: pins[name.lower()] for name in names if name.lower() in pins}
