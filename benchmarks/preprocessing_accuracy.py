"""Measure the preprocessing of a simulated cohort against what was put in; print the table.

    python benchmarks/preprocessing_accuracy.py results [--out table.md] [--against OTHER]

Reads `results/preproc` and `results/simulated/truth`. A column is one of the limits that
docs/benchmarks.md states; a row is one visit, the last rows are the limit and the worst visit.
The exit status is 1 if a visit is outside a limit or was excluded. With the results of the same
people by another state of the code, also what differs between the two.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from nibabel.affines import apply_affine
from scipy import ndimage

from mri2pet.exclusion import is_excluded
from mri2pet.files import read_json
from mri2pet.imaging import accuracy, intensity, qc, resample, volume
from mri2pet.simulation.truth import Truth, load_truth
from templates import nlin6_from_2009c

REGIONS = 116
LIMITS = {  # column: (limit, whether more is better)
    "AC mm": (2.0, False),
    "PC mm": (2.0, False),
    "roll deg": (2.0, False),
    "yaw deg": (2.0, False),
    "pitch deg": (2.0, False),
    "mask Dice": (0.93, True),
    "sides kept": (1.0, True),
    "PET-MRI mm": (1.5, False),
    "AAL PET %": (5.0, False),
}
SHOWN = (  # measured, without a limit
    "PET-MRI start mm",
    "MNI affine mm",
    "affine's AAL PET %",
    "AAL PET mean %",
    "tissue PET %",
    "tissue PET mean %",
    "white matter CV",
    "GM Dice",
    "WM Dice",
    "CSF Dice",
)
MORE_IS_BETTER = {key for key, (_, more) in LIMITS.items() if more} | {
    key for key in SHOWN if key.endswith("Dice")
}
LEAST_TISSUE = 2.0  # voxels of a tissue in a region, as in the features (half a voxel at 64^3)


class Atlas:
    """Template, brain and AAL regions on the 90x109x90 grid."""

    def __init__(self, folder: Path) -> None:
        self.from_2009c = nlin6_from_2009c(folder)
        self.grid = resample.res2_grid(volume.load_volume(folder / "mni152_brain_mask.nii.gz"))
        self.brain = volume.array(self.grid) > 0
        self.labels = resample.on_grid(volume.load_volume(folder / "aal.nii.gz"), self.grid)


def measure(results: Path, subject: str, visit: str, truth_folder: Path, atlas: Atlas) -> dict:
    """Measure one visit; a column that does not apply is nan."""
    truth = load_truth(truth_folder)
    name = f"sub-{subject}_ses-{visit}"
    folder = results / f"preproc/sub-{subject}/ses-{visit}"
    anat = folder / "anat" / name
    if excluded := is_excluded(f"{anat}_qc.json"):
        print(f"{name}: excluded at {excluded['stage']}: {excluded['reason']}", file=sys.stderr)
        return dict.fromkeys(LIMITS, np.nan) | {"excluded": True}
    acpc = volume.load_transform(f"{anat}_from-T1w_to-ACPC_mode-image_xfm.txt")
    to_mni = volume.load_transform(f"{anat}_from-ACPC_to-MNI152_mode-image_xfm.txt")
    marks = {key: np.array(point) for key, point in truth.values["landmarks_t1"].items()}
    errors = accuracy.acpc_errors(acpc, marks["AC"], marks["PC"], marks["mid_sagittal"])
    row = {key.replace("_", " "): abs(value) for key, value in errors.items()}
    row = {{"ac mm": "AC mm", "pc mm": "PC mm"}.get(key, key): value for key, value in row.items()}
    true_mask = volume.load_volume(truth_folder / "brain_mask.nii.gz")
    inside = volume.array(true_mask) > 0
    found = volume.array(volume.load_volume(f"{anat}_desc-brain_mask.nii.gz")) > 0
    row["mask Dice"] = qc.dice(found, inside)
    true_mni = atlas.from_2009c @ np.array(truth.values["affine_mni2009c_from_t1"])
    points = apply_affine(true_mask.affine, np.argwhere(inside)[::20])
    row["MNI affine mm"] = accuracy.mean_displacement(to_mni @ acpc, true_mni, points)
    row["sides kept"] = float(sides_kept(to_mni @ acpc, marks))
    row |= measure_tissue(anat, volume.load_volume(truth_folder / "tissue.nii.gz"), to_mni @ acpc)
    if truth.pet_from_head is not None:
        pet = results / f"bids/sub-{subject}/ses-{visit}/pet/{name}_trc-18FFDG_pet.nii.gz"
        moved = to_mni @ acpc @ np.linalg.inv(true_mni)
        tissue = tissue_maps(Path(f"{anat}_space-MNI152_res-2_dseg.nii.gz"), moved)
        row |= measure_pet(
            folder / "pet" / name, pet, truth, acpc, to_mni, true_mni, points, atlas, tissue
        )
    return row


def measure_tissue(anat: Path, true: volume.Volume, to_mni: np.ndarray) -> dict[str, float]:
    """Measure how even N4 leaves the true white matter, and the overlap of tissues in MNI152.

    Evenness is the coefficient of variation, but for the brightest and darkest hundredth, of white
    matter less a voxel at its edge.
    """
    row, corrected = {}, Path(f"{anat}_desc-n4_T1w.nii.gz")
    if corrected.exists():
        deep = ndimage.binary_erosion(volume.array(true) == 2)
        white = volume.array(volume.load_volume(corrected))[deep]
        white = np.clip(white, *np.percentile(white, [1, 99]))
        row["white matter CV"] = float(white.std() / white.mean())
    found = volume.load_volume(f"{anat}_space-MNI152_res-2_dseg.nii.gz")
    placed = resample.resample(true, to_mni, found.affine, found.shape, order=0)
    for label, name in enumerate(("GM", "WM", "CSF"), start=1):
        pair = (np.rint(volume.array(each)) == label for each in (found, placed))
        row[f"{name} Dice"] = qc.dice(*pair)
    return row


def sides_kept(matrix: np.ndarray, marks: dict[str, np.ndarray]) -> bool:
    """Whether every right landmark is to the right of its left twin in MNI152."""
    at = {key: apply_affine(matrix, point) for key, point in marks.items()}
    pairs = [(key, "L" + key[1:]) for key in at if key.startswith("R ")]
    return bool(pairs) and all(at[right][0] > at[left][0] for right, left in pairs)


def tissue_maps(labels: Path, from_true: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Grey and white matter as the pipeline placed them, and as the true affine would have.

    The tissue is held fixed in the head: the estimated maps are carried by `from_true`, which maps
    true template points to estimated ones.
    """
    image = volume.load_volume(labels)
    maps = []
    for label in (1, 2):
        found = volume.like(image, (volume.array(image) == label).astype(np.float32))
        true = resample.resample(
            found, np.linalg.inv(from_true), image.affine, image.shape, order=1
        )
        maps.append((volume.array(found), volume.array(true)))
    return maps


