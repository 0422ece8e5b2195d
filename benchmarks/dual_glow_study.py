"""Write docs/study-dual-glow.md from the tables of a run of config/study/dual_glow.yaml.

    python benchmarks/dual_glow_study.py [results] [--times FILE] [--configfile FILES] [--out FILE]

No number there is typed by hand.
"""

from pathlib import Path

import pandas as pd

from default_run import HELD, RATES, labels_of, markdown, times
from mri2pet.evaluation.image_metrics import LIKENESS
from mri2pet.evaluation.image_tables import pool
from mri2pet.evaluation.paired_differences import paired_differences
from mri2pet.files import read_tsv
from mri2pet.reporting.oracle import noted
from mri2pet.reporting.simplest import note_on_simplest
from study_words import (
    ROOT,
    arguments,
    configuration,
    held_lines,
    shrink,
    span,
    verdict,
    write_page,
)

STUDY = ROOT / "config/study/dual_glow.yaml"
FLOWS, GAUSSIAN = ("dual_glow", "dual_glow_side"), "voxel_gaussian"
SLOPES = "age told, correlation over regions"
IMAGES = ("MAE", "gap closed", LIKENESS.name, "CorCoef", "SSIM", "PSNR")
PICTURES = {
    "uncertainty_dual_glow_side": "Uncertainty",
    "regions_dual_glow_side": "Uptake of regions told other ages",
}
WHY = """
Of the people held out inside a fold (`dual_glow.validation`) the conformal step asks that n people,
and one more who might be missed whole, are missed no more than told on average: with n = 19 and
95% that is (19 m + 1) / 20 <= .05, so m = 0. Its intervals then hold more than they say; of 39
people they would have to miss 2.6% at most. The factor without guarantee holds the share of these n
people on average.

Two things were added after this study's intervals had been seen: the factor without guarantee, for
the arithmetic above, and that draws take a power of the temperatures, since by the likelihood's the
coarse codes made images that were no PET. Nothing is chosen on the people tested. The study has not
been made again with other people.
"""
HEAD = """# The study of DUAL-GLOW

Written by `python benchmarks/dual_glow_study.py` from the tables of

    snakemake --cores 2 --configfile config/study/dual_glow.yaml

**All people are simulated: no number here speaks about patients.** Rates, widths and losses are
those of the default run when it was made, chosen on people of another seed. What the rows and
metrics are: [reproduction.md](reproduction.md). In brackets: 95% intervals by resampling people;
sd over folds.
"""


def _less(own: pd.Series, other: pd.Series) -> str:
    """Say whether one is less than the other: their intervals do not meet."""
    return verdict(other["low"] - own["high"], other["high"] - own["low"])


