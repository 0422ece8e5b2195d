"""Write docs/study-detection.md from the tables of a run of config/study/detection.yaml.

    python benchmarks/detection_study.py [results] [--times FILE] [--configfile FILES] [--out FILE]

No number there is typed by hand. Detectors are compared with chance and with each other on all
patients, and in the strata of depth and size that the simulation took its lesions from.
"""

import itertools
import tempfile
from pathlib import Path

import pandas as pd

from default_run import DETECTION, labels_of, markdown, times
from mri2pet.anomaly.detection import detection_curve
from mri2pet.anomaly.detection_tables import (
    ABOVE,
    CONTROLS,
    FIRST,
    PATIENTS,
    SENSITIVITY,
    Found,
    at_rate,
    detection_table,
    detector_tests,
)
from mri2pet.anomaly.free_response import free_response_curve
from mri2pet.anomaly.patients import known
from mri2pet.anomaly.training_sets import TEXT
from mri2pet.evaluation.image_tables import read_published
from mri2pet.files import read_tsv
from mri2pet.reporting.detection_figures import detection_figure, free_response_figure
from mri2pet.reporting.figures import save
from study_words import ROOT, arguments, configuration, shrink, span, verdict, write_page

STUDY = ROOT / "config/study/detection.yaml"
TABLES = ("patients", "controls", "clusters", "chance")
PICTURES = {"detection": "Detection curves", "free_response": "Free-response curves"}
HEAD = """# The detection study

Written by `python benchmarks/detection_study.py` from the tables of

    snakemake --cores 2 --configfile config/study/detection.yaml

**All people are simulated: no number here speaks about patients.** The configuration says who they
are and which lesions they have; nothing of it was changed after a detection had been looked at.
What the rows and metrics are: [reproduction.md](reproduction.md). In brackets: 95% intervals by
resampling patients and controls. Verdicts follow these; that there are many comparisons is in the
corrected p alone. Of the run the tables `detection`, `spread` and `injection` were asked for, so
that generators that no detector learns from were not trained.
"""


def found_by(results: Path, detectors: list[str]) -> dict[str, Found]:
    """Read what each detector has found."""
    types = {**TEXT, "hits": str, "other": str}
    folder = results / "gan_anomaly/detector"
    return {
        name: Found(*(read_tsv(folder / name / f"{table}.tsv", dtype=types) for table in TABLES))
        for name in detectors
    }


def among(found: Found, subjects: set[str]) -> Found:
    """Return what was found in some of the patients; controls stay."""
    own = [table[table["subject"].isin(subjects)] for table in (found.patients, found.chance)]
    return Found(own[0], found.controls, found.clusters, own[1])


