"""What the pages of studies share: configurations laid over each other, verdicts, pictures."""

from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from PIL import Image

ROOT = Path(__file__).parents[1]
WIDTH = 1200  # pixels of a picture in the docs


def laid_over(base: dict, more: dict) -> dict:
    """Lay a configuration over another, as Snakemake does."""
    made = dict(base)
    for key, value in more.items():
        both = isinstance(value, dict) and isinstance(made.get(key), dict)
        made[key] = laid_over(made[key], value) if both else value
    return made


def configuration(study: Path) -> dict[str, Any]:
    """Read the default configuration with that of a study laid over it."""
    given = (ROOT / "config/config.yaml", study)
    return laid_over(*(yaml.safe_load(path.read_text()) for path in given))


def verdict(low: float, high: float) -> str:
    """Say what the interval of a difference that is claimed to be above zero tells."""
    return "holds here" if low > 0 else "not here" if high < 0 else "cannot be told"


def span(row: pd.Series, digits: int = 2) -> str:
    """Write a number with its interval, where it has one."""
    mean, low, high = (f"{row[name]:.{digits}f}" for name in ("mean", "low", "high"))
    return f"{mean} ({low} to {high})" if pd.notna(row["low"]) else mean


def shrink(source: Path, target: Path) -> None:
    """Write a figure for the docs: no wider than `WIDTH`, few colours."""
    image = Image.open(source).convert("RGB")
    image.thumbnail((WIDTH, 10 * WIDTH))
    target.parent.mkdir(exist_ok=True)
    image.quantize(64).save(target, optimize=True)
