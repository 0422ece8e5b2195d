"""Draw docs/images/gap.png: how far each method has come in a finished default run.

    python benchmarks/readme_picture.py [results] [--out docs/images/gap.png]

A point is the share of the way from Mean PET to the best PET that an MRI can tell, by MAE, with its
95% interval over people. What is further left than the axis is drawn at its end, with the number.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import yaml

from default_run import labels_of
from mri2pet.files import read_tsv

ROOT = Path(__file__).parents[1]
SYSTEMS = {"gla_gan": "GLA-GAN", "dual_glow": "DUAL-GLOW", "gan_anomaly": "GAN-made PET"}
ENDS = ("mean_pet", "oracle")
LEFT = -60.0  # percent; further left nothing is told apart
COLOURS = {"local_regression": "#b35900"}


def rows_of(results: Path) -> pd.DataFrame:
    """Return system, label, mean and interval of every method, the best of each system first."""
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    found = []
    for system in SYSTEMS:
        table = read_tsv(results / system / "tables/table1.tsv")
        table = table[(table["metric"] == "gap closed") & ~table["method"].isin(ENDS)]
        table = table.dropna(subset="mean").sort_values("mean", ascending=False)
        labels = labels_of(config, system)
        label = [labels.get(name, name) for name in table["method"]]
        found.append(table.assign(system=SYSTEMS[system], label=label))
    return pd.concat(found, ignore_index=True)


def draw(rows: pd.DataFrame, out: Path) -> None:
    """Draw a line for each method, a panel a system."""
    counts = rows.groupby("system", sort=False).size()
    figure, axes = plt.subplots(
        *(len(counts), 1),
        figsize=(8, 0.3 * len(rows) + 1.4),
        sharex=True,
        gridspec_kw={"height_ratios": counts.tolist()},
        layout="constrained",
    )
    for axis, (system, part) in zip(axes, rows.groupby("system", sort=False), strict=True):
        for y, row in enumerate(part.itertuples()):
            colour = COLOURS.get(row.method, "#1f5a99")
            if row.mean < LEFT:
                axis.plot(LEFT, y, marker="<", color=colour, clip_on=False)
                axis.text(LEFT + 3, y, f"{row.mean:.0f}", va="center", fontsize=8)
                continue
            axis.plot([max(row.low, LEFT), row.high], [y, y], color=colour, lw=1.6)
            axis.plot(row.mean, y, "o", color=colour, ms=5)
        axis.axvline(0, color="#555555", lw=1)
        axis.axvline(100, color="#555555", lw=1)
        axis.set_yticks(range(len(part)), part["label"], fontsize=8)
        axis.set_ylim(len(part) - 0.5, -0.5)
        axis.set_title(system, loc="left", fontsize=9, fontweight="bold")
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].set_xlim(LEFT, 104)
    axes[-1].set_xticks([-50, 0, 50, 100], ["-50", "0\nMean PET", "50", "100\nbest possible"])
    axes[-1].set_xlabel("percent of the way, by MAE, with 95% intervals over people", fontsize=8)
    figure.savefig(out, dpi=130)


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser("readme_picture", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("results", nargs="?", default="results")
    parser.add_argument("--out", default=str(ROOT / "docs/images/gap.png"))
    asked = parser.parse_args()
    draw(rows_of(Path(asked.results)), Path(asked.out))


if __name__ == "__main__":
    main()
