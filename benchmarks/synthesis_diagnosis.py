"""What PET adds to the MRI in diagnosis, as differences with intervals and as tables of a page."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.diagnosis.methods import MEAN_PET, ONLY_MRI, REAL_PET, WITHOUT_PET
from mri2pet.evaluation.classification import AUC, metric_parts
from mri2pet.evaluation.comparison import Measured, Parts, Score, measure_folds
from mri2pet.evaluation.gap import BEST
from mri2pet.evaluation.image_tables import pool
from mri2pet.evaluation.same_visits import WITH_PET, parts_of
from mri2pet.evaluation.three_way import group_parts
from study_words import HOLDS, row
from synthesis_values import FLOW, PEERS, REGRESSION, Effect, effect, shown, subtract

CROSSED, SEVERAL = "learnt from synthetic PET", "all groups"
MACRO = "macro AUC"
PAIRED_ALONE = """
Real PET is the classifier of *Paired*: it learnt from the real PET of these people alone, while
others may have learnt from more people, or from synthetic PET.
"""


def auc_of(rows: pd.DataFrame, positive: str) -> Measured:
    """Measure the AUC of one method's predictions: subject fold truth predicted score."""
    return measured_of(rows, positive, AUC)


def measured_of(rows: pd.DataFrame, positive: str, metric: str) -> Measured:
    """Measure a metric of Table II of one method's predictions."""

    def score(own: pd.DataFrame, weights: NDArray) -> dict[str, Parts]:
        true, called = (own[name] == positive for name in ("truth", "predicted"))
        return {metric: metric_parts(true, called, own["score"], weights)[metric]}

    return measured_by(score, rows, metric)


def measured_by(score: Score, rows: pd.DataFrame, metric: str) -> Measured:
    """Measure one metric of one method's predictions; people are drawn within their groups."""
    return measure_folds(rows, score, pd.Series(dtype=float), rows["truth"])[metric]


class Diagnosis:
    """AUCs of all methods, and what they gain over the MRI alone."""

    def __init__(
        self, results: Path, positive: str, negative: str, several: Sequence[str] = ()
    ) -> None:
        self.groups = f"{positive} against {negative}"
        self.several = list(several)
        self.parts: dict[str, dict[str, Measured]] = {}
        places = [(dataset, f"diagnosis/{dataset}", "") for dataset in ("paired", "complete")]
        places += [(d, f"cross_fitted/{d}", f", {CROSSED}") for d in ("paired", "complete")]
        if several:
            places += [(d, f"three_way/{d}", f", {SEVERAL}") for d in ("paired", "complete")]
        folder = results / "gla_gan"
        for dataset, place, words in places:
            kind = place.partition("/")[0]
            shared = kind if kind == "three_way" else "diagnosis"
            paths = [*folder.glob(f"{place}/*/fold-*.tsv")]
            for method in (*WITHOUT_PET, REAL_PET):
                own = "paired" if method == REAL_PET else dataset
                paths += folder.glob(f"{shared}/{own}/{method}/fold-*.tsv")
            rows = pool(sorted(set(paths))) if paths else pd.DataFrame(columns=["method"])
            if ONLY_MRI not in set(rows["method"]) or not folder.joinpath(place).is_dir():
                continue
            for name, part in parts_of(rows, dataset.capitalize() + words).items():
                self.parts[name] = {
                    str(method): self._macro(own) if kind == "three_way" else auc_of(own, positive)
                    for method, own in part.groupby("method")
                }

    def _macro(self, rows: pd.DataFrame) -> Measured:
        return measured_by(lambda own, w: group_parts(own, self.several, w), rows, MACRO)

    def score(self, part: str) -> str:
        """Return what a part of the tables measures, in words."""
        if SEVERAL in part:
            return f"{MACRO} of {', '.join(self.several)}"
        return f"AUC of {self.groups}"

    def gain(self, part: str, method: str, over: str = ONLY_MRI) -> Effect:
        """Return by how much a method's AUC is above that of the MRI alone, or of another."""
        return subtract(self.parts[part][method], self.parts[part][over])

    def share(self, part: str, method: str, of: str) -> Effect | None:
        """Return the share of another's gain that a method brings, in percent.

        None where that other is not there, or does not surely gain anything.
        """
        measured = self.parts[part]
        if of not in measured or self.gain(part, of).verdict != HOLDS:
            return None
        own, whole, base = (measured[name] for name in (method, of, ONLY_MRI))
        with np.errstate(divide="ignore", invalid="ignore"):
            drawn = 100 * (own.resampled - base.resampled) / (whole.resampled - base.resampled)
        share = 100 * (own.mean - base.mean) / (whole.mean - base.mean)
        return effect(own, drawn, share)


