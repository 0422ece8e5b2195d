"""The example of the contest's page, run as it stands there, is Mean PET to the last digit."""

import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from mri2pet.datasets.selection import synthesis_rows, training_rows
from mri2pet.files import write_json, write_tsv
from mri2pet.synthesis.handed_in import Grid, kit_table, read_submission, volumes_of, with_folds
from mri2pet.synthesis.mean_pet import mean_volume

SHAPE = (6, 7, 5)
AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])


@pytest.fixture
def kit(tmp_path):
    """Visits and folds of nine people, two with an MRI alone, in the folders of a run."""
    subjects = [f"{number:03}" for number in range(9)]  # a number that must stay a word
    visits = pd.DataFrame({"subject": [*subjects, "000"], "visit": [*["bl"] * 9, "m12"]})
    kind = ["mri_only" if name in ("003", "007") else "paired" for name in visits["subject"]]
    visits = visits.assign(kind=kind, group="CN", age=70.0, sex="F", index=range(10))
    folds = pd.DataFrame({"subject": subjects, "fold": [0, 1, 2] * 3})
    write_tsv(tmp_path / "results/contest/people.tsv", kit_table(with_folds(visits, folds)))
    write_json(tmp_path / "results/contest/grid.json", {"affine": AFFINE.tolist()})
    data = tmp_path / "results/datasets/linear"
    data.mkdir(parents=True)
    pet = np.random.default_rng(0).random((10, *SHAPE), dtype=np.float32)
    for name in ("mri", "pet"):
        np.save(data / f"{name}.npy", pet)
    return tmp_path, visits, folds, pet


def test_the_example_hands_in_mean_pet(kit, root):
    folder, visits, folds, pet = kit
    (code,) = re.findall(r"```python\n(.*?)```", (root / "docs/contest.md").read_text(), re.S)
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
    grid = Grid(np.ones(SHAPE, bool), AFFINE)
    found = read_submission(folder / "mine", with_folds(visits, folds), grid)
    assert (folder / "mine/people.tsv").is_file()
    for fold in range(3):
        rows = synthesis_rows(visits, folds, fold)
        learnt = training_rows(visits, folds, fold)["index"].to_numpy()
        mean = mean_volume(pet, learnt)
        for volume in volumes_of(found, rows, fold):
            np.testing.assert_array_equal(volume, mean)
