"""Write docs/default_run.md from the tables of a finished run: no number there is typed by hand.

    python benchmarks/default_run.py [results] [--times logs/jobs.tsv] [--out docs/default_run.md]

A cell is mean ± sd, then the 95% interval over people where there is one.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from mri2pet.evaluation.coverage_tables import REFERENCES as VOXELWISE
from mri2pet.evaluation.image_metrics import LIKENESS
from mri2pet.evaluation.image_tables import REFERENCES
from mri2pet.files import atomic, read_tsv
from mri2pet.reporting.oracle import noted
from mri2pet.reporting.simplest import note_on_simplest
from mri2pet.reporting.views import FURTHER, metric_of
from mri2pet.runs.times import read_jobs, sum_times, wall_seconds

ROOT = Path(__file__).parents[1]
HEAD = """# What the default run gives

Written by `python benchmarks/default_run.py` from the tables of a finished `make run`.
**All people are simulated: no number here speaks about patients.** A cell is the mean ± sd (over
folds; in the anomaly and the IXI tables over people), then the 95% interval over people where there
is one. What the rows are: [reproduction.md](reproduction.md).
"""
# heading, table, metrics (None: all)
DIAGNOSIS = ("AUC", "accuracy", "sensitivity", "specificity")
WHOLE = ("MAE (whole volume)", "PSNR (whole volume)")
RATES = ("AUC", "accuracy", "false negative rate", "false positive rate")
HELD = (
    *(f"coverage at {share}" for share in (50, 80, 90, 95)),
    "width where 95 is held",
    "CRPS",
    "bits per voxel",
)
DETECTION = (
    "detection sensitivity",
    "sensitivity of the first cluster",
    "area under the detection curve",
    "area above chance",
    "specificity",
    "false clusters a person",
)
TABLES = (
    ("GLA-GAN: image quality", "gla_gan/table1", ("MAE", "gap closed", "SSIM", "PSNR", *WHOLE)),
    ("GLA-GAN: what intervals hold", "gla_gan/coverage", HELD),
    ("GLA-GAN: diagnosis, Paired", "gla_gan/table2", DIAGNOSIS),
    ("GLA-GAN: diagnosis, Complete", "gla_gan/table3", DIAGNOSIS),
    ("GLA-GAN: diagnosis learnt from synthetic PET", "gla_gan/cross_fitted", DIAGNOSIS),
    (
        "GLA-GAN: how much of the contrast of the disease is kept",
        "gla_gan/regional_bias",
        ("contrast slope", "contrast correlation"),
    ),
    (
        "DUAL-GLOW: image quality",
        "dual_glow/table1",
        ("MAE", "gap closed", LIKENESS.name, "CorCoef", "SSIM", "PSNR"),
    ),
    ("DUAL-GLOW: what intervals hold", "dual_glow/coverage", HELD),
    ("DUAL-GLOW: told another age or diagnosis", "dual_glow/counterfactual", None),
    ("DUAL-GLOW: diagnosis", "dual_glow/table2", RATES),
    ("DUAL-GLOW: diagnosis learnt from synthetic PET", "dual_glow/cross_fitted", RATES),
    ("GAN-made PET", "gan_anomaly/table1", ("SSIM", "PSNR", "LPIPS", "gap closed")),
    ("Detection of lesions", "gan_anomaly/detection", DETECTION),
    ("IXI: synthesis", "ixi/synthesis", ("MAE", "PSNR")),
)
COUNTED = ("steps",)  # columns of a table that are shown as they are


def labels_of(config: dict, system: str) -> dict[str, str]:
    """Return the labels of a system's models, and of rows that are no models."""
    block = config[system]
    models = block["models"] | block.get("ablations", {}).get("variants", {})
    detector = block.get("detector", {})
    sets = detector.get("training_sets", {}) | detector.get("plain", {})
    own = {name: entry.get("label", name) for name, entry in (models | sets).items()}
    chance = {
        f"{before}_{name}": f"{own[name]}, {what}"
        for before, what in (("chance", "lesions moved"), ("shuffled", "clusters in random order"))
        for name in sets
    }
    return REFERENCES | VOXELWISE | own | chance


