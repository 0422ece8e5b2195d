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
import resource
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

from mri2pet.files import read_json
from mri2pet.imaging import accuracy, intensity, volume
from mri2pet.imaging.resample import isotropic, on_grid, resample
from mri2pet.runs.times import read_jobs, sum_times
from mri2pet.simulation.people import plan_people
from mri2pet.simulation.truth import Truth, load_truth
from nonlinear_accuracy import mean_dice, nearest
from preprocessing_accuracy import Atlas, differences, markdown

ROOT = Path(__file__).resolve().parents[1]
MRI_VOXEL, PET_VOXEL = [1.2, 0.9, 0.87], [1.6, 1.6, 1.875]
SEED, CEILING = 1, 2.0
GOAL = 3.0
OURS, THEIRS = "mri2pet", "Clinica's steps"
SYN = "SyN for the reference region"
AS_WRITTEN = "Clinica's steps as --use-antspy runs them"
WALL, PROCESSOR = "wall-clock", "processor"


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
        config = {"systems": ["gla_gan"], "seed": SEED}
        config["studies"] = {"dementia": {"simulation": simulation}}
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
        targets = [self.made(person, end) for person in self.people for end in ends]
        spent = seconds_of(lambda: self.snakemake(*targets))
        jobs = read_jobs(self.folder / "logs/jobs.tsv")
        return spent | {row.name: row.mean for row in sum_times(jobs, lambda job: job.rule)}

    def clinica(self, *options: str) -> dict[str, float]:
        """Do Clinica's steps on all visits; return seconds of all, and the mean of each step."""
        environment = os.environ | {"ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1"}
        environment["PYTHONPATH"] = str(ROOT / "src")
        reference = self.folder / "reference.nii.gz"
        if not reference.exists():
            atlas = volume.load_volume(ROOT / "resources/atlases/aal.nii.gz")
            grid = isotropic(atlas, 2.0)
            labels = on_grid(atlas, grid)
            volume.save_volume(reference, volume.like(grid, labels >= intensity.CEREBELLUM[0]))

        def one(person: str) -> dict[str, float]:
            folder = self.folder / "clinica" / person
            shutil.rmtree(folder, ignore_errors=True)
            given = [self.folder / self.bids(person, what) for what in ("T1", "PET")]
            given += [ROOT / "resources/atlases/anatomy_t1.nii.gz", reference, folder, *options]
            command = [sys.executable, ROOT / "benchmarks/clinica_steps.py", *given]
            subprocess.run([*map(str, command)], env=environment, check=True)
            return read_json(folder / "seconds.json")

        steps: list[dict[str, float]] = []
        with ThreadPoolExecutor(self.cores) as pool:
            spent = seconds_of(lambda: steps.extend(pool.map(one, self.people)))
        return spent | pd.DataFrame(steps).mean().to_dict()

    def transforms(self, side: str, person: str, atlas: Atlas) -> tuple[np.ndarray, np.ndarray]:
        """Return raw T1 to MNI152NLin6Asym, and raw PET to raw T1, as one side has them."""
        if side == THEIRS:
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
        placed = volume.array(resample(pet, matrix, atlas.grid.affine, atlas.grid.shape))
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
    mean = rounds.drop(columns=[WALL, PROCESSOR]).mean()
    lines = [f"| {title} | s a visit |", "|---|---|"]
    lines += [f"| {name} | {value:.1f} |" for name, value in mean.items()]
    return "\n".join([*lines, f"| sum | {mean.sum():.1f} |"])


def seconds_of(run: Callable[[], None]) -> dict[str, float]:
    """Run something; return its wall-clock seconds and the processors' of what it started."""
    clock, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    run()
    wall, after = time.perf_counter() - clock, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {WALL: wall, PROCESSOR: used}


def loaded(run: Callable[[], dict[str, float]], name: str) -> dict[str, float]:
    """Run one side; say how long it took and how busy the machine was before and after."""
    before = os.getloadavg()[0]
    result = run()
    after = os.getloadavg()[0]
    spent = f"{result[WALL]:.1f} s, {result[PROCESSOR]:.1f} s of processors"
    print(f"{name}: {spent}; load {before:.1f}, then {after:.1f}", flush=True)
    return result


def main() -> int:
    """Print the tables; return 1 if this project's side is less than `GOAL` times as fast."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--visits", type=int, default=4)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--as-written", action="store_true", help=f"also {AS_WRITTEN}")
    parser.add_argument("--profile-only", action="store_true", help="without Clinica's steps")
    given = parser.parse_args()
    visits = Visits(given.folder, given.visits, given.cores)
    sides: dict[str, list[dict[str, float]]] = {OURS: [], THEIRS: []}
    for _ in range(given.rounds):
        sides[OURS].append(loaded(visits.ours, OURS))
        if not given.profile_only:
            sides[THEIRS].append(loaded(visits.clinica, THEIRS))
    print(f"\n{platform.machine()}, {os.cpu_count()} threads, {given.cores} of them used\n")
    times = {name: pd.DataFrame(rounds) for name, rounds in sides.items() if rounds}
    for name, rounds in times.items():
        print(stage_table(rounds, name), end="\n\n")
    if given.as_written:
        written = loaded(lambda: visits.clinica("--as-written"), AS_WRITTEN)
        print(stage_table(pd.DataFrame([written]), AS_WRITTEN), end="\n\n")
    if given.profile_only:
        return 0
    atlas = load_atlas()
    tables = {name: visits.alignment(name, atlas) for name in times}
    for name, table in tables.items():
        means = pd.DataFrame([table.mean(), table.max()], index=["mean", "largest"])
        print(f"{name}:\n\n{markdown(pd.concat([table, means]))}\n")
    ratios = [throughput(times, given.visits, kind) for kind in (WALL, PROCESSOR)]
    return int(ratios[0] < GOAL)


def throughput(times: dict[str, pd.DataFrame], visits: int, kind: str) -> float:
    """Say how long a visit took on both sides; return how many times as fast this project is."""
    ours, theirs = (times[name][kind].mean() / visits for name in (OURS, THEIRS))
    steps = times[THEIRS].drop(columns=[WALL, PROCESSOR])
    share = 1 - steps[SYN].mean() / steps.sum(axis=1).mean()
    print(
        f"{kind} s a visit: {OURS} {ours:.1f}, {THEIRS} {theirs:.1f}: {theirs / ours:.2f} times; "
        f"{theirs * share / ours:.2f} times if {SYN} is left out"
    )
    return theirs / ours


if __name__ == "__main__":
    sys.exit(main())
