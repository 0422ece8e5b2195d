"""What a detector's bundle makes of one preprocessed person: a map, ranked clusters, remarks."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd

from mri2pet.bundles.detector import Detector
from mri2pet.bundles.placed import on_t1
from mri2pet.bundles.unlike import remarks, unlikeness
from mri2pet.files import write_tsv
from mri2pet.imaging.qcplots import draw
from mri2pet.imaging.volume import Array, Volume, array, load_scan, save_volume
from mri2pet.imaging.warp import Warp


@dataclass(frozen=True)
class Judged:
    """A person's PET beside those of controls.

    Attributes
    ----------
    score, ranks
        In MNI152 on the detector's grid: large where the PET is unlike controls'; 1 in the first
        cluster, and so on.
    clusters
        As `Detector.clusters` gives it.
    unlike
        What `unlike.unlikeness` says of PET and MRI.
    remarks
        What of it is beyond a limit, in words.
    """

    score: Volume
    ranks: Volume
    clusters: pd.DataFrame
    unlike: Mapping[str, float]
    remarks: list[str]


def judge(
    detector: Detector,
    pet: Array,
    seen: Array,
    person: Mapping[str, Any],
    measures: Mapping[str, float | None],
    limits: Mapping[str, float],
) -> Judged:
    """Find the clusters of a person's PET and what there is to say of it.

    Parameters
    ----------
    detector
        The opened bundle.
    pet, seen
        (X, Y, Z) on the detector's grid: float32, 0 to 1; bool, what is measured.
    person
        `age`, if it is known.
    measures
        Of the MRI's quality control.
    limits
        The block `apply.limits`.
    """
    score = detector.scores(pet, seen)
    ranks, table = detector.clusters(score, seen)
    age = person.get("age")
    age = None if age is None or pd.isna(age) else float(age)
    ages = detector.about["trained_on"]["age_years"]
    brain = detector.mask & seen
    unlike = unlikeness(detector.about["like"], ages, pet, brain, measures, age)
    return Judged(
        score=Volume(score, detector.affine),
        ranks=Volume(ranks, detector.affine),
        clusters=table,
        unlike=unlike,
        remarks=remarks(unlike, limits),
    )


def save_judged(
    found: Judged,
    t1w: str | Path,
    to_template: Array,
    warp: Warp,
    made: Mapping[str, str | Path],
) -> dict[str, Any]:
    """Carry the clusters onto the T1, and write volumes, the picture and the table.

    Parameters
    ----------
    found
        As `judge` gives it.
    t1w
        The person's T1 in BIDS, as it came from the scanner.
    to_template, warp
        As for `placed.on_t1`.
    made
        Paths: `score` and `clusters` in MNI152, `clusters_t1` on the grid of the T1, `picture`,
        `table`.

    Returns
    -------
    dict
        What a sidecar says of it.
    """
    raw = nib.load(t1w)
    count = len(found.clusters)
    ranks = array(found.ranks)
    # Each cluster by itself: between two ranks there is none in the middle.
    each = [
        Volume((ranks == k).astype(np.float32), found.ranks.affine) for k in range(1, count + 1)
    ]
    placed = np.zeros(raw.shape[:3], np.int16)
    carried = on_t1(each, to_template, warp, raw.affine, raw.shape) if each else []
    for rank, volume in enumerate(carried, start=1):
        placed[(array(volume) >= 0.5) & (placed == 0)] = rank
    back = Volume(placed, raw.affine)
    save_volume(made["score"], found.score)
    save_volume(made["clusters"], found.ranks)
    save_volume(made["clusters_t1"], back)
    found_at = nib.as_closest_canonical(back)
    first = np.argwhere(array(found_at) == 1)
    at = found_at.affine[:3] @ [*np.median(first, axis=0), 1] if len(first) else None
    title = (
        f"T1, clusters outlined ({count}), planes through the first" if count else "T1: no cluster"
    )
    draw(made["picture"], load_scan(t1w), title, [array(found_at) > 0], at)
    write_tsv(made["table"], found.clusters)
    numbers = {name: round(float(value), 3) for name, value in found.unlike.items()}
    return {"Unlike": numbers, "Remarks": list(found.remarks), "Clusters": count}
