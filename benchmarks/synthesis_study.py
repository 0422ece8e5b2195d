"""Write docs/study.md from the tables of a run of config/study/synthesis.yaml.

    python benchmarks/synthesis_study.py [results] [--times FILE] [--configfile FILES] [--out FILE]

No number there is typed by hand. A model, a table or a metric that the run does not have is left
out with a sentence.
"""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from default_run import DIAGNOSIS, HELD, labels_of, markdown, times
from mri2pet.evaluation.classification import AUC
from mri2pet.evaluation.gap import METRIC
from mri2pet.evaluation.image_metrics import LIKENESS
from mri2pet.evaluation.strata import FEWEST_OF_A_CLASS
from mri2pet.files import read_tsv
from mri2pet.reporting.figures import save
from mri2pet.reporting.oracle import noted
from mri2pet.reporting.simplest import note_on_simplest
from study_words import ROOT, arguments, by_stratum, configuration, from_root, shrink, write_page
from synthesis_claims import (
    against_regression,
    calibration,
    comparisons,
    gap_table,
    growth,
    in_short,
)
from synthesis_diagnosis import Diagnosis, diagnosis
from synthesis_figures import coverage_figure, gap_figure, growth_figure
from synthesis_values import PART, Images, Intervals

STUDY = ROOT / "config/study/synthesis.yaml"
THREE_WAY = ("accuracy", "balanced accuracy", "macro F1", "macro AUC", "kappa")
TABLES = {
    "Image quality": ("table1", ("MAE", "gap closed", LIKENESS.name, "SSIM", "PSNR")),
    "What intervals hold": ("coverage", HELD),
    "Contrast of the disease": ("regional_bias", ("contrast slope", "contrast correlation")),
    "Diagnosis, Paired": ("table2", DIAGNOSIS),
    "Diagnosis, Complete": ("table3", DIAGNOSIS),
    "Diagnosis, learnt from synthetic PET": ("cross_fitted", DIAGNOSIS),
    "Diagnosis of three groups": ("three_way", THREE_WAY),
}
ADDED = """*Paired* and *Complete* are those of GLA-GAN's Tables II and III: people with MRI and
PET; these and people with an MRI alone, whose PET is synthesised. A classifier learns from real PET
where there is one, or, where it says so, from synthetic PET. *The MRI alone*: a classifier without
any PET. *The oracle*: the best PET that the MRI can tell. *Mean PET* is one image for everybody of
a fold; weighted by a person's tissue its regional means tell of the anatomy, so that what a PET
knows of a person's uptake is its gain over Mean PET. *All groups*: macro AUC, each group against
the rest.
"""
HEAD = """# The study: {part}

Written by `python benchmarks/synthesis_study.py{options}` from the tables of

    snakemake --cores 2 --configfile {files}

**All people are simulated: no number here speaks about patients.** Settings were chosen on people
of another seed. What the rows and metrics are: [reproduction.md](reproduction.md). Pages of their
own: [Cycle-GAN and the chance of training](study-trainings.md), [DUAL-GLOW and its
peers](study-dual-glow.md), [lesions of epilepsy](study-detection.md), [another scanner, other
reference regions](study-scanners.md).

**How to read it.** All differences are signed so that more than zero speaks for the claim. In
brackets: 95% intervals by resampling people. A claim *holds here* where the interval lies above
zero, it does *not here* where it lies below, and else it *cannot be told*. *Chance of training* is
what the two differ by in 95 of 100 cases by the random numbers of their trainings alone, told by
models that were trained more than once (those of plain regression, GAN and conditional GAN
together, others by themselves); a smaller difference *cannot be told* either. Where it is *not
known*, the verdict is of people alone. Errors are means over the trainings of a model; intervals,
diagnoses and the run's tables are of the first. Verdicts are not corrected for their number: of
twenty true equalities one would be told to be a difference.
"""


