"""Write docs/study-scanners.md from the tables of two runs of config/study/scanners.yaml.

    python benchmarks/scanner_study.py [results] [--apart other/results] [--out FILE]

`results` is of the run as it is, in which a model is tested on the scanner that it has not seen;
`--apart` of the same people in folds by person. No number of the page is typed by hand.
"""

import argparse
import tempfile
from pathlib import Path

from default_run import labels_of
from mri2pet.diagnosis.methods import AS_MADE, WITHOUT_PET
from mri2pet.evaluation.classification import AUC
from mri2pet.evaluation.comparison import Measured, mean_of_folds
from mri2pet.evaluation.gap import BEST, ERROR, METRIC, WORST
from mri2pet.evaluation.image_tables import pool
from mri2pet.evaluation.scaling_table import ERROR as REGIONAL
from mri2pet.files import read_tsv
from mri2pet.reporting.figures import save
from mri2pet.simulation import mri, pet
from mri2pet.simulation.scanners import machine
from scanner_figure import scanner_figure
from study_words import (
    HOLDS,
    NOT_HERE,
    ROOT,
    UNTOLD,
    by_stratum,
    configuration,
    row,
    shrink,
    write_page,
)
from synthesis_diagnosis import auc_of, measured_of
from synthesis_values import Images, shown, subtract

ACCURACY = "accuracy"
STUDY = ROOT / "config/study/scanners.yaml"
HEAD = """# The study of scanners

Written by `python benchmarks/scanner_study.py scanner/results --apart person/results` from the
tables of

    snakemake --cores 2 --directory scanner --configfile config/study/scanners.yaml
    snakemake --cores 2 --directory person --configfile config/study/scanners.yaml \\
        --config 'folds={n: 2, by: person}'

**All people are simulated: no number here speaks about patients.** Two simulated scanners, below;
contrast, scatter and reconstruction are the same ([simulated_people.md](simulated_people.md)). The
same people stand in both runs. *Another scanner*: a model learns from the people of one scanner and
is tested on those of the other; every site has one scanner, so that its site is held out, too.
*Both scanners*: it learns from as many people, of both.

**How to read it.** In brackets: 95% intervals by resampling people, the same people on both sides
of a difference. *Loses* and *gives back* hold here where the interval lies above zero, not here
where it lies below, and else they cannot be told. Each model was trained once in either run: what
other random numbers change is in no interval. Verdicts are not corrected for their number. A model
learns from fewer people than in [the study](study.md), of other scanners: numbers here do not
compare with those there. Pairs of people of one scanner alone were taken for the AUC, and the
accuracy added, when first results were known.
"""
SCANNER = """| scanner | MRI, mm | noise, of white matter | shading | PET, mm | blur, mm | noise |
|---|---|---|---|---|---|---|
"""
COMBAT = """ComBat of the regional features (the library pycombat), fitted in each fold on its
training people. Of the scanner that training has not seen, shift and spread are estimated from all
its held-out people together, without their diagnosis; here about as many of them have AD as of the
training people, which favours it ([reproduction.md](reproduction.md#other-scanners-and-sites)). The
run with another scanner, on *Paired*.
"""
MEAN = """Mean PET is one image for everybody: weighted by a person's tissue, its regional means
tell of the anatomy alone, which a classifier that has learnt from real PET may well read the wrong
way round (an AUC below .5).
"""
CHANGED = {HOLDS: "**higher**", NOT_HERE: "**lower**", UNTOLD: "cannot be told"}
THRESHOLD = """The AUC asks for the order of people of one scanner alone, which a shift of all of
them leaves as it is. The accuracy asks whether they lie on the right side of a threshold that was
set on the other scanner:
"""
SCALED = """Each image, real or synthetic, divided by its own mean of a region, or corrected for
partial volume at a resolution of {fwhm} mm; nothing is trained anew. The run with another scanner.
Differences of the AUC are to the scale as it is; a region's error does not compare between
corrected and other PET. The AUC of real PET and of the oracle leaves nothing to gain.
"""


