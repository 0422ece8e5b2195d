"""Time the preprocessing of simulated visits of ADNI's size, side by side with Clinica's steps.

    python benchmarks/preprocessing_speed.py FOLDER [--visits 4] [--cores 2] [--rounds 1]

In FOLDER people are simulated and converted once (T1 of 256x256x168 voxels, PET of 160x160x96).
Then, round after round, `snakemake --cores N` makes every stage of all visits from BIDS to 64^3,
pictures, segmentation and records included, and N processes at a time do the steps of Clinica's
t1-linear and pet-linear with ANTsPy (`benchmarks/clinica_steps.py`), one thread each. Clinica's
target is here the 1 mm head that the simulated people are deformed from, on the grid of its own.
Prints seconds by stage, the throughputs, and both against the simulated truth.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from nibabel.affines import apply_affine

from mri2pet.cohort.simulate.people import plan_people
from mri2pet.cohort.simulate.truth import Truth, load_truth
from mri2pet.files import read_json
from mri2pet.imaging import accuracy, intensity, resample, volume
from mri2pet.runs.times import read_jobs, sum_times
from nonlinear_accuracy import mean_dice, nearest
from preprocessing_accuracy import Atlas, differences, markdown

ROOT = Path(__file__).resolve().parents[1]
MRI_VOXEL, PET_VOXEL = [1.2, 0.9, 0.87], [1.6, 1.6, 1.875]
SEED, CEILING = 1, 2.0
SYN = "SyN for the reference region"
AS_WRITTEN = "as --use-antspy runs it"


class Visits:
    """Simulated people of ADNI's size in a folder, each with one visit."""

    def __init__(self, folder: Path, count: int, cores: int) -> None:
        self.folder, self.cores = folder.resolve(), cores
        simulation = {"paired": count, "mri_only": 0, "second_visits": 0, "groups": ["CN", "AD"]}
        simulation |= {"mri_voxel_mm": MRI_VOXEL, "pet_voxel_mm": PET_VOXEL}
        self.people = [person.ptid for person in plan_people(simulation, SEED)]
        (self.folder / "resources").mkdir(parents=True, exist_ok=True)
        for name in ("resources/atlases", "config"):
            if not (self.folder / name).exists():
                (self.folder / name).symlink_to(ROOT / name)
        config = {"systems": ["gla_gan"], "seed": SEED, "simulation": simulation}
        (self.folder / "visits.yaml").write_text(yaml.safe_dump(config))
        self.snakemake(
            *[self.bids(person, what) for person in self.people for what in ("T1", "PET")]
        )

    def snakemake(self, *targets: str) -> None:
        """Make files of the workflow."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
        command += ["--directory", self.folder, "--configfile", self.folder / "visits.yaml"]
        command += ["--cores", self.cores, "--quiet", "all", "--", *targets]
        environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        subprocess.run([*map(str, command)], cwd=ROOT, env=environment, check=True)

    def bids(self, person: str, what: str) -> str:
        """Return the path of a raw scan, `T1` or `PET`, from the folder."""
        name, end = self.name(person), {"T1": "anat/{}_T1w", "PET": "pet/{}_trc-18FFDG_pet"}[what]
        return f"results/bids/{name.replace('_', '/')}/{end.format(name)}.nii.gz"

    @staticmethod
    def name(person: str) -> str:
        """Return the BIDS name of a person's visit."""
        return f"sub-{person.replace('_', '')}_ses-bl"

    def made(self, person: str, end: str) -> str:
        """Return the path of a preprocessed file by the end of its name after `anat/`, `pet/`."""
        name, (kind, end) = self.name(person), end.split("/")
        return f"results/preproc/{name.replace('_', '/')}/{kind}/{name}_{end}"

    def ours(self) -> dict[str, float]:
        """Make all stages anew; return seconds of all, and the mean of each stage."""
        shutil.rmtree(self.folder / "results/preproc", ignore_errors=True)
        ends = "anat/qc.json", "pet/space-MNI152_res-64_trc-18FFDG_pet.nii.gz"
        started = time.perf_counter()
        self.snakemake(*[self.made(person, end) for person in self.people for end in ends])
        wall = time.perf_counter() - started
        jobs = read_jobs(self.folder / "logs/jobs.tsv")
        return {"wall": wall} | {row.name: row.mean for row in sum_times(jobs, lambda j: j.rule)}

    def clinica(self, *options: str) -> dict[str, float]:
        """Do Clinica's steps on all visits; return seconds of all, and the mean of each step."""
        environment = os.environ | {"ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"}
        environment["PYTHONPATH"] = str(ROOT / "src")
        reference = self.folder / "reference.nii.gz"
        if not reference.exists():
            atlas = volume.load_volume(ROOT / "resources/atlases/aal.nii.gz")
            grid = resample.isotropic(atlas, 2.0)
            labels = resample.on_grid(atlas, grid)
            volume.save_volume(reference, volume.like(grid, labels >= intensity.CEREBELLUM[0]))

        def one(person: str) -> dict[str, float]:
            folder = self.folder / "clinica" / person
            shutil.rmtree(folder, ignore_errors=True)
            given = [self.folder / self.bids(person, what) for what in ("T1", "PET")]
            given += [ROOT / "resources/atlases/anatomy_t1.nii.gz", reference, folder, *options]
            command = [sys.executable, ROOT / "benchmarks/clinica_steps.py", *given]
            subprocess.run([*map(str, command)], env=environment, check=True)
            return read_json(folder / "seconds.json")

        started = time.perf_counter()
        with ThreadPoolExecutor(self.cores) as pool:
            steps = pd.DataFrame(pool.map(one, self.people))
        return {"wall": time.perf_counter() - started} | steps.mean().to_dict()

    def transforms(self, side: str, person: str, atlas: Atlas) -> tuple[np.ndarray, np.ndarray]:
        """Return raw T1 to MNI152NLin6Asym, and raw PET to raw T1, as one side has them."""
        if side == "clinica":
            folder = self.folder / "clinica" / person
            to_mni, rigid = (
                volume.load_transform(folder / f"{name}.txt") for name in ("t1_to_mni", "pet_to_t1")
            )
            return atlas.from_2009c @ to_mni, rigid
        ends = ("anat/from-T1w_to-ACPC", "anat/from-ACPC_to-MNI152", "pet/from-PET_to-ACPC")
        to_acpc, to_mni, rigid = (
            volume.load_transform(self.folder / self.made(person, f"{end}_mode-image_xfm.txt"))
            for end in ends
        )
        return to_mni @ to_acpc, np.linalg.inv(to_acpc) @ rigid

    def alignment(self, side: str, atlas: Atlas) -> pd.DataFrame:
        """Measure the transforms of all visits against the truth."""
        rows = {}
        for person in self.people:
            folder = self.folder / "results/simulated/truth" / person / "bl"
            pet = volume.load_scan(self.folder / self.bids(person, "PET"))
            mask = volume.load_volume(folder / "brain_mask.nii.gz")
            found = self.transforms(side, person, atlas)
            rows[person] = measure(*found, load_truth(folder), mask, pet, atlas)
        return pd.DataFrame.from_dict(rows, orient="index")


