"""The kit as PASTA and SiM2P read it: what they keep of it comes back as it was.

What they do with a file is written here as their readers do it: PASTA cuts planes and slices of
96x112x96 out of 113x137x113; SiM2P scales 112x112x112 by areas to its network's grid.
"""

import h5py
import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from monai.transforms import Resize

from mri2pet.errors import InputError
from mri2pet.files import read_json, write_json, write_tsv
from mri2pet.synthesis import hdf5_kit
from mri2pet.synthesis.handed_in import Grid, kit_table, read_submission, with_folds
from mri2pet.synthesis.hdf5_forms import FORMS, diagnosis_of, middle_of

SHAPE = (64, 64, 64)
AFFINE = np.diag([2.8125, 3.40625, 2.8125, 1.0])
GROUPS = {"S1": "CN", "S2": "AD", "S3": "LMCI", "S4": "CN", "S5": "AD", "S6": "SMC"}
ROUNDED = float(np.finfo(np.float32).eps)  # the mean of eight equal numbers, summed by torch
PASTA_KEEPS = (slice(9, 105), slice(13, 125), slice(9, 105))


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A finished run as far as the kit needs it: five paired people, one with an MRI alone."""
    folder = tmp_path_factory.mktemp("run") / "results"
    visits = pd.DataFrame({"subject": list(GROUPS), "visit": "bl", "group": list(GROUPS.values())})
    visits = visits.assign(age=[60.0, 70, 80, 65, 75, np.nan], sex=["F", "M", "F", "M", "F", "M"])
    visits = visits.assign(kind=["paired"] * 5 + ["mri_only"], index=range(6))
    folds = pd.DataFrame({"subject": list(GROUPS), "fold": [0, 0, 1, 1, 1, 0]})
    write_tsv(folder / "contest/people.tsv", kit_table(with_folds(visits, folds)))
    write_json(folder / "contest/grid.json", {"shape": SHAPE, "affine": AFFINE.tolist(), "seed": 1})
    mask = np.zeros(SHAPE, bool)
    mask[6:57, 5:58, 9:64] = True
    volumes = np.random.default_rng(0).random((6, *SHAPE), dtype=np.float32) * mask
    data = folder / "datasets/linear"
    data.mkdir(parents=True)
    np.save(data / "mask.npy", mask)
    np.save(data / "mri.npy", volumes)
    pet = volumes[:, ::-1] * mask
    pet[5] = 0
    np.save(data / "pet.npy", pet)
    return folder


@pytest.fixture(scope="module")
def written(results, tmp_path_factory):
    places = {name: tmp_path_factory.mktemp(name) for name in FORMS}
    for name, folder in places.items():
        hdf5_kit.main(["write", name, str(results), str(folder)])
    return places


def mask_of(results):
    return np.load(results / "datasets/linear/mask.npy")


def pet_of(results):
    return np.load(results / "datasets/linear/pet.npy")


def as_seen(name, volume, size=None):
    """What the project's network gets of a volume of the file."""
    if name == "pasta":
        return volume[PASTA_KEEPS]
    return np.asarray(Resize((size,) * 3)(volume[None]))[0]


def synthesise(folder, made, name, size=None, ending="_syn_pet.nii.gz"):
    """Write the real PET as what the project has made, with the names and the affine it writes."""
    for file in sorted(folder.glob("fold-*/test.h5")):
        with h5py.File(file) as opened:
            for uid, group in opened.items():
                if uid == "stats":
                    continue
                seen = as_seen(name, group["PET/FDG/data"][:], size)
                place = made / file.parent.name
                place.mkdir(parents=True, exist_ok=True)
                nib.save(nib.Nifti1Image(seen, hdf5_kit.THEIRS), place / f"{uid}{ending}")


@pytest.mark.parametrize("name", FORMS)
def test_files_have_what_the_readers_ask_for(written, name):
    form = FORMS[name]
    with h5py.File(written[name] / "fold-0/train.h5") as file:
        stats = file["stats/tabular"]
        columns = [word.decode() for word in stats["columns"][:]]
        assert tuple(columns) == form.tabular and len(columns) == (6 if name == "pasta" else 13)
        assert stats["mean"].shape == stats["stddev"].shape == (len(columns),)
        scans = {uid: group for uid, group in file.items() if uid != "stats"}
        for uid, group in scans.items():
            assert group["MRI/T1/data"].shape == group["PET/FDG/data"].shape == form.shape
            assert group["tabular"].shape == (len(columns),)
            assert group.attrs["DX"] == diagnosis_of(GROUPS[uid[4:6]])
            assert group.attrs["VISCODE"] == "bl" and group.attrs["RID"] == int(uid[5])
        ages = [group["tabular"][0] for group in scans.values()]
        assert stats["mean"][0] == pytest.approx(np.mean(ages))
        assert stats["stddev"][0] == pytest.approx(np.std(ages))
        known = np.isfinite(next(iter(scans.values()))["tabular"][:])
        assert known.tolist() == [word in ("AGE", "GENDER") for word in columns]
        assert np.isfinite(stats["mean"][:]).all() and (stats["stddev"][:] > 0).all()