class Scanners:
    """What both runs hold, ready to be written."""

    def __init__(self, results: Path, apart: Path, config: dict) -> None:
        block = config["gla_gan"]
        self.results, self.labels = results, labels_of(config, "gla_gan")
        self.unseen, self.seen = Images(results, block), Images(apart, block)
        self.simulation = config["studies"]["dementia"]["simulation"]
        self.fwhm = block["diagnosis"]["scaling"]["fwhm_mm"]
        self.positive = block["diagnosis"]["positive"]
        self.groups = f"{self.positive} against {block['diagnosis']['negative']}"
        visits = read_tsv(results / "datasets/linear/scanners.tsv", dtype={"subject": str})
        self.scanner = visits.drop_duplicates("subject").set_index("subject")["scanner"]
        self.told = {
            metric: {
                "unseen": self._measured(results, metric),
                "seen": self._measured(apart, metric),
                "harmonised": self._measured(results, metric, "harmonised/paired"),
            }
            for metric in (AUC, ACCURACY)
        }

    def _measured(
        self, results: Path, metric: str, place: str = "diagnosis/paired"
    ) -> dict[str, Measured]:
        paths = sorted(results.glob(f"gla_gan/{place}/*/fold-*.tsv"))
        if not paths:
            return {}
        rows = pool(paths)  # pairs of two scanners would count in one run and not in the other
        cells = rows.groupby(["fold", rows["subject"].map(self.scanner)]).ngroup()
        parts = rows.assign(fold=cells).groupby("method")
        return {str(name): measured_of(own, self.positive, metric) for name, own in parts}

    def named(self, method: str) -> str:
        """Return a method's label."""
        return self.labels.get(method, method)

    def machines(self) -> str:
        """Write how each scanner is set."""
        text = SCANNER
        for own in self.simulation["scanners"].values():
            voxels = [
                own.get(key, self.simulation[key]) for key in ("mri_voxel_mm", "pet_voxel_mm")
            ]
            sizes = [" x ".join(f"{size:g}" for size in sizes) for sizes in voxels]
            noise = own.get("mri_noise", mri.NOISE), own.get("pet_noise", pet.NOISE)
            low_to_high = ["{:g} to {:g}".format(*each) for each in noise]
            name = " ".join(machine(own, "MR").values())
            shading, blur = own.get("bias", mri.BIAS), own.get("pet_fwhm_mm", pet.FWHM)
            mr, pt = [sizes[0], low_to_high[0], f"{shading:g}"], [sizes[1], f"{blur:g}"]
            text += row([name, *mr, *pt, low_to_high[1]])
        return text

    def draw(self, page: Path) -> str:
        """Draw error and accuracy beside a page; return the picture's place."""
        both, another = "both scanners", "another scanner"
        errors = {
            both: {name: self.seen.measured(name) for name in self.seen.methods},
            another: {name: self.unseen.measured(name) for name in self.unseen.methods},
        }
        told = self.told[ACCURACY]
        right = {both: told["seen"], another: told["unseen"], "harmonised": told["harmonised"]}
        panels = [("MAE, intensity in 0..1", errors), (f"{ACCURACY}, {self.groups}", right)]
        place = f"images/{page.stem}.png"
        with tempfile.TemporaryDirectory() as work:
            save(scanner_figure(panels, self.labels), Path(work, "scanners.png"))
            shrink(Path(work, "scanners.png"), page.parent / place)
        return place

    def lost_images(self) -> str:
        """Write by how much the error grows on a scanner that a model has not seen."""
        text = (
            "| method | MAE, both scanners | MAE, another scanner | loses | of the gap | here |\n"
        )
        text += "|---|---|---|---|---|---|\n"
        for method in self.unseen.methods:
            if method not in self.seen.methods:
                continue
            own, other = (images.measured(method) for images in (self.unseen, self.seen))
            found, share = subtract(own, other), self.share(method)
            said = f"**{found.verdict}**" if method != BEST else ""
            text += row(
                [self.named(method), shown(other, 4), shown(own, 4), found.text(), share, said]
            )
        return text

    def share(self, method: str) -> str:
        """Write what a method loses in percent of the gap of folds by person."""
        if method in (WORST, BEST):
            return ""
        whole = subtract(self.seen.measured(WORST), self.seen.measured(BEST)).mean
        own = subtract(self.unseen.measured(method), self.seen.measured(method)).mean
        return f"{100 * own / whole:.0f}%"

    def directions(self) -> str:
        """Write what is lost on each scanner by itself."""
        text = "| tested on | method | MAE, both scanners | MAE, another scanner | loses | here |\n"
        text += "|---|---|---|---|---|---|\n"
        for scanner in sorted(set(self.scanner)):
            for method in self.unseen.methods:
                if method not in self.seen.methods or method == BEST:
                    continue
                own, other = (self.on(i, method, scanner) for i in (self.unseen, self.seen))
                found = subtract(own, other)
                cells = [shown(other, 4), shown(own, 4), found.text(), f"**{found.verdict}**"]
                text += row([scanner, self.named(method), *cells])
        return text

    def on(self, images: Images, method: str, scanner: str) -> Measured:
        """Measure the error of one method on the people of one scanner."""
        values = images.values
        there = values["subject"].map(self.scanner) == scanner
        own = values[there & (values["method"] == method) & (values["metric"] == ERROR)]
        return mean_of_folds(own.assign(fold=0))

    def lost_diagnosis(self, metric: str) -> str:
        """Write what a scanner that a classifier has not seen costs."""
        text = f"| PET | {metric}, both scanners | {metric}, another scanner | loses | here |\n"
        text += "|---|---|---|---|---|\n"
        told = self.told[metric]
        for method, own in told["unseen"].items():
            if method in told["seen"]:
                other = told["seen"][method]
                found = subtract(other, own)
                cells = [shown(other, 3), shown(own, 3), found.text(3), f"**{found.verdict}**"]
                text += row([self.named(method), *cells])
        return text

    def given_back(self, metric: str) -> str:
        """Write what ComBat gives back, beside what was lost."""
        text = f"| PET | {metric} as it is | {metric}, harmonised "
        text += "| gives back | of what was lost | here |\n|---|---|---|---|---|---|\n"
        told = self.told[metric]
        for method, own in told["harmonised"].items():
            before = told["unseen"][method]
            found, lost = subtract(own, before), None
            if method in told["seen"]:
                lost = subtract(told["seen"][method], before)
            share = f"{100 * found.mean / lost.mean:.0f}%" if lost and lost.low > 0 else ""
            cells = [shown(before, 3), shown(own, 3), found.text(3), share]
            text += row([self.named(method), *cells, f"**{found.verdict}**"])
        return text

    def scales(self) -> str:
        """Write the AUC and the regional error on other scales of uptake."""
        paths = sorted(self.results.glob("gla_gan/scaling/*/predictions.tsv"))
        text = f"| PET | scale | AUC, {self.groups} | above that as it is by | |\n"
        text += "|---|---|---|---|---|\n"
        for path in paths:
            table = read_tsv(path, dtype={"subject": str, "visit": str})
            by_scale = {
                str(scale): auc_of(own, self.positive)
                for scale, own in table.groupby("scale", sort=False)
            }
            for scale, own in by_scale.items():
                found = subtract(own, by_scale[AS_MADE])
                rest = [found.text(3), CHANGED[found.verdict]] if scale != AS_MADE else ["", ""]
                text += row([self.named(path.parent.name), scale, shown(own, 3), *rest])
        return text

    def listed(self, name: str, *metrics: str) -> str:
        """Write what a table of the run with another scanner has of some metrics."""
        table = read_tsv(self.results / f"gla_gan/tables/{name}.tsv", dtype={"level": str})
        return "\n".join(filter(None, (by_stratum(table, m, self.labels) for m in metrics)))

    def page(self, picture: str) -> str:
        """Return the page; `picture` is as `draw` returns it."""
        people = self.scanner[self.scanner.index.isin(set(self.unseen.values["subject"]))]
        each = ", ".join(f"{count} on {name}" for name, count in people.value_counts().items())
        without = ", ".join(self.named(name) for name in WITHOUT_PET)
        parts = [
            HEAD,
            f"{len(people)} people: {each}; a model learns from {self.unseen.learnt_from()}.\n",
            self.machines(),
            f"![On a scanner that was not learnt from]({picture})\n",
            f"## What images lose on another scanner\n\n{self.lost_images()}",
            f"### Each scanner by itself\n\n{self.directions()}",
            f"## What diagnosis loses\n\n{self.groups}; both people of a pair are of one fold and "
            f"one scanner. No PET stands behind {without}.\n\n"
            f"{self.lost_diagnosis(AUC)}\n{MEAN}\n{THRESHOLD}\n{self.lost_diagnosis(ACCURACY)}",
            f"## What harmonising gives back\n\n{COMBAT}\n{self.given_back(AUC)}\n"
            f"{self.given_back(ACCURACY)}",
            f"## Reference region and partial volume\n\n{SCALED.format(fwhm=self.fwhm)}\n"
            f"{self.scales()}",
            f"Error of regions, percent:\n\n{self.listed('scaling', REGIONAL)}",
            f"## By sex, age, group and scanner\n\nThe run with another scanner. An "
            f"AUC needs five people of each class.\n\n{self.listed('strata', METRIC, AUC)}",
        ]
        return "\n".join(parts)


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="?", default=Path("scanner/results"))
    parser.add_argument("--apart", type=Path, default=Path("person/results"))
    parser.add_argument("--configfile", type=Path, default=STUDY, help="of the runs")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/study-scanners.md")
    chosen = parser.parse_args()
    study = Scanners(chosen.results, chosen.apart, configuration(chosen.configfile))
    write_page(chosen.out, study.page(study.draw(chosen.out)))


if __name__ == "__main__":
    main()