def measure(
    to_mni: np.ndarray,
    t1_from_pet: np.ndarray,
    truth: Truth,
    mask: volume.Volume,
    pet: volume.Volume,
    atlas: Atlas,
) -> dict[str, float]:
    """Measure two transforms of a visit: over the brain, on AAL's regions, and by their uptake."""
    true_mni = atlas.from_2009c @ np.array(truth.values["affine_mni2009c_from_t1"])
    points = apply_affine(mask.affine, np.argwhere(volume.array(mask) > 0)[::20])
    in_pet = apply_affine(np.linalg.inv(truth.t1_from_pet), points)
    places = apply_affine(atlas.grid.affine, np.argwhere(atlas.brain))
    labels = nearest(atlas.whole, places)

    def overlap(matrix: np.ndarray) -> float:
        in_t1 = apply_affine(np.linalg.inv(matrix), places)
        true = apply_affine(atlas.from_2009c, truth.t1_to_template(in_t1))
        return mean_dice(labels, nearest(atlas.whole, true))

    def uptake(matrix: np.ndarray) -> np.ndarray:
        placed = volume.array(resample.resample(pet, matrix, atlas.grid.affine, atlas.grid.shape))
        return intensity.scale_uptake(placed, atlas.cerebellum, atlas.brain, CEILING)[0]

    even = (np.ones(atlas.grid.shape),) * 2
    found, true = uptake(to_mni @ t1_from_pet), uptake(true_mni @ truth.t1_from_pet)
    percent = differences(found, true, atlas.labels * atlas.brain, even)
    return {
        "MNI affine mm": accuracy.mean_displacement(to_mni, true_mni, points),
        "AAL Dice": overlap(to_mni),
        "AAL Dice of the true affine": overlap(true_mni),
        "PET-MRI mm": accuracy.mean_displacement(t1_from_pet, truth.t1_from_pet, in_pet),
        "AAL PET, largest %": float(np.nanmax(percent)),
        "AAL PET, mean %": float(np.nanmean(percent)),
    }