def differences(
    got: np.ndarray, best: np.ndarray, labels: np.ndarray, maps: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Percent by which weighted regional means differ; nan where a region has too little weight."""
    means = []
    for data, weight in zip((got, best), maps, strict=True):
        held = accuracy.region_means(weight, labels, REGIONS)
        size = np.bincount(labels.ravel(), minlength=REGIONS + 1)[1:] * held
        mean = accuracy.region_means(data * weight, labels, REGIONS)
        ratio = np.divide(mean, held, out=np.full(REGIONS, np.nan), where=size >= LEAST_TISSUE)
        means.append(ratio)
    return 100 * np.abs(means[0] / means[1] - 1)


def measure_pet(
    prefix: Path,
    scan: Path,
    truth: Truth,
    acpc: np.ndarray,
    to_mni: np.ndarray,
    true_mni: np.ndarray,
    points: np.ndarray,
    atlas: Atlas,
    tissue: list[tuple[np.ndarray, np.ndarray]],
) -> dict[str, float]:
    """Measure the PET's transform over the brain, and regional uptake against true transforms."""
    rigid = volume.load_transform(f"{prefix}_from-PET_to-ACPC_mode-image_xfm.txt")
    in_pet = apply_affine(np.linalg.inv(truth.t1_from_pet), points)
    true_rigid = acpc @ truth.t1_from_pet
    displaced = accuracy.mean_displacement(rigid, true_rigid, in_pet)
    record = read_json(f"{prefix}_from-PET_to-ACPC_mode-image_xfm.json")
    first = np.array(record["Refinement"]["Start"])
    made = f"{prefix}_space-MNI152_res-2_trc-18FFDG_pet"
    got = volume.array(volume.load_volume(f"{made}.nii.gz"))
    record = read_json(f"{made}.json")
    region = intensity.reference_region(record["Reference"], atlas.labels, atlas.brain)

    def scaled(matrix: np.ndarray) -> np.ndarray:
        placed = resample.resample(raw, matrix, atlas.grid.affine, atlas.grid.shape)
        return intensity.scale_uptake(volume.array(placed), region, atlas.brain, record["Ceiling"])[
            0
        ]

    raw = volume.load_scan(scan)
    best = scaled(true_mni @ truth.t1_from_pet)
    labels, even = atlas.labels * atlas.brain, (np.ones(got.shape), np.ones(got.shape))
    percent = differences(got, best, labels, even)
    by_affine = differences(scaled(to_mni @ true_rigid), best, labels, even)
    weighted = np.concatenate([differences(got, best, labels, maps) for maps in tissue])
    return {
        "PET-MRI mm": displaced,
        "PET-MRI start mm": accuracy.mean_displacement(first, true_rigid, in_pet),
        "AAL PET %": float(np.nanmax(percent)),
        "affine's AAL PET %": float(np.nanmax(by_affine)),
        "AAL PET mean %": float(np.nanmean(percent)),
        "tissue PET %": float(np.nanmax(weighted)),
        "tissue PET mean %": float(np.nanmean(weighted)),
    }


def visits(truth: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield subject label, visit and truth folder of every simulated visit of ADNI.

    Other studies go through the same stages, but for the segmentation.
    """
    for folder in sorted(truth.glob("*_S_*/*/")):
        yield folder.parent.name.replace("_", ""), folder.name, folder


def outside(table: pd.DataFrame) -> pd.DataFrame:
    """Tell which cells are outside their limit; cells that do not apply are not."""
    return pd.DataFrame(
        {
            key: (table[key] < limit) if more else (table[key] > limit)
            for key, (limit, more) in LIMITS.items()
        }
    )


def main() -> int:
    """Print the table of all visits; return 1 if one is outside a limit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    parser.add_argument("--truth", type=Path, help="default: RESULTS/simulated/truth")
    parser.add_argument("--atlases", type=Path, default=Path("resources/atlases"))
    parser.add_argument("--out", type=Path, help="write the table here too")
    parser.add_argument("--against", type=Path, metavar="OTHER", help="results to compare with")
    arguments = parser.parse_args()
    atlas = Atlas(arguments.atlases)
    truth = arguments.truth or arguments.results / "simulated/truth"
    table = measure_all(arguments.results, truth, atlas)
    if table.empty:
        print("no simulated visit found", file=sys.stderr)
        return 1
    missed = outside(table)
    limit = {k: LIMITS[k][0] if k in LIMITS else np.nan for k in table}
    last = pd.DataFrame([worst_of(table), limit], index=["worst", "limit"])
    text = markdown(pd.concat([table, last]))
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n")
    if arguments.against:
        print(f"\n{compare(measure_all(arguments.against, truth, atlas), table)}")
    return int(missed.to_numpy().any() or table["mask Dice"].isna().any())


def measure_all(results: Path, truth: Path, atlas: Atlas) -> pd.DataFrame:
    """Measure all visits: a row each, `LIMITS` and `SHOWN` as columns."""
    rows = {
        f"{subject} {visit}": measure(results, subject, visit, folder, atlas)
        for subject, visit, folder in visits(truth)
    }
    return pd.DataFrame.from_dict(rows, orient="index").reindex(columns=[*LIMITS, *SHOWN])


def worst_of(table: pd.DataFrame) -> dict[str, float]:
    """Return the worst value of each column."""
    return {k: table[k].min() if k in MORE_IS_BETTER else table[k].max() for k in table}


def compare(before: pd.DataFrame, now: pd.DataFrame) -> str:
    """Write means and worst values of the same visits, and the means' differences with errors."""
    change = now - before
    rows = {"mean before": before.mean(), "mean now": now.mean(), "difference": change.mean()}
    rows |= {"its standard error": change.sem(), "worst before": pd.Series(worst_of(before))}
    rows |= {"worst now": pd.Series(worst_of(now))}
    return markdown(pd.DataFrame(rows).T, "{:.5g}")


def markdown(table: pd.DataFrame, form: str = "{:.3g}") -> str:
    """Write a table of numbers as Markdown."""
    lines = [["visit", *table.columns], ["---"] * (len(table.columns) + 1)]
    for name, row in table.iterrows():
        lines.append([str(name), *("" if np.isnan(x) else form.format(x) for x in row)])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
