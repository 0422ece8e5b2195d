"""Hold the default limits of quality control against many simulated visits; print their range.

    python benchmarks/quality_limits.py --people 600 [--start 0] [--out measures.tsv]

Simulates people of all groups, each with voxels of its own, and measures T1 and PET as the
workflow does, in MNI152 at 2 mm. They are placed there by the truth (least-squares affine of the
deformation, true brain, N4 and registration left out), so that a visit costs seconds. The exit
status is 1 if a visit is beyond a limit of config/config.yaml.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from nibabel.affines import voxel_sizes

from mri2pet.errors import ScanError
from mri2pet.files import write_tsv
from mri2pet.imaging import intensity, qc, resample
from mri2pet.imaging.field_of_view import field_of_view
from mri2pet.imaging.volume import Volume, array, load_volume
from mri2pet.simulation.people import make_person
from mri2pet.simulation.template import Template, make_template
from mri2pet.simulation.truth import load_truth
from mri2pet.simulation.visit_scans import scan_visit
from templates import nlin6_from_2009c

ROOT = Path(__file__).parents[1]
ATLASES = ROOT / "resources/atlases"
GROUPS = ("CN", "MCI", "AD")
SEED = 20  # of people who are in no other run


class Grid:
    """Template, brain, reference region and the way there, on the 90x109x90 grid."""

    def __init__(self) -> None:
        self.whole = resample.res2_grid(load_volume(ATLASES / "mni152_brain_mask.nii.gz"))
        self.t1 = array(resample.res2_grid(load_volume(ATLASES / "mni152_t1.nii.gz")))
        self.brain = array(self.whole) > 0
        labels = resample.on_grid(load_volume(ATLASES / "aal.nii.gz"), self.whole)
        self.reference = intensity.reference_region("cerebellum", labels, self.brain)
        self.voxel_mm = voxel_sizes(self.whole.affine)
        self.from_2009c = nlin6_from_2009c(ATLASES)


def measure(number: int, template: Template, grid: Grid, ceiling: float) -> dict[str, object]:
    """Simulate and measure one person's visit."""
    rng = np.random.default_rng([SEED, number])
    scanner = {
        "mri_voxel_mm": rng.uniform(1.0, 2.0, 3).round(2).tolist(),
        "pet_voxel_mm": rng.uniform(2.0, 4.5, 3).round(2).tolist(),
    }
    person = make_person(SEED, number, GROUPS[number % 3], pet=True, second_visit=False)
    with tempfile.TemporaryDirectory() as folder:
        t1, pet = scan_visit(template, person, person.visits[0], scanner, Path(folder))
        truth = load_truth(folder)
        mask = load_volume(Path(folder) / "brain_mask.nii.gz")
    to_grid = grid.from_2009c @ np.array(truth.values["affine_mni2009c_from_t1"])
    place = (grid.whole.affine, grid.whole.shape)
    inside = array(resample.resample(mask, to_grid, *place, order=1)) > 0.5
    head = array(resample.resample(Volume(t1.data.astype(np.float32), t1.affine), to_grid, *place))
    image = intensity.normalise(head, inside)
    pet_to_grid = to_grid @ truth.t1_from_pet
    volume = Volume(pet.data.astype(np.float32), pet.affine)
    field = field_of_view(volume, pet_to_grid, grid.whole, grid.brain)
    seen = grid.brain & field.seen
    uptake = array(resample.resample(field.pet, pet_to_grid, *place))
    scaled, measures = intensity.scale_uptake(uptake, grid.reference, seen, ceiling)
    measures |= {
        "brain_ml": truth.values["brain_ml"],
        "brain_seen": field.share(grid.brain),
        "reference_seen": field.share(grid.reference & grid.brain),
    }
    measures |= qc.mri_measures(image, inside, grid.t1, grid.brain, grid.voxel_mm)
    return measures | qc.pet_measures(scaled, image, seen, grid.voxel_mm)


def main() -> int:
    """Measure everyone and print the range of each measure beside its limits."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=600)
    parser.add_argument("--start", type=int, default=0, help="number of the first person")
    parser.add_argument("--out", type=Path, help="table of all measures")
    chosen = parser.parse_args()
    preproc = yaml.safe_load((ROOT / "config/config.yaml").read_text())["preproc"]
    template, grid, rows, out = make_template(ATLASES), Grid(), [], 0
    for number in range(chosen.start, chosen.start + chosen.people):
        rows.append({"person": number} | measure(number, template, grid, preproc["pet_ceiling"]))
        try:
            qc.verdict(rows[-1], preproc["qc"])
        except ScanError as error:
            out += 1
            sys.stdout.write(f"person {number}: {error}\n")
        if chosen.out and len(rows) % 10 == 0:
            write_tsv(chosen.out, pd.DataFrame(rows))
    table = pd.DataFrame(rows)
    if chosen.out:
        write_tsv(chosen.out, table)
    for key, (name, lower, _) in qc.LIMITS.items():
        limit = preproc["qc"].get(key)
        if name in table and limit is not None:
            worst = table[name].min() if lower else table[name].max()
            sys.stdout.write(f"| {key} | {limit:g} | {worst:.4g} | {table[name].mean():.4g} |\n")
    sys.stdout.write(f"{len(table)} visits, {out} beyond a limit\n")
    return int(out > 0)


if __name__ == "__main__":
    sys.exit(main())
