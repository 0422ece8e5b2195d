"""The history of a training as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mri2pet.files import atomic

NOT_LOSSES = ("epoch", "learning_rate", "steps", "seconds")


def plot_history(history: Sequence[Mapping[str, float]], title: str, path: str | Path) -> None:
    """Draw every loss over the epochs, a panel each (PNG).

    Parameters
    ----------
    history
        Rows of `loop.train`.
    title
        Above the panels.
    path
        PNG file.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    epochs = [row["epoch"] for row in history]
    names = [key for key in history[0] if key not in NOT_LOSSES]
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(4 * columns, 2.8 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    for i, name in enumerate(names, start=1):
        axis = figure.add_subplot(rows, columns, i)
        axis.plot(epochs, [row[name] for row in history], marker="." if len(epochs) < 50 else "")
        axis.set(title=name.replace("_", " "), xlabel="epoch", ylabel="mean loss")
        axis.xaxis.get_major_locator().set_params(integer=True)
    figure.suptitle(title)
    with atomic(path) as partial:
        figure.savefig(partial, dpi=100)