def load_atlas() -> Atlas:
    """Load the template's regions, with what the measures here need besides."""
    folder = ROOT / "resources/atlases"
    atlas = Atlas(folder)
    atlas.whole = volume.load_volume(folder / "aal.nii.gz")
    atlas.cerebellum = intensity.reference_region("cerebellum", atlas.labels, atlas.brain)
    return atlas


def stage_table(rounds: pd.DataFrame, title: str) -> str:
    """Write the mean seconds of each stage as a table, in order of the columns."""
    mean = rounds.drop(columns="wall").mean()
    lines = [f"| {title} | s a visit |", "|---|---|"]
    lines += [f"| {name} | {value:.1f} |" for name, value in mean.items()]
    return "\n".join([*lines, f"| sum | {mean.sum():.1f} |"])


def loaded(run: Callable[[], dict[str, float]], name: str) -> dict[str, float]:
    """Run one side; say how long it took and how busy the machine was before and after."""
    before = os.getloadavg()[0]
    result = run()
    after = os.getloadavg()[0]
    print(f"{name}: {result['wall']:.1f} s; load {before:.1f}, then {after:.1f}", flush=True)
    return result


def main() -> int:
    """Print the tables; return 1 if this project's side is less than three times as fast."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--visits", type=int, default=4)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--as-written", action="store_true", help=f"also Clinica {AS_WRITTEN}")
    parser.add_argument("--profile-only", action="store_true", help="without Clinica's steps")
    given = parser.parse_args()
    visits = Visits(given.folder, given.visits, given.cores)
    ours, clinica = [], []
    for _ in range(given.rounds):
        ours.append(loaded(visits.ours, "mri2pet"))
        if not given.profile_only:
            clinica.append(loaded(visits.clinica, "Clinica's steps"))
    here = pd.DataFrame(ours)
    print(f"\n{platform.machine()}, {os.cpu_count()} threads; {given.cores} used\n")
    print(stage_table(here, "stage"), end="\n\n")
    if given.profile_only:
        return 0
    atlas = load_atlas()
    there = pd.DataFrame(clinica)
    print(stage_table(there, "Clinica's step"), end="\n\n")
    sides = {"mri2pet": "ours", "Clinica's steps": "clinica"}
    print(
        markdown(pd.concat(visits.alignment(side, atlas).add_prefix("") for side in sides.values()))
    )
    summary = pd.DataFrame({n: visits.alignment(s, atlas).mean() for n, s in sides.items()}).T
    print("\nmean\n" + markdown(summary) + "\n")
    per_visit = {n: t["wall"].mean() / given.visits for n, t in (("ours", here), ("theirs", there))}
    # without SyN: its share of the processors' time, which all ran side by side
    share = 1 - there[SYN].mean() / there.drop(columns="wall").sum(axis=1).mean()
    ratio = per_visit["theirs"] / per_visit["ours"]
    print(
        f"s a visit, {given.cores} side by side: mri2pet {per_visit['ours']:.1f}, Clinica's steps"
    )
    print(f"{per_visit['theirs']:.1f}: {ratio:.2f} times the throughput; {ratio * share:.2f} times")
    print("without its SyN for the reference region")
    if given.as_written:
        written = loaded(lambda: visits.clinica("--as-written"), f"Clinica {AS_WRITTEN}")
        print(stage_table(pd.DataFrame([written]), AS_WRITTEN))
    return int(ratio < 3)


if __name__ == "__main__":
    sys.exit(main())