class Study:
    """What the tables of the run hold, ready to be written."""

    def __init__(
        self, results: Path, config: Mapping[str, Any], files: Sequence[Path] = (STUDY,)
    ) -> None:
        self.folder = results / "gla_gan/tables"
        self.files = " ".join(str(from_root(file)) for file in files)
        parts = [file.stem for file in files if file.stem != STUDY.stem]
        self.part = ", ".join(parts) or "what the papers claim"
        self.options = f" results --configfile {self.files}" if len(files) > 1 else ""
        block = config["gla_gan"]
        self.images = Images(results, block)
        known = labels_of(config, "gla_gan")
        ablations = block.get("ablations") or {}
        variants = ablations.get("variants", {})
        for name in variants:
            known[name] = f"{known[ablations['base']]}, {known[name]}"
        ordered = [*block["models"], *variants, *known, *self.images.methods]
        self.labels = {name: known.get(name, name) for name in ordered}
        own = block["diagnosis"]
        groups = own["positive"], own["negative"], own.get("three_way", [])
        self.diagnosis = Diagnosis(results, *groups)
        self.intervals = Intervals(results, block.get("training_groups", []))
        self.gaps = self.images.gaps()
        models, size = block["models"], self.images.learnt_from()
        self.people = self._sets(models, "", {name: size for name in models})
        steps = {name: entry.get("training", {}).get("steps") for name, entry in models.items()}
        self.steps = self._sets(models, "s", steps)
        sets = [*self.people.items(), *self.steps.items()]
        self.parts = [name for base, own in sets for name in own.values() if name != base]

    def _sets(
        self, models: Iterable[str], mark: str, own: Mapping[str, int | None]
    ) -> dict[str, dict[int, str]]:
        """Return base model to size to name, of those that the run has in several sizes."""
        found: dict[str, dict[int, str]] = {}
        for name in models:
            part = PART.fullmatch(name)
            if part and part["steps"] == mark and part["base"] in own:
                found.setdefault(part["base"], {})[int(part["size"])] = name
        for base, sets in found.items():
            if own[base]:
                sets[own[base]] = base
        there = set(self.images.methods)
        kept = {b: {n: name for n, name in s.items() if name in there} for b, s in found.items()}
        return {base: sets for base, sets in kept.items() if len(sets) > 1}

    def table(self, name: str) -> pd.DataFrame | None:
        """Return one of the run's tables; None where it has none."""
        path = self.folder / f"{name}.tsv"
        return read_tsv(path, dtype={"level": str}) if path.is_file() else None

    def grown(self, sets: Mapping[str, Mapping[int, str]], unit: str, more: str) -> str:
        """Write how the error falls; a sentence where the run has no such entries."""
        if not sets:
            return f"The run has no models of several numbers of {unit}.\n"
        return growth(self.images, sets, unit, self.labels) + more

    def needed(self) -> str:
        """Write from how many people on a network beats the local regression."""
        if not self.people:
            return ""
        text = "\nAgainst the local regression of as many people:\n\n"
        return text + against_regression(self.images, self.people, self.labels)

    def draw(self, page: Path) -> dict[str, tuple[str, str]]:
        """Draw the figures of what is there beside a page; return name to title and place."""
        drawn, coverage = {}, self.table("coverage")
        if not self.gaps.empty:
            shown = self.gaps.drop(self.parts)
            drawn["gap"] = ("Share of the gap", gap_figure(shown, self.images, self.labels))
        panels = [("people learnt from", self.people), ("steps", self.steps)]
        panels = [panel for panel in panels if panel[1]]
        if panels:
            figure = growth_figure(self.images, panels, self.labels)
            drawn["growth"] = ("Error over people and steps", figure)
        if coverage is not None:
            drawn["coverage"] = ("What intervals hold", coverage_figure(coverage, self.labels))
        with tempfile.TemporaryDirectory() as work:
            for name, (_, figure) in drawn.items():
                save(figure, Path(work, f"{name}.png"))
                shrink(Path(work, f"{name}.png"), page.parent / f"images/{page.stem}-{name}.png")
        return {n: (title, f"images/{page.stem}-{n}.png") for n, (title, _) in drawn.items()}

    def strata(self) -> str:
        """Write for whom the models do better and worse."""
        table = self.table("strata")
        if table is None:
            return "The run has no table by stratum.\n"
        known = table[~table["method"].isin(self.parts)]
        text = f"An AUC needs {FEWEST_OF_A_CLASS} people of each class; others are not shown.\n"
        return "\n".join(
            filter(None, (text, *(by_stratum(known, m, self.labels) for m in (METRIC, AUC))))
        )

    def tables(self) -> str:
        """Write the run's own tables."""
        text, missing = "", []
        for title, (name, metrics) in TABLES.items():
            table = self.table(name)
            if table is None:
                missing.append(title.lower())
                continue
            text += f"### {title}\n\n{markdown(table, self.labels, metrics)}\n"
            if name == "table1":
                said = noted("", table, self.labels) + note_on_simplest(table, self.labels)
                text += f"{said.strip()}\n\n"
        return text + (
            f"Tables that the run does not have: {'; '.join(missing)}.\n" * bool(missing)
        )

    def page(self, jobs: Path, pictures: Mapping[str, tuple[str, str]]) -> str:
        """Return the page; `pictures` is as `draw` returns it."""
        images, labels = self.images, self.labels
        tested = images.values["subject"].nunique()
        folds = images.values["fold"].nunique()
        shown = {name: f"![{title}]({place})\n" for name, (title, place) in pictures.items()}
        held = calibration(images, self.intervals, self.table("coverage"), labels)
        short = in_short(images, self.intervals, self.diagnosis, labels)
        parts = [
            HEAD.format(part=self.part, options=self.options, files=self.files),
            f"{tested} people with MRI and PET, {folds} folds; a model learns from "
            f"{images.learnt_from()} of them.\n",
            f"## In short\n\n{short}" if short else "",
            f"## How much of the gap is closed\n\n{gap_table(self.gaps, labels)}",
            shown.get("gap", ""),
            f"## What is claimed of images\n\n{comparisons(images, labels)}",
            f"## What is claimed of uncertainty\n\n{held}",
            shown.get("coverage", ""),
            f"## What synthetic PET adds to the MRI\n\n{ADDED}",
            diagnosis(self.diagnosis, labels, self.parts),
            f"## By sex, age and group\n\n{self.strata()}",
            f"## How many people\n\n{self.grown(self.people, 'people', self.needed())}",
            f"## How many steps\n\n{self.grown(self.steps, 'steps', '')}",
            shown.get("growth", ""),
            f"## Tables\n\n{self.tables()}",
            f"## Time\n\n{times(jobs)}" if jobs.is_file() else "",
        ]
        return "\n".join(part for part in parts if part)


def main() -> None:
    """Write the page and its pictures."""
    chosen = arguments(__doc__, STUDY, "study.md")
    config = configuration(*chosen.configfile)
    study = Study(chosen.results, config, chosen.configfile)
    pictures = study.draw(chosen.out)
    write_page(chosen.out, study.page(chosen.times, pictures))


if __name__ == "__main__":
    main()
