"""What the pages of studies share: configurations laid over each other, verdicts, pictures."""

import argparse
import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from PIL import Image

from mri2pet.config.left_out import without_left_out
from mri2pet.config.systems import SYSTEMS
from mri2pet.evaluation.gap import METRIC
from mri2pet.files import atomic

ROOT = Path(__file__).parents[1]
WIDTH = 1200  # pixels of a picture in the docs
LEVELS = (50, 80, 90, 95)  # percent that intervals are to hold
NEAR = 5  # percent points between what intervals hold and what they should
HOLDS, NOT_HERE, UNTOLD = "holds here", "not here", "cannot be told"


def arguments(doc: str, study: Path, out: str) -> argparse.Namespace:
    """Read a page's command line: `results`, `--times`, `--configfile`, `--out`."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="?", default=Path("results"))
    parser.add_argument("--times", type=Path, default=Path("logs/jobs.tsv"))
    told = "of the run, in its order"
    parser.add_argument("--configfile", type=Path, nargs="+", default=[study], help=told)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / out)
    return parser.parse_args()


def write_page(path: Path, text: str) -> None:
    """Write the page whole or not at all."""
    with atomic(path) as partial:
        partial.write_text(text)


def from_root(path: Path) -> Path:
    """Return a path as it is called from the project's folder; one outside as it is."""
    whole = path.resolve()
    return whole.relative_to(ROOT) if whole.is_relative_to(ROOT) else path


def laid_over(base: dict, more: dict) -> dict:
    """Lay a configuration over another, as Snakemake does."""
    made = dict(base)
    for key, value in more.items():
        both = isinstance(value, dict) and isinstance(made.get(key), dict)
        made[key] = laid_over(made[key], value) if both else value
    return made


def configuration(*files: Path) -> dict[str, Any]:
    """Read the default configuration with files laid over it in turn; what is null is gone."""
    given = (yaml.safe_load(path.read_text()) for path in (ROOT / "config/config.yaml", *files))
    return without_left_out(functools.reduce(laid_over, given), SYSTEMS)


def verdict(low: float, high: float) -> str:
    """Say what the interval of a difference that is claimed to be above zero tells."""
    return HOLDS if low > 0 else NOT_HERE if high < 0 else UNTOLD


def held_levels(rows: pd.DataFrame) -> Iterator[tuple[str, dict[int, str], str]]:
    """Yield which factor, what is held by level, and whether that is about what it should be.

    `rows` are of `coverage.tsv`, by metric, of one method; intervals have one factor or two.
    """
    for ending, words in (("", ""), (", on average", ", by the factor without guarantee")):
        names = {level: f"coverage at {level}{ending}" for level in LEVELS}
        if names[LEVELS[0]] not in rows.index:
            continue
        held = {level: rows.loc[name] for level, name in names.items()}
        off = max(abs(row["mean"] - level) for level, row in held.items())
        shown = {level: span(row, 0) for level, row in held.items()}
        yield words, shown, HOLDS if off <= NEAR else NOT_HERE


def held_lines(rows: pd.DataFrame, label: str) -> list[str]:
    """Say whether a method's intervals hold about as much as they should, a sentence a factor."""
    lines = []
    for words, held, said in held_levels(rows):
        each = ", ".join(f"{level}%: {share}" for level, share in held.items())
        lines.append(
            f"Intervals of {label}{f'{words},' * bool(words)} hold within {NEAR} points of what "
            f"they should at every level: **{said}**. {each}."
        )
    return lines


def row(cells: Sequence[str]) -> str:
    """Write a row of a table."""
    return f"| {' | '.join(cells)} |\n"


def span(row: pd.Series, digits: int = 2) -> str:
    """Write a number with its interval, where it has one."""
    mean, low, high = (f"{row[name]:.{digits}f}" for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})" if pd.notna(row["low"]) else mean


def by_stratum(table: pd.DataFrame, metric: str, labels: Mapping[str, str]) -> str:
    """Write one metric of `strata.tsv` or `scaling.tsv`: a row a method, a column a stratum.

    Its people stand at its head. Empty where there is no such metric.
    """
    own = table[table["metric"].str.startswith(f"{metric}, ")].dropna(subset="mean")
    if own.empty:
        return ""
    own = own.assign(stratum=own["metric"].str.removeprefix(f"{metric}, "))
    strata = own.groupby("stratum", sort=False)["n"].max()
    heads = [f"{metric}, {name} ({n} people)" for name, n in strata.items()]
    text = f"| method | {' | '.join(heads)} |\n|{'---|' * (len(heads) + 1)}\n"
    for method, rows in own.groupby("method", sort=False):
        there = rows.drop_duplicates("stratum").set_index("stratum")
        digits = 0 if metric == METRIC else 2
        cells = [
            span(there.loc[name], digits) if name in there.index else "" for name in strata.index
        ]
        text += f"| {labels.get(method, method)} | {' | '.join(cells)} |\n"
    return text


def shrink(source: Path, target: Path) -> None:
    """Write a figure for the docs: no wider than `WIDTH`, few colours."""
    image = Image.open(source).convert("RGB")
    image.thumbnail((WIDTH, 10 * WIDTH))
    target.parent.mkdir(exist_ok=True)
    image.quantize(64).save(target, optimize=True)
