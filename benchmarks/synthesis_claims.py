"""What the papers claim, and what the synthesis study tells of each claim, as tables of a page."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from mri2pet.diagnosis.methods import MEAN_PET, ONLY_MRI, REAL_PET
from mri2pet.evaluation.gap import BEST
from mri2pet.evaluation.resampling import interval
from study_words import HOLDS, LEVELS, NEAR, NOT_HERE, UNTOLD, held_levels, row, span
from synthesis_diagnosis import Diagnosis, added
from synthesis_values import FLOW, PEERS, REGRESSION, Effect, Images, Intervals, subtract

LIKE = "SSIM"
MAPS = "unet_maps"  # the U-Net that is shown what the local regression is shown
NETWORKS = (*PEERS, FLOW, MAPS)
LONG = ("unet_s2400", "unet_maps_s2400", "gla_gan_s2400")  # trained for four times as many steps
MODERN = "A modern flow"
STARTED = """The rectified flow starts from the {start}, and its one PET is that of the {start}:
their rows of images and diagnosis are the same. What it adds are draws, so that intervals and CRPS
are to be looked at. That its one PET is the one it starts from was settled when a fault was seen on
these people; its training and that of its start took less time than GLA-GAN's
([reproduction.md](reproduction.md#the-rectified-flow-of-no-paper-of-these-four)).
"""
FACTORS = """*Without guarantee* one factor makes intervals as wide as errors are on average in the
{held} people of a fold who are held out to set it. With it, {held} of these people, and one more
who might be missed whole, may be missed no more than told on average: an interval of {level}% may
miss {missed:.1f}% of what is measured in these people, so that it holds more than it says. Whether
intervals hold what they should is told by the mean.
"""
PLAIN = "Networks against no network"
MOST = 1.05  # times GLA-GAN's MAE: what a rectified flow may have if its CRPS is better
# title: what is claimed to be better, than what, in words
CLAIMS: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "GLA-GAN's paper": (
        ("gla_gan", "global_gan", "Global and local paths together beat the global path"),
        ("gla_gan", "local_gan", "Global and local paths together beat the local paths"),
        ("l1_ms_ssim", "l1_ssim", "MS-SSIM is better than SSIM, without the ROI loss"),
        ("gla_gan", "l1_ssim_roi", "MS-SSIM is better than SSIM, with the ROI loss"),
        ("simple_gan", "simple_gan_ssim", "MS-SSIM is better than SSIM, in the Simple-GAN"),
        ("gla_gan", "l1_ms_ssim", "The ROI loss helps, with MS-SSIM"),
        ("l1_ssim_roi", "l1_ssim", "The ROI loss helps, with SSIM"),
        ("gla_gan", "k2", "K = 4 is better than K = 2"),
        ("gla_gan", "k8", "K = 4 is better than K = 8"),
        ("lobes", "gla_gan", "Lobes are better than cuboids, which the paper leaves open"),
        ("simple_gan", "unet", "A discriminator, with MS-SSIM, helps the U-Net"),
        ("simple_gan_ssim", "unet", "A discriminator, with SSIM, helps the U-Net"),
        ("gla_gan", "unet", "GLA-GAN beats the U-Net"),
        ("gla_gan", "simple_gan", "GLA-GAN beats the Simple-GAN"),
        ("gla_gan", "cycle_gan", "GLA-GAN beats the Cycle-GAN"),
    ),
    "DUAL-GLOW's paper: a flow beats its peers": tuple(
        ("dual_glow", peer, "DUAL-GLOW beats {label}") for peer in PEERS if peer != "dual_glow"
    ),
    MODERN: tuple((FLOW, peer, "The rectified flow beats {label}") for peer in PEERS),
    PLAIN: (
        *((name, REGRESSION, "{own} beats the local regression") for name in (*NETWORKS, *LONG)),
        (MAPS, "unet", "Tissue maps, and people mirrored, help the U-Net"),
    ),
}
HEAD = (
    "| claim | MAE lower by | chance of training | SSIM higher by | here |\n|---|---|---|---|---|\n"
)


def in_short(
    images: Images, intervals: Intervals, found: Diagnosis, labels: Mapping[str, str]
) -> str:
    """Write what the study is read for, a line each; nothing of what is not there."""
    lines = []
    for name in ("gla_gan", "unet", MAPS, *LONG):
        if {name, REGRESSION} <= set(images.methods):
            better = images.better(name, REGRESSION)
            lines.append(
                f"{labels[name]} closes more of the gap than the local regression: "
                f"**{better.verdict}**, MAE lower by {better.text()}; chance of training "
                f"{of_chance(better)}."
            )
    lines += [f"{title}. {told}" for title, told in verdicts(images, labels).items()]
    lines += goal(images, intervals)
    names = (*NETWORKS, REGRESSION, MEAN_PET, REAL_PET, BEST)
    tables = [added(found, names, labels, over) for over in (ONLY_MRI, MEAN_PET)]
    return "\n".join(["".join(f"- {line}\n" for line in lines), *filter(None, tables)])


def claims_of(images: Images, labels: Mapping[str, str]) -> dict[str, list[tuple[str, str, str]]]:
    """Return title to claims in words, with the two models, of those models that are there."""
    there = set(images.methods)
    known = {
        title: [
            (words.format(label=labels[second], own=labels[first]), first, second)
            for first, second, words in claims
            if {first, second} <= there
        ]
        for title, claims in CLAIMS.items()
    }
    return {title: claims for title, claims in known.items() if claims}


def verdicts(images: Images, labels: Mapping[str, str]) -> dict[str, str]:
    """Return title to the claims of papers by what became of them."""
    found = {}
    for title, claims in claims_of(images, labels).items():
        said = pd.Series({words: images.better(one, two).verdict for words, one, two in claims})
        kinds = {kind: said.index[said == kind] for kind in (HOLDS, NOT_HERE, UNTOLD)}
        known = {kind.capitalize(): "; ".join(own) for kind, own in kinds.items() if len(own)}
        found[title] = " ".join(f"**{kind}**: {told}." for kind, told in known.items())
    return {title: told for title, told in found.items() if title != PLAIN}


def comparisons(images: Images, labels: Mapping[str, str]) -> str:
    """Write a table a paper, a row a claim about images; claims of models that are absent go."""
    text = ""
    for title, claims in claims_of(images, labels).items():
        rows = "".join(row([told, *cells(images, *models)]) for told, *models in claims)
        text += f"### {title}\n\n{HEAD}{rows}\n"
        if title == MODERN and images.start:
            text += f"{STARTED.format(start=labels[images.start])}\n"
    asked = {name for claims in CLAIMS.values() for claim in claims for name in claim[:2]}
    absent = asked - set(images.methods)
    if absent:
        names = "; ".join(sorted(labels.get(name, name) for name in absent))
        text += f"Claims about models that the run does not have are left out: {names}.\n"
    return text


def cells(images: Images, first: str, second: str) -> list[str]:
    """Return effect, chance, the effect on the likeness, and verdict of one comparison."""
    found, like = images.better(first, second), ""
    if LIKE in set(images.values["metric"]):
        like = images.better(first, second, LIKE).text(2)
    return [found.text(), of_chance(found), like, f"**{found.verdict}**"]


def of_chance(found: Effect) -> str:
    """Write what other random numbers change."""
    return "not known" if np.isnan(found.chance) else f"{found.chance:.4f}"


def gap_table(gaps: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Write how much of the gap each method closes, the nearest first."""
    if gaps.empty:
        return "The run does not know both ends of the gap.\n"
    text = "| method | share of the gap, % | sd over trainings | trainings | people |\n"
    text += "|---|---|---|---|---|\n"
    for name, own in gaps.sort_values("mean", ascending=False, kind="stable").iterrows():
        if pd.isna(own["mean"]):
            continue
        spread = "" if pd.isna(own["trainings_sd"]) else f"{own['trainings_sd']:.1f}"
        count = "" if pd.isna(own["trainings"]) else f"{own['trainings']:.0f}"
        text += row([labels.get(name, name), span(own, 0), spread, count, f"{own['n']:.0f}"])
    below = gaps.index[gaps["mean"] < 0]
    if len(below):
        names = ", ".join(labels.get(name, name) for name in below)
        text += f"\nFurther from the real PET than the mean image: {names}.\n"
    return text


def growth(
    images: Images,
    sets: Mapping[str, Mapping[int, str]],
    unit: str,
    labels: Mapping[str, str],
) -> str:
    """Write how the error falls with people, or steps.

    `sets` is a base model to how much it was given to the name of that entry.
    """
    sizes = sorted({size for own in sets.values() for size in own})
    heads = [
        "model",
        *(f"{size} {unit}" for size in sizes),
        "least to most",
        "chance of training",
        "here",
    ]
    text = row([*heads[:1], *(f"MAE, {head}" for head in heads[1:-3]), *heads[-3:]])
    text += f"|{'---|' * len(heads)}\n"
    for base, own in sets.items():
        errors = [f"{images.measured(own[size]).mean:.4f}" if size in own else "" for size in sizes]
        found = images.better(own[max(own)], own[min(own)])
        chance, said = of_chance(found), f"**{found.verdict}**"
        text += row([labels[base], *errors, found.text(), chance, said])
    return text


def against_regression(
    images: Images, sets: Mapping[str, Mapping[int, str]], labels: Mapping[str, str]
) -> str:
    """Write from how many people on a network beats the local regression that has as many."""
    text = "| model | people | MAE lower by | chance of training | here |\n|---|---|---|---|---|\n"
    lines = ""
    for base, own in sets.items():
        sizes = sorted(set(own) & set(sets.get(REGRESSION, {})))
        if base == REGRESSION or not sizes:
            continue
        from_here = None
        for size in sizes:
            effect, chance, _, said = cells(images, own[size], sets[REGRESSION][size])
            text += row([labels[base], str(size), effect, chance, said])
            from_here = None if HOLDS not in said else from_here or size
        told = f"beats it from {from_here} people on"
        if from_here is None:
            told = f"cannot be said to beat it with {sizes[-1]} people"
        lines += f"\n{labels[base]} {told}.\n"
    return text + lines


def calibration(
    images: Images, intervals: Intervals, table: pd.DataFrame | None, labels: Mapping[str, str]
) -> str:
    """Write what the flow adds in calibration, and whether it reaches what was set before."""
    text, lines = "", []
    if table is not None:
        heads = ["intervals of", *(f"{level}%" for level in LEVELS), f"within {NEAR} points"]
        text = f"{row(heads)}|{'---|' * len(heads)}\n"
        by_metric = table.set_index(["method", "metric"])
        for name in dict.fromkeys(table["method"]):
            for words, held, said in held_levels(by_metric.loc[name]):
                text += row([labels.get(name, name) + words, *held.values(), f"**{said}**"])
        text += "\n"
        if images.held:
            missed = max(((images.held + 1) * (100 - LEVELS[-1]) - 100) / images.held, 0)
            text += f"{FACTORS.format(held=images.held, level=LEVELS[-1], missed=missed)}\n"
    for other in intervals.methods:
        found = intervals.better(FLOW, other) if other != FLOW else None
        if found is not None:
            lines.append(
                f"The rectified flow's CRPS is below that of {labels.get(other, other)}: "
                f"**{found.verdict}**, lower by {found.text(5)}."
            )
    lines += goal(images, intervals)
    text += "".join(f"- {line}\n" for line in lines)
    return text or "The run has no intervals.\n"


def goal(images: Images, intervals: Intervals) -> list[str]:
    """Say whether the flow reaches what was asked of it before the study was run."""
    if not {FLOW, "gla_gan"} <= set(images.methods):
        return []
    near = images.better(FLOW, "gla_gan")
    own, other = images.measured(FLOW), images.measured("gla_gan")
    scaled = replace(other, mean=MOST * other.mean, resampled=MOST * other.resampled)
    within, scored = subtract(scaled, own), intervals.better(FLOW, "gla_gan")
    ratio = Effect(own.mean / other.mean, *_ratio(own.resampled / other.resampled, own.smallest))
    second = [within.verdict, scored.verdict if scored else UNTOLD]
    both = NOT_HERE if NOT_HERE in second else HOLDS if set(second) == {HOLDS} else UNTOLD
    arms = {near.verdict, both}
    said = HOLDS if HOLDS in arms else NOT_HERE if arms == {NOT_HERE} else UNTOLD
    whose = ", whose one PET is that of the network it starts from," * bool(images.start)
    crps = f"lower by {scored.text(5)}" if scored else "not known: GLA-GAN was trained once"
    return [
        f"The rectified flow{whose} closes at least as much of the gap as GLA-GAN, or has a better "
        f"CRPS at an MAE of no more than {MOST:.2f} times GLA-GAN's: **{said}**. MAE lower by "
        f"{near.text()}; MAE over GLA-GAN's {ratio.mean:.3f} ({ratio.low:.3f} to "
        f"{ratio.high:.3f}); CRPS {crps}."
    ]


def _ratio(drawn: np.ndarray, smallest: int) -> tuple[float, float]:
    low, high = interval(drawn, smallest)
    return float(low), float(high)
