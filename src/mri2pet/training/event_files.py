"""The history of a training as TensorBoard's event file."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

NO_CURVES = ("epoch",)


def run_name(history: str | Path) -> str:
    """Return what TensorBoard calls a training: system, model and fold.

    Parameters
    ----------
    history
        `results/<system>/models/<model>/fold-<k>/history.tsv`.
    """
    system, _, model, fold = Path(history).parts[-5:-1]
    return f"{system}/{model}/{fold}"


def write_events(history: Sequence[Mapping[str, float]], folder: str | Path) -> None:
    """Write every column of a history over the epochs, as scalars of its name.

    Parameters
    ----------
    history
        Rows of `history.tsv`, with `epoch`; what is no number in a row is left out of it.
    folder
        Of the event file; it is made.
    """
    from torch.utils.tensorboard import SummaryWriter  # not before it is needed

    with SummaryWriter(str(folder)) as writer:
        for row in history:
            for name, value in row.items():
                number = isinstance(value, int | float) and not math.isnan(value)
                if name not in NO_CURVES and number:
                    writer.add_scalar(name, value, int(row["epoch"]))
