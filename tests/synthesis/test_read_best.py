"""Gathering the best PET of the visits that models synthesise."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from mri2pet.errors import InputError
from mri2pet.imaging.volume import save_volume
from mri2pet.synthesis.oracle import read_best

MASK = np.zeros((4, 5, 6), bool)
MASK[1:3, 1:4, 2:5] = True


@pytest.fixture
def rows():
    return pd.DataFrame(
        {
            "index": [3, 7, 8],
            "subject": ["011S0005", "022S0001", "IXI012"],
            "visit": ["bl", "m12", "bl"],
            "kind": ["paired", "mri_only", "mri_only"],
        }
    )


@pytest.fixture
def paths(tmp_path):
    """Volumes of both simulated people, of another visit of one, and an excluded one."""
    found = []
    people = ["011S0005_ses-m12", "022S0001_ses-m12", "011S0005_ses-bl"]
    for number, name in enumerate(people, start=1):
        path = tmp_path / f"sub-{name}_space-MNI152_res-64_trc-18FFDG_desc-oracle_pet.nii.gz"
        data = np.full(MASK.shape, number / 10, np.float32)
        save_volume(path, nib.Nifti1Image(data, np.eye(4)))
        found.append(path)
    empty = tmp_path / "sub-099S0001_ses-bl_space-MNI152_res-64_trc-18FFDG_desc-oracle_pet.nii.gz"
    empty.touch()
    return [empty, *found]


def test_rows_have_their_own_volumes_and_strangers_are_left_out(paths, rows):
    made, kept, sources = read_best(paths, rows, MASK)
    assert kept["index"].tolist() == [3, 7]
    assert [volume[MASK].mean() for volume in made] == pytest.approx([0.3, 0.2])
    assert not made[:, ~MASK].any()
    assert sources == [str(paths[3]), str(paths[2])]


def test_a_visit_with_a_pet_must_have_one(paths, rows):
    with pytest.raises(InputError, match="no best PET of subject 011S0005, visit bl"):
        read_best(paths[:-1], rows, MASK)


def test_another_grid_is_refused(paths, rows):
    with pytest.raises(InputError, match="not the dataset's"):
        read_best(paths, rows, MASK[:3])
