"""Measure the warp to MNI152 of a simulated cohort against what was put in; print the table.

    python benchmarks/nonlinear_accuracy.py results [--out table.md]

Reads `results/preproc` and `results/simulated/truth`. A row is a visit that has a warp; every
measure stands twice, by the affine alone and by affine and warp. The last row is the mean.
"""

import argparse
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from nibabel.affines import apply_affine
from scipy.ndimage import map_coordinates

from mri2pet.exclusion import is_excluded
from mri2pet.files import read_json
from mri2pet.imaging import qc, volume
from mri2pet.imaging.warp import Warp, load_warp
from mri2pet.simulation.truth import load_truth
from preprocessing_accuracy import REGIONS, markdown, visits
from templates import nlin6_from_2009c

GREY = 1  # of tissue.nii.gz


class Target:
    """The template's brain at 2 mm: points, their AAL regions, and who was measured there."""

    def __init__(self, folder: Path) -> None:
        self.from_2009c = nlin6_from_2009c(folder)
        mask = volume.load_volume(folder / "mni152_brain_mask.nii.gz")
        self.points = apply_affine(mask.affine, np.argwhere(volume.array(mask) > 0))
        self.atlas = volume.load_volume(folder / "aal.nii.gz")
        self.labels = nearest(self.atlas, self.points)
        self.grey: dict[str, list[np.ndarray]] = {"affine": [], "warp": []}

    def measure(self, prefix: str, truth_folder: Path) -> dict[str, float]:
        """Measure one visit by the affine alone and with the warp."""
        truth = load_truth(truth_folder)
        to_acpc = volume.load_transform(f"{prefix}_from-T1w_to-ACPC_mode-image_xfm.txt")
        affine = volume.load_transform(f"{prefix}_from-ACPC_to-MNI152_mode-image_xfm.txt")
        syn = f"{prefix}_from-ACPC_to-MNI152_desc-syn_mode-image_xfm"
        tissue = volume.load_volume(truth_folder / "tissue.nii.gz")
        none = Warp(np.zeros((3, 2, 2, 2), np.float32), np.eye(4))
        row = {}
        for name, warp in (("affine", none), ("warp", load_warp(f"{syn}.nii.gz"))):
            in_t1 = apply_affine(np.linalg.inv(affine @ to_acpc), warp.carry(self.points.T).T)
            true = apply_affine(self.from_2009c, truth.t1_to_template(in_t1))
            row[f"mm, {name}"] = np.linalg.norm(true - self.points, axis=1).mean()
            row[f"AAL Dice, {name}"] = mean_dice(self.labels, nearest(self.atlas, true))
            self.grey[name].append(nearest(tissue, in_t1) == GREY)
        record = read_json(f"{syn}.json")["Measures"]
        keys = {"affine_correlation": "correlation, affine", "correlation": "correlation, warp"}
        return row | {new: record[old] for old, new in keys.items()}

    def overlap_of_grey(self, name: str) -> float:
        """Return the mean Dice of true grey matter between any two visits."""
        pairs = combinations(self.grey[name], 2)
        return float(np.mean([qc.dice(one, other) for one, other in pairs]))


def nearest(image: volume.Volume, points: np.ndarray) -> np.ndarray:
    """Values of an image at points (n, 3), nearest neighbour, integers."""
    at = apply_affine(np.linalg.inv(image.affine), points).T
    return np.rint(map_coordinates(volume.array(image), at, order=0)).astype(int)


def mean_dice(one: np.ndarray, other: np.ndarray) -> float:
    """Mean Dice over the AAL regions."""
    return float(np.mean([qc.dice(one == k, other == k) for k in range(1, REGIONS + 1)]))


def main() -> int:
    """Print the table; return 1 if no visit has a warp."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--atlases", type=Path, default=Path("resources/atlases"))
    parser.add_argument("--out", type=Path, help="write the table here too")
    arguments = parser.parse_args()
    target, rows = Target(arguments.atlases), {}
    for subject, visit, folder in visits(arguments.results / "simulated/truth"):
        anat = arguments.results / f"preproc/sub-{subject}/ses-{visit}/anat"
        prefix = f"{anat}/sub-{subject}_ses-{visit}"
        sidecar = Path(f"{prefix}_from-ACPC_to-MNI152_desc-syn_mode-image_xfm.json")
        if sidecar.is_file() and not is_excluded(sidecar):
            rows[f"{subject} {visit}"] = target.measure(prefix, folder)
    if not rows:
        print("no simulated visit with a warp found", file=sys.stderr)
        return 1
    table = pd.DataFrame.from_dict(rows, orient="index")
    text = markdown(pd.concat([table, table.mean().to_frame("mean").T]))
    if len(rows) > 1:
        grey = ", ".join(f"{name} {target.overlap_of_grey(name):.3f}" for name in target.grey)
        text += f"\n\nDice of the true grey matter between any two visits: {grey}"
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
