"""The main numbers of a run, a line a system, for the end of what it prints."""

from collections.abc import Sequence
from pathlib import Path

from mri2pet.files import MISSING
from mri2pet.runs.present import read_table

# System to its table of image quality; of its data sets, those that end in these words.
TABLES = {
    "gla_gan": ("gla_gan/tables/table1.tsv", ""),
    "dual_glow": ("dual_glow/tables/table1.tsv", ""),
    "gan_anomaly": ("gan_anomaly/tables/table1.tsv", ""),
    "ixi": ("ixi/tables/synthesis.tsv", "test"),
}
GAP, ERROR = "gap closed", "MAE"
HEAD = "percent of the way from Mean PET (0) to the best possible PET (100)"
ENDS = {"mean_pet", "oracle"}  # of this way


def main_numbers(results: str | Path, systems: Sequence[str]) -> list[str]:
    """Return lines with what each method has reached, the best mean first.

    Where the people are simulated, of the way from the mean image to the best that an MRI can tell;
    else the mean absolute error.

    Parameters
    ----------
    results
        The folder `results`.
    systems
        Of the run; one whose table is not there has no line.
    """
    lines: list[str] = []
    for system in systems:
        path, end = TABLES.get(system, ("", ""))
        rows = [row for row in read_table(Path(results, path)) if path]
        told = [row for row in rows if row["metric"] == GAP and row["mean"] != MISSING]
        metric = GAP if any(row["method"] not in ENDS for row in told) else ERROR
        datasets: dict[str, list[dict[str, str]]] = {}
        for row in rows:
            wanted = row["metric"] == metric and row["mean"] != MISSING
            if wanted and row["dataset"].endswith(end) and (metric == ERROR or row in told):
                # A system may name each of its methods' kinds a data set: one line for all.
                datasets.setdefault(row["dataset"] if metric == ERROR else "", []).append(row)
        for dataset, each in datasets.items():
            lines.append(_line(" ".join((system, dataset)).strip(), metric, each))
    return lines


def _line(name: str, metric: str, rows: Sequence[dict[str, str]]) -> str:
    """Return one line: methods with mean and interval."""
    rows = [row for row in rows if metric == ERROR or row["method"] not in ENDS]
    rows = sorted(rows, key=lambda row: float(row["mean"]) * (-1 if metric == GAP else 1))
    form = "{:.0f}" if metric == GAP else "{:.4g}"
    said = []
    for row in rows:
        low, high = row.get("low", MISSING), row.get("high", MISSING)
        known = MISSING not in (low, high)
        between = f" ({form}..{form})".format(float(low), float(high)) if known else ""
        said.append(f"{row['method']} {form.format(float(row['mean']))}{between}")
    what = HEAD if metric == GAP else f"{ERROR}, {rows[0]['unit']}"
    return f"{name}, {what}: {', '.join(said)}"