class Study:
    """What the tables of the run hold, ready to be written."""

    def __init__(self, results: Path, config: dict) -> None:
        self.folder = results / "dual_glow/tables"
        self.labels = labels_of(config, "dual_glow")
        self.people = config["studies"]["dementia"]["simulation"]["paired"]
        self.folds = config["folds"]["n"]
        self.rows = set(self.table("table1")["method"])

    def table(self, name: str) -> pd.DataFrame:
        """Return one of the run's tables."""
        return read_tsv(self.folder / f"{name}.tsv", dtype={"level": str})

    def claims(self) -> str:
        """Say of each claim what the study tells."""
        lines = [*self._coverage(), *self._images(), self._ages(), *self._diagnosis()]
        return "".join(f"- {line}\n" for line in lines)

    def _coverage(self) -> list[str]:
        table, lines = self.table("coverage").set_index(["method", "metric"]), []
        gauss = table.loc[GAUSSIAN] if GAUSSIAN in table.index else None
        for name in FLOWS:
            rows = table.loc[name]
            lines += held_lines(rows, self.labels[name])
            if gauss is not None:
                metric = "width where 95 is held"
                own, other = rows.loc[metric], gauss.loc[metric]
                said = _less(own, other)
                bits = [part.loc["bits per voxel"] for part in (rows, gauss)]
                scores = [part.loc["CRPS"] for part in (rows, gauss)]
                lines.append(
                    f"Draws of {self.labels[name]} are nearer to the real PET, by CRPS, than each "
                    f"voxel by itself: **{_less(*scores)}**. {span(scores[0], 4)} against "
                    f"{span(scores[1], 4)}."
                )
                lines.append(
                    f"They are narrower than those of each voxel by itself where both hold 95%: "
                    f"**{said}**. {span(own, 3)} against {span(other, 3)}; bits a voxel "
                    f"{span(bits[0])} against {span(bits[1])}."
                )
        return lines

    def _images(self) -> list[str]:
        gap = self.table("table1")
        gap = gap[gap["metric"] == "gap closed"].set_index("method")
        differences = self._differences().set_index(["method", "against"])
        lines = []
        for name in gap.index:
            if name in ("mean_pet", "oracle"):
                continue
            row = differences.loc[(name, "mean_pet")]
            line = (
                f"{self.labels[name]} is nearer to the real PET than Mean PET: "
                f"**{verdict(-row['high'], -row['low'])}**, {span(gap.loc[name], 0)}% of the gap"
            )
            if (name, "local_regression") in differences.index:
                row = differences.loc[(name, "local_regression")]
                line += (
                    "; nearer than the local regression: "
                    f"**{verdict(-row['high'], -row['low'])}** (MAE {span(row, 4)} apart)"
                )
            lines.append(f"{line}.")
        return lines

    def _differences(self) -> pd.DataFrame:
        """Subtract the yardsticks' errors from everybody's, person by person."""
        paths = sorted(self.folder.parent.glob("metrics/*/fold-*.tsv"))
        values = pool(paths)
        return paired_differences(values[values["method"].isin(self.rows)])

    def _ages(self) -> str:
        table = self.table("counterfactual").set_index(["method", "metric"])
        row = table.loc[("dual_glow_side", SLOPES)]
        said = "holds here" if row["low"] >= 0.6 else "not here" if row["high"] < 0.6 else "near"
        return (
            "Told another age, uptake follows the truth, r of the slopes over regions at least .6: "
            f"**{said}**, {span(row)}."
        )

    def _diagnosis(self) -> list[str]:
        lines = []
        for name, words in (("table2", "on real images"), ("cross_fitted", "on synthetic PET")):
            table = self.table(name)
            table = table[table["metric"] == "AUC"]
            each = "; ".join(
                f"{self.labels.get(row['method'], row['method'])} {span(row)}"
                for _, row in table.iterrows()
            )
            lines.append(f"AUC of AD against CN, learnt {words}: {each}.")
        return lines

    def page(self, jobs: Path) -> str:
        """Return the page."""
        one = self.table("table1")
        notes = noted("", one, self.labels).strip() + note_on_simplest(one, self.labels)
        tables = {
            "Image quality": markdown(one, self.labels, IMAGES) + f"\n{notes}\n",
            "What intervals hold": markdown(self.table("coverage"), self.labels, HELD),
            "Told another age or diagnosis": markdown(
                self.table("counterfactual"), self.labels, None
            ),
            "Diagnosis, learnt on real images": markdown(self.table("table2"), self.labels, RATES),
            "Diagnosis, learnt on synthetic PET": markdown(
                self.table("cross_fitted"), self.labels, RATES
            ),
        }
        pictures = [f"![{title}](images/study-{name}.png)\n" for name, title in PICTURES.items()]
        parts = [
            HEAD,
            f"{self.people} people with MRI and PET, {self.folds} folds.\n",
            f"## What is claimed, and what the study tells\n\n{self.claims()}{WHY}",
            *pictures,
            *(f"## {title}\n\n{text}" for title, text in tables.items()),
            f"## Time\n\n{times(jobs)}" if jobs.is_file() else "",
        ]
        return "\n".join(part for part in parts if part)


def main() -> None:
    """Write the page and its pictures."""
    chosen = arguments(__doc__, STUDY, "study-dual-glow.md")
    for name in PICTURES:
        made = chosen.out.parent / f"images/study-{name}.png"
        shrink(chosen.results / f"dual_glow/figures/{name}.png", made)
    study = Study(chosen.results, configuration(*chosen.configfile))
    write_page(chosen.out, study.page(chosen.times))


if __name__ == "__main__":
    main()
