"""The summary of a run, from the files that its systems show."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from mri2pet.files import read_tsv
from mri2pet.reporting.captions import NAMES
from mri2pet.reporting.html import Section
from mri2pet.reporting.pictures import is_there, thumbnail
from mri2pet.reporting.summary import copied, coverage, detection, diagnosis, images
from mri2pet.reporting.summary.parts import Finding, Result, Summary, sentence
from mri2pet.reporting.summary.study import what

PICTURES = ("synthesis_", "example")  # figures whose first a summary shows
PICTURE_WIDTH = 560  # pixels
DIAGNOSES = {"gla_gan": "table2", "dual_glow": "table2"}
NOTHING = "No result of it is there yet"


def result(
    system: str,
    name: str,
    paths: Iterable[str | Path],
    labels: Mapping[str, str],
    sections: Sequence[Section],
    studies: Sequence[str],
) -> Result:
    """Say what came out of one system.

    Parameters
    ----------
    system, name
        As the configuration and as the page name it.
    paths
        Files that the system shows; those that are not there say nothing.
    labels
        Model to label.
    sections
        Its sections; the first is what the summary leads to.
    studies
        Whose people it shows.
    """
    found = [Path(path) for path in paths if is_there(path)]
    tables = {path.stem: path for path in found if path.suffix == ".tsv"}
    findings = [each for each in _findings(system, tables, labels) if each]
    return Result(
        system,
        name,
        sentence([each.clause for each in findings] or [NOTHING]),
        [text for each in findings for text in each.details],
        [plot for each in findings for plot in each.plots],
        sections[0].anchor if sections else "",
        _picture(found),
        studies,
    )


def _findings(
    system: str, tables: Mapping[str, Path], labels: Mapping[str, str]
) -> list[Finding | None]:
    """Return what each table of a system says, in the order of the sentence."""
    made: list[Finding | None] = []
    if "differences" in tables:
        quality = _read(tables["table1"]) if "table1" in tables else pd.DataFrame()
        made.append(images.finding(_read(tables["differences"]), quality, labels))
    if DIAGNOSES.get(system) in tables:
        made.append(diagnosis.finding(_read(tables[DIAGNOSES[system]]), labels))
    if "coverage" in tables:
        made.append(coverage.finding(_read(tables["coverage"]), labels))
    if "detection" in tables:
        made.append(detection.finding(_read(tables["detection"]), labels))
    if "synthesis" in tables:
        made.append(copied.finding(_read(tables["synthesis"]), labels))
    return made


def _read(path: Path) -> pd.DataFrame:
    """Read a table whose columns of numbers may hold nothing."""
    table = read_tsv(path)
    numbers = [name for name in ("mean", "low", "high", "p_holm") if name in table]
    return table.assign(**{name: table[name].astype(float) for name in numbers})


def _picture(found: Sequence[Path]) -> tuple[str, str]:
    """Return the first figure of synthesised volumes, small, and what it shows."""
    for path in found:
        if path.suffix == ".png" and path.stem.startswith(PICTURES):
            what = path.stem.removeprefix("synthesis_").replace("_", " to ")
            return thumbnail(path, PICTURE_WIDTH), "" if what == "example" else what
    return "", ""


def summary(
    systems: Mapping[str, Mapping[str, str]],
    shown: Mapping[str, Iterable[str | Path]],
    sections: Mapping[str, Sequence[Section]],
    studies: Mapping[str, Sequence[str]],
    whom: Sequence[str],
    sound: Sequence[str],
) -> Summary:
    """Make the summary of a run.

    Parameters
    ----------
    systems
        System to the labels of its models.
    shown, sections, studies
        System to the files that it shows, to its sections, and to the studies they are of.
    whom, sound
        As `study` says them.
    """
    results = [
        result(name, NAMES[name], shown[name], labels, sections[name], studies[name])
        for name, labels in systems.items()
    ]
    return Summary(what([NAMES[name] for name in systems]), whom, sound, results)