OVER = {
    ONLY_MRI: "What PET adds to the MRI",
    MEAN_PET: "What PET adds to Mean PET, whose regional means tell of the anatomy alone",
}


def added(
    found: Diagnosis, methods: Collection[str], labels: Mapping[str, str], over: str = ONLY_MRI
) -> str:
    """Write what some methods' PET adds, learnt in the usual way: a column a part, or nothing."""
    parts = [p for p in found.parts if CROSSED not in p and WITH_PET not in p]
    parts = [part for part in parts if over in found.parts[part]]
    there = {name for part in parts for name in found.parts[part]}
    names = [name for name in methods if name in there - {over}]
    if not names:
        return ""
    heads = ["PET", *(f"{found.score(part)}, {part.partition(',')[0]}" for part in parts)]
    text = f"{OVER[over]}:\n\n{row(heads)}|{'---|' * len(heads)}\n"
    for name in names:
        gains = [found.gain(p, name, over) if name in found.parts[p] else None for p in parts]
        text += row([labels[name], *(f"{g.text(3)}, **{g.verdict}**" if g else "" for g in gains)])
    return text


def diagnosis(found: Diagnosis, labels: Mapping[str, str], without: Collection[str] = ()) -> str:
    """Write, a part of the tables each, what PET adds to the MRI, and what share of that."""
    text = ""
    for part, measured in found.parts.items():
        head = [
            "PET",
            found.score(part),
            "above the MRI alone by",
            "above Mean PET by",
            "% of real PET's gain",
            "% of the oracle's gain",
            "adds to the MRI",
        ]
        text += f"### {part}\n\n{row(head)}|{'---|' * len(head)}\n"
        for name in sorted({*measured} - {*without}, key=[*labels, *measured].index):
            own = measured[name]
            auc = shown(own, 3)
            if name == ONLY_MRI:
                text += row([labels.get(name, name), auc, "", "", "", "", ""])
                continue
            gain, shares = found.gain(part, name), []
            for of in (REAL_PET, BEST):
                share = None if name in (of, *WITHOUT_PET) else found.share(part, name, of)
                shares.append(share.text(0) if share else "")
            known = MEAN_PET in measured and name not in (MEAN_PET, *WITHOUT_PET)
            over = found.gain(part, name, MEAN_PET).text(3) if known else ""
            said = f"**{gain.verdict}**" if name not in WITHOUT_PET else ""
            text += row([labels.get(name, name), auc, gain.text(3), over, *shares, said])
        if REAL_PET in measured and (WITH_PET in part or CROSSED in part):
            text += PAIRED_ALONE
        text += f"\n{to_gain(found, part)}{flow_in_diagnosis(found, part, labels)}"
    if not any(CROSSED in part for part in found.parts):
        text += "The run has no diagnosis learnt from synthetic PET.\n"
    return text


def flow_in_diagnosis(found: Diagnosis, part: str, labels: Mapping[str, str]) -> str:
    """Say what the rectified flow's PET adds to the PET of others, a line each."""
    there, text, score = found.parts[part], "", MACRO if SEVERAL in part else AUC
    for other in (*PEERS, REGRESSION) if FLOW in there else ():
        if other in there:
            gain = found.gain(part, FLOW, other)
            text += (
                f"- The rectified flow's PET has a higher {score} than that of {labels[other]}: "
            )
            text += f"**{gain.verdict}**, {gain.text(3)}.\n"
    return f"{text}\n" if text else ""


def to_gain(found: Diagnosis, part: str) -> str:
    """Say how much there is to gain, and why there is no share of a gain that is not sure."""
    base, names = found.parts[part][ONLY_MRI].mean, {REAL_PET: "real PET", BEST: "the oracle"}
    text = f"The MRI alone has {base:.3f}: at most {1 - base:.3f} can be gained.\n\n"
    there = [of for of in names if of in found.parts[part]]
    lost = [names[of] for of in there if found.gain(part, of).verdict != HOLDS]
    if lost:
        of_these = " and of ".join(lost)
        text += f"No share of the gain of {of_these}: that there is one cannot be told.\n\n"
    return text
