"""Whether intervals of synthetic PET hold as much as they should."""

from collections.abc import Mapping

import pandas as pd

from mri2pet.evaluation.coverage_tables import REFERENCES
from mri2pet.evaluation.image_metrics import words
from mri2pet.reporting.summary.parts import Dot, Finding, Plot, between

LEVEL = 95.0  # percent
METRIC = f"coverage at {LEVEL:.0f}"
HOLD, LESS, MORE, UNKNOWN = f"about {LEVEL:.0f}%", "less", "more", "cannot tell"
NOTE = (
    "Share of the brain's voxels whose real PET lies in the interval that should hold "
    f"{LEVEL:.0f}%, with its 95% interval over people. Voxelwise: mean and sd of the training "
    "people, no MRI."
)


def word_of(low: float, high: float) -> str:
    """Compare the interval of a coverage, in percent, with what it should be."""
    if pd.isna(low) or pd.isna(high):
        return UNKNOWN
    if low > LEVEL:
        return MORE
    return LESS if high < LEVEL else HOLD


def finding(table: pd.DataFrame, labels: Mapping[str, str]) -> Finding | None:
    """Say what the 95% intervals of a system hold, from its table of coverage."""
    rows = table[table["metric"] == METRIC].dropna(subset="mean")
    names = {**REFERENCES, **labels}
    dots, models = [], {}
    for row in rows.itertuples(index=False):
        label, word = names.get(row.method, row.method), word_of(row.low, row.high)
        value = between(row.mean, row.low, row.high, 0, "%")
        known = row.method in REFERENCES
        dots.append(Dot(label, value, row.mean, row.low, row.high, [word], reference=known))
        if not known:
            models[label] = word
    if not models:
        return None
    said = []
    for word, text in (
        (HOLD, f"hold about {LEVEL:.0f}%"),
        (LESS, f"hold less than {LEVEL:.0f}%"),
        (MORE, f"hold more than {LEVEL:.0f}%"),
        (UNKNOWN, "were seen on too few people to tell"),
    ):
        if chosen := [label for label, own in models.items() if own == word]:
            said.append(f"the {LEVEL:.0f}% intervals of {words(chosen)} {text}")
    start = min(80.0, 5 * (rows[["mean", "low"]].min().min() // 5))
    title = f"What intervals of {LEVEL:.0f}% hold"
    plot = Plot(title, "Held", start, 100.0, dots, {LEVEL: f"{LEVEL:.0f}%"}, ["Holds"], NOTE)
    return Finding("; ".join(said), [], [plot])
