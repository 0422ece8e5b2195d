"""How long each model of a table was trained: models of unlike budgets are no fair comparison."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from mri2pet.files import read_tsv


def steps_of(
    histories: Iterable[str | Path], starts: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Count the steps of each model's generator, over all epochs trained; mean over folds.

    Parameters
    ----------
    histories
        `.../{model}/fold-{k}/history.tsv`, with a column `steps`: those of each epoch. A model
        whose history has none (it takes no steps) is left out.
    starts
        Model to the one that it goes on from, whose steps count as well.

    Returns
    -------
    Model to steps.
    """
    own = defaultdict(list)
    for path in map(Path, histories):
        history = read_tsv(path)
        if "steps" in history:
            own[path.parent.parent.name].append(int(history["steps"].sum()))
    steps = {model: float(np.mean(counts)) for model, counts in own.items()}
    return {model: _with_start(model, steps, starts or {}) for model in steps}


def with_steps(table: pd.DataFrame, steps: Mapping[str, float]) -> pd.DataFrame:
    """Add a column `steps`, whole numbers; missing for rows that took none.

    Parameters
    ----------
    table
        Long, with a column `method`.
    steps
        As `steps_of` counts them.
    """
    found = table["method"].map(dict(steps)).astype("Float64").round().astype("Int64")
    return table.assign(steps=found)


def _with_start(model: str, steps: Mapping[str, float], starts: Mapping[str, str]) -> float:
    total, at = 0.0, model
    while at in steps:
        total += steps[at]
        at = starts.get(at, "")
    return total