@pytest.mark.parametrize("name", FORMS)
def test_nobody_is_learnt_from_and_tested(written, name):
    for fold, tested in ((0, {"S1", "S2", "S6"}), (1, {"S3", "S4", "S5", "S6"})):
        parts = {}
        for part in ("train", "valid", "test"):
            with h5py.File(written[name] / f"fold-{fold}/{part}.h5") as file:
                parts[part] = {uid[4:6] for uid in file if uid != "stats"}
        assert parts["test"] == tested
        assert len(parts["valid"]) == 1 and parts["train"]
        assert not parts["valid"] & parts["train"]
        assert parts["train"] | parts["valid"] == {"S1", "S2", "S3", "S4", "S5"} - tested


@pytest.mark.parametrize(
    ("name", "size", "error"), [("pasta", None, 0), ("sim2p", 56, ROUNDED), ("sim2p", 112, 0)]
)
def test_what_they_make_comes_back_as_it_was(results, written, tmp_path, name, size, error):
    ending = "_AD_syn_pet.nii.gz" if name == "pasta" else "_syn_pet.nii.gz"
    synthesise(written[name], tmp_path / "made", name, size, ending)
    count = hdf5_kit.read_made(written[name], tmp_path / "made", tmp_path / "mine")
    assert count == 7
    people = pd.read_csv(tmp_path / "mine/people.tsv", sep="\t")
    found = read_submission(tmp_path / "mine", people, Grid(mask_of(results), AFFINE))
    real = pet_of(results)
    for row in people.itertuples():
        for volume in found[row.subject, row.visit].values():
            assert np.abs(volume - real[row.index]).max() <= error


@pytest.mark.parametrize("size", [80, 64, 96])
def test_noise_and_all_come_back_from_other_grids(results, written, size):
    """The default grid of SiM2P is no multiple of the kit's: least squares undo the means."""
    form, middle = FORMS["sim2p"], middle_of(mask_of(results))
    for real in pet_of(results)[:2]:
        back = form.read(as_seen("sim2p", form.write(real, middle), size), SHAPE, middle)
        assert np.abs(back - real).max() < 1e-5  # of float32 in their scaling
        assert np.abs(np.roll(back, 1, axis=0) - real).max() > 0.1  # it lies in its place


@pytest.mark.parametrize("name", FORMS)
def test_pet_of_the_wrong_size_and_name_are_refused(written, tmp_path, name):
    folder = tmp_path / "made/fold-0"
    folder.mkdir(parents=True)
    size = (96, 112, 95) if name == "pasta" else (40, 40, 40)
    bad = folder / "sub-S1_ses-bl_syn_pet.nii.gz"
    nib.save(nib.Nifti1Image(np.zeros(size, np.float32), np.eye(4)), bad)
    with pytest.raises(InputError, match=r"sub-S1_ses-bl.*voxels"):
        hdf5_kit.read_made(written[name], tmp_path / "made", tmp_path / "mine")
    bad.rename(folder / "S1_syn_pet.nii.gz")
    with pytest.raises(InputError, match=r"is not called sub-<subject>_ses-<visit>"):
        hdf5_kit.read_made(written[name], tmp_path / "made", tmp_path / "mine")


def test_what_cannot_be_written_is_refused(results, tmp_path, capsys):
    with pytest.raises(InputError, match=r"people.tsv: is not there.*contest_kit"):
        hdf5_kit.write_kit("pasta", tmp_path, tmp_path / "out")
    with pytest.raises(InputError, match="group FTD: PASTA and SiM2P know CN"):
        diagnosis_of("FTD")
    with pytest.raises(InputError, match="mask is empty"):
        middle_of(np.zeros(SHAPE, bool))
    with pytest.raises(SystemExit):
        hdf5_kit.main(["read", str(tmp_path), str(tmp_path), str(tmp_path / "mine")])
    assert "layout.json: is not there" in capsys.readouterr().err


def test_a_brain_larger_than_what_is_kept_is_refused(results, tmp_path):
    copy = tmp_path / "results"
    for name in ("contest/people.tsv", "contest/grid.json"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes((results / name).read_bytes())
    mask = np.zeros(SHAPE, bool)
    mask[2:62, 5:58, 9:60] = True
    (copy / "datasets/linear").mkdir(parents=True)
    np.save(copy / "datasets/linear/mask.npy", mask)
    for kind in ("mri", "pet"):
        np.save(copy / f"datasets/linear/{kind}.npy", np.zeros((6, *SHAPE), np.float32))
    hdf5_kit.write_kit("pasta", copy, tmp_path / "pasta")
    with pytest.raises(InputError, match="the brain is larger than what sim2p keeps"):
        hdf5_kit.write_kit("sim2p", copy, tmp_path / "sim2p")


@pytest.mark.parametrize("name", FORMS)
def test_the_brain_lies_where_the_volumes_do(results, written, name):
    form, mask = FORMS[name], mask_of(results)
    brain = np.asanyarray(nib.load(written[name] / hdf5_kit.BRAIN).dataobj) > 0
    assert brain.shape == form.shape and brain.sum() == mask.sum() * form.times**3
    with h5py.File(written[name] / "fold-0/test.h5") as file:
        pet = file["sub-S1_ses-bl/PET/FDG/data"][:]
    assert not pet[~brain].any()
    about = read_json(written[name] / hdf5_kit.LAYOUT)
    assert (about["form"], about["shape"]) == (name, list(SHAPE))