def cell(row: pd.Series) -> str:
    """Write mean, sd and interval of one row of a long table."""
    metric = metric_of(row["metric"])
    digits = metric.digits if metric else FURTHER.get(row["metric"], 2)
    digits = min(digits, 4)
    if not np.isfinite(row["mean"]):
        return "n/a"
    text = f"{row['mean']:.{digits}f}"
    if np.isfinite(row["sd"]):
        text += f" ± {row['sd']:.{digits}f}"
    if np.isfinite([row["low"], row["high"]]).all():
        text += f" ({row['low']:.{digits}f} to {row['high']:.{digits}f})"
    return text


def markdown(
    table: pd.DataFrame,
    labels: dict[str, str],
    metrics: tuple[str, ...] | None,
) -> str:
    """Write a long table as one line a dataset and method, one column a metric."""
    table = table[table["mean"].notna() | table["metric"].isin(metrics or ())]
    wanted = list(metrics or dict.fromkeys(table["metric"]))
    there = [name for name in wanted if name in set(table["metric"])]
    keys = ["method"] if table["dataset"].nunique() == 1 else ["dataset", "method"]
    counted = [name for name in COUNTED if name in table and table[name].notna().any()]
    head = [*keys, *there, *counted, "people"]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    table = table[table["metric"].isin(there)]
    for _, rows in table.groupby(["dataset", "method"], sort=False):
        first, by_metric = (
            rows.iloc[0],
            rows.drop_duplicates("metric").set_index("metric", drop=False),
        )
        cells = [
            str(first[key]) if key == "dataset" else labels.get(first[key], first[key])
            for key in keys
        ]
        cells += [cell(by_metric.loc[name]) if name in by_metric.index else "" for name in there]
        cells += ["" if pd.isna(first[name]) else f"{first[name]:.0f}" for name in counted]
        lines.append(f"| {' | '.join([*cells, str(first['n'])])} |")
    return "\n".join(lines) + "\n"


def times(path: Path) -> str:
    """Write what the trainings and all else of the run took."""
    jobs = read_jobs(path)
    total = sum(row.total for row in sum_times(jobs, lambda job: job.rule))
    longest = sorted(sum_times(jobs, lambda job: job.rule), key=lambda row: -row.total)[:12]
    lines = ["| rule | jobs | seconds in all |", "|---|---|---|"]
    lines += [f"| {row.name} | {row.jobs} | {row.total:.0f} |" for row in longest]
    said = f"{len(jobs)} jobs in {wall_seconds(jobs) / 60:.1f} minutes; "
    said += f"their seconds add up to {total:.0f}.\n"
    return said + "\n" + "\n".join(lines) + "\n"


def page(results: Path, config: dict, jobs: Path | None) -> str:
    """Return the page; a table that the run did not make is left out."""
    parts = [HEAD]
    for heading, name, metrics in TABLES:
        system, _, stem = name.partition("/")
        path = results / system / "tables" / f"{stem}.tsv"
        if not path.is_file():
            continue
        table, labels = read_tsv(path, dtype={"level": str}), labels_of(config, system)
        said = noted("", table, labels).strip() if stem == "table1" else ""
        said += note_on_simplest(table, labels) if stem == "table1" else ""
        body = markdown(table, labels, metrics)
        parts.append(f"## {heading}\n\n{body}" + (f"\n{said.strip()}\n" if said else ""))
    if jobs is not None and jobs.is_file():
        parts.append(f"## Time\n\n{times(jobs)}")
    return "\n".join(parts)


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"))
    parser.add_argument("--times", type=Path, default=Path("logs/jobs.tsv"))
    parser.add_argument("--out", type=Path, default=ROOT / "docs/default_run.md")
    chosen = parser.parse_args()
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    with atomic(chosen.out) as partial:
        partial.write_text(page(chosen.results, config, chosen.times))


if __name__ == "__main__":
    main()