class Study:
    """What the tables of the run hold, ready to be written."""

    def __init__(self, results: Path, config: dict) -> None:
        self.tables = results / "gan_anomaly/tables"
        detector = config["gan_anomaly"]["detector"]
        sets = {k: v for k, v in detector["training_sets"].items() if v}
        self.found = found_by(results, [*sets, *detector["plain"]])
        self.labels = labels_of(config, "gan_anomaly")
        lesions = detector.get("injection", {}).get("lesions", {})
        self.lesion_labels = {name: each["label"] for name, each in lesions.items()}
        self.nothing = read_published(ROOT / "resources/published/gan_anomaly.tsv", "none")
        lesions = read_tsv(results / "simulated/truth/epilepsy_lesions.tsv", dtype=TEXT)
        self.lesions = lesions.assign(subject=lesions["subject"].astype(str))

    def rows(self, wanted: pd.Series) -> pd.DataFrame:
        """Return the table of all detectors for those lesions that are wanted."""
        subjects = set(self.lesions.loc[wanted, "subject"])
        parts = {name: among(each, subjects) for name, each in self.found.items()}
        return detection_table(parts, self.nothing)

    def row(self, table: pd.DataFrame, method: str, metric: str) -> pd.Series:
        """Return one row of patients, or of chance on controls."""
        dataset = CONTROLS if method.startswith("chance_") else PATIENTS
        own = table[(table["method"] == method) & (table["metric"] == metric)]
        return own[own["dataset"] == dataset].iloc[0]

    def claims(self) -> str:
        """Say of each claim what the study tells."""
        deep, deepest = (self.rows(self.lesions["depth"] >= least) for least in (0.2, 0.5))
        above = self.row(deep, "real", ABOVE)
        own, chance = (self.row(deep, name, SENSITIVITY) for name in ("real", "chance_real"))
        apart = own["low"] > chance["high"]
        said = verdict(above["low"] if apart else min(above["low"], 0), above["high"])
        first = self.row(deepest, "real", FIRST)
        lines = [
            "The detector of real PET alone is above chance in space for lesions of 20% and more: "
            f"**{said}**. It finds {span(own)} of {own['n']} patients, moved lesions "
            f"{span(chance)}; area above chance {span(above)}.",
            "A lesion of half the uptake is the first cluster in at least 95% of patients: "
            f"**{'holds here' if first['mean'] >= 0.95 else 'not here'}**, {span(first)} of "
            f"{first['n']} patients.",
        ]
        tests = detector_tests(self.found)
        tests = tests[tests["metric"] == SENSITIVITY].set_index(["first", "second"])
        for better, worse, words in self.comparisons():
            pair = (better, worse) if (better, worse) in tests.index else (worse, better)
            sign = 1 if pair[0] == better else -1
            row = tests.loc[pair]
            ends = sorted((sign * row["low"], sign * row["high"]))
            lines.append(
                f"{words}: **{verdict(*ends)}**. Difference of the sensitivities "
                f"{sign * row['difference']:+.2f} ({ends[0]:+.2f} to {ends[1]:+.2f}), McNemar's p "
                f"{row['p_value']:.2g} ({row['p_holm']:.2g} by Holm over all pairs)."
            )
        return "".join(f"- {line}\n" for line in lines)

    def comparisons(self) -> list[tuple[str, str, str]]:
        """Return pairs of detectors and the claim that the first finds more."""
        synthetic = [
            name
            for name in self.found
            if name in ("semi_3d", "patch_3d", "matched", "with_regression", "with_oracle")
        ]
        pairs = []
        for name in synthetic:
            label = self.labels[name]
            pairs.append((name, "real", f"{label} finds more than real PET alone"))
            pairs.append((name, "placebo", f"{label} finds more than copies of Mean PET do"))
        pairs.append(("more_real", "real", "As many further real PET find more than those at hand"))
        plain = "A plain z-score of PET finds more than the SVMs of real PET alone"
        pairs.append(("z_pet", "real", plain))
        plain = "The z-score finds more where what the MRI explains is taken away"
        pairs.append(("z_difference", "z_pet", plain))
        return [pair for pair in pairs if pair[0] in self.found and pair[1] in self.found]

    def strata(self) -> str:
        """Return sensitivity beside chance of every detector in every stratum."""
        places = self.lesions.groupby("stratum")[["depth", "ml"]].agg(["min", "max"])
        head = [
            "detector",
            *(f"{100 * d:.0f}%" for d in sorted(set(self.lesions["depth"].round(2)))),
        ]
        small = self.lesions["ml"] < self.lesions["ml"].median()
        depths = sorted(set(self.lesions["depth"].round(2)))
        out = [f"Strata: {len(places)}, {len(self.lesions)} patients in all.\n"]
        for (size, chosen), metric in itertools.product(
            (("Small lesions", small), ("Large lesions", ~small)), (SENSITIVITY, FIRST)
        ):
            ml = self.lesions.loc[chosen, "ml"]
            tables = [
                self.rows(chosen & (self.lesions["depth"].round(2) == depth)) for depth in depths
            ]
            lines = [f"### {size} ({ml.min():.1f} to {ml.max():.1f} ml): {metric}\n"]
            lines += [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
            for name in [*self.found, "chance_real"]:
                label = "moved lesions, real PET" if name == "chance_real" else self.labels[name]
                cells = [span(self.row(table, name, metric)) for table in tables]
                lines.append(f"| {' | '.join([label, *cells])} |")
            out.append("\n".join(lines) + "\n")
        return "\n".join(out)

    def draw(self, folder: Path) -> None:
        """Draw the pictures of the page."""
        labels = {name: self.labels[name] for name in self.found}
        curves = [detection_curve(each.curves(), name) for name, each in self.found.items()]
        free = [
            free_response_curve(
                name, known(each.patients), each.controls, each.clusters, each.chance
            )
            for name, each in self.found.items()
        ]
        drawn = {
            "detection": detection_figure(pd.concat(curves), labels, "simulated study"),
            "free_response": free_response_figure(pd.concat(free), labels, "simulated study"),
        }
        with tempfile.TemporaryDirectory() as work:
            for name, figure in drawn.items():
                save(figure, Path(work, f"{name}.png"))
                shrink(Path(work, f"{name}.png"), folder / f"study-{name}.png")

    def page(self, jobs: Path) -> str:
        """Return the page."""
        whole = detection_table(self.found, self.nothing)
        spread = read_tsv(self.tables / "spread.tsv")
        shown = whole[~whole["method"].str.startswith("shuffled_")]
        wanted = (*DETECTION, at_rate(1))
        controls = next(iter(self.found.values())).controls["subject"].nunique()
        parts = [
            HEAD,
            f"{len(self.lesions)} patients, {controls} controls who were scored by detectors that "
            "had not learnt from them.\n",
            f"## What is claimed, and what the study tells\n\n{self.claims()}",
            f"## All patients\n\n{markdown(shown, self.labels, wanted)}",
            *(f"![{title}](images/study-{name}.png)\n" for name, title in PICTURES.items()),
            f"## By depth and size\n\n{self.strata()}",
            f"## Synthetic PET between people\n\n{markdown(spread, self.labels, None)}",
            self._injection(),
            f"## Time\n\n{times(jobs)}" if jobs.is_file() else "",
        ]
        return "\n".join(part for part in parts if part)

    def _injection(self) -> str:
        path = self.tables / "injection.tsv"
        if not path.is_file():
            return ""
        table = read_tsv(path)
        depths = sorted(set(table["depth"].dropna()))
        head = ["detector", "lesion", *(f"{100 * depth:.0f}%" for depth in depths), "floor"]
        lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
        for (name, lesion), own in table.groupby(["method", "lesion"], sort=False):
            by_depth = own[own["metric"] == SENSITIVITY].set_index("depth")
            floor = own.loc[own["metric"] == "detection floor", "mean"].iloc[0]
            cells = [span(by_depth.loc[depth]) for depth in depths]
            last = "none" if pd.isna(floor) else f"{100 * floor:.0f}%"
            where = self.lesion_labels.get(lesion, lesion)
            lines.append(f"| {' | '.join([self.labels[name], where, *cells, last])} |")
        return "## Lesions put into held-out controls\n\n" + "\n".join(lines) + "\n"


def main() -> None:
    """Write the page and its pictures."""
    chosen = arguments(__doc__, STUDY, "study-detection.md")
    config = configuration(*chosen.configfile)
    study = Study(chosen.results, config)
    study.draw(chosen.out.parent / "images")
    write_page(chosen.out, study.page(chosen.times))


if __name__ == "__main__":
    main()
