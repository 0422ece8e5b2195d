"""One new person as ADNI, as BIDS, as a loose file and from Python: the same PET to the byte."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bundle_fakes import ready_bundle

from mri2pet.bundles import load_bundle
from mri2pet.bundles.prepare import prepare
from mri2pet.files import read_json, read_tsv
from mri2pet.simulation.adni_scans import simulate_subject
from mri2pet.simulation.adni_tables import write_tables
from mri2pet.simulation.bids_scans import simulate_bids_visit
from mri2pet.simulation.bids_tables import scan_files, write_bids_tables
from mri2pet.simulation.people import plan_people
from mri2pet.simulation.template import make_template

pytestmark = pytest.mark.slow
SCANNER = {"mri_voxel_mm": [1.5] * 3, "pet_voxel_mm": [3.0] * 3, "pet_frames": 1}
PLAN = {"paired": 1, "mri_only": 0, "second_visits": 0, "groups": ["CN"]}


class Place:
    """A folder in which bundles are applied, and the person in every form."""

    def __init__(self, folder: Path, root: Path, atlases: Path) -> None:
        self.folder, self.root, self.bundle = folder, root, folder / "given/bundle"
        (folder / "resources").mkdir(parents=True)
        shutil.copytree(atlases, folder / "resources/atlases")
        (folder / "config").symlink_to(root / "config")
        ready_bundle(self.bundle, atlases)
        (person,) = plan_people(PLAN, seed=777)
        (visit,) = person.visits
        self.person, template = person, make_template(atlases)
        self.adni, self.bids, self.loose = (folder / f"raw/{name}" for name in ("A", "B", "L"))
        self.adni.mkdir(parents=True)
        simulate_subject(template, person, SCANNER, self.adni / person.ptid, folder / "truth/A")
        write_tables([person], 1, self.adni)
        write_bids_tables([person], self.bids)
        files = {name: self.bids / path for name, path in scan_files(person, visit).items()}
        simulate_bids_visit(template, person, visit, SCANNER, files, folder / "truth/B")
        self.t1, self.pet = files["t1w"], files["pet"]
        self.loose.mkdir()
        shutil.copy(self.t1, self.loose / "my_T1.nii.gz")

    def apply(self, *arguments: str, raw: Path, check: bool = True) -> str:
        """Call `apply`; return what it said."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", self.root / "Snakefile"]
        command += ["--directory", self.folder, "--cores", "2", "apply", *arguments]
        command += ["--config", f"bundle={self.bundle}", f"raw={raw}"]
        done = subprocess.run(
            list(map(str, command)),
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(self.root / "src")},
        )
        said = done.stdout + done.stderr
        assert not (check and done.returncode), said[-6000:]
        return said

    def made(self, raw: Path, ending: str, person: str = "*") -> Path:
        """Return the one file of a call's results with an ending."""
        found = self.folder.glob(
            f"results/applied/{raw.name}-gla_gan-unet/pet/sub-{person}/ses-*/pet/*{ending}"
        )
        (path,) = found
        return path


MNI, ON_T1 = "_res-64_trc-18FFDG_desc-unet_pet.nii.gz", "_space-T1w_trc-18FFDG_desc-unet_pet.nii.gz"


@pytest.fixture(scope="module")
def place(tmp_path_factory, root, atlases):
    place = Place(tmp_path_factory.mktemp("apply"), root, atlases)
    for raw in (place.adni, place.bids, place.loose):
        place.apply(raw=raw)
    return place


def test_three_forms_of_a_person_have_the_same_pet(place):
    for ending in (MNI, ON_T1, MNI.replace("unet", "unetspread"), "_uptake.tsv"):
        first, *others = [
            place.made(raw, ending).read_bytes() for raw in (place.adni, place.bids, place.loose)
        ]
        assert all(other == first for other in others), ending


def test_python_makes_the_same(place):
    bundle = load_bundle(place.bundle)
    told = {"age": place.person.age, "sex": place.person.sex}
    pet = bundle.pet(nib.load(place.t1), told)
    made = nib.load(place.made(place.loose, ON_T1))
    assert np.array_equal(pet.get_fdata(dtype=np.float32), made.get_fdata(dtype=np.float32))
    np.testing.assert_allclose(pet.affine, nib.load(place.t1).affine, atol=1e-4)
    assert pet.shape == nib.load(place.t1).shape


def test_it_is_the_mean_over_the_generators_of_the_bundle(place):
    bundle = load_bundle(place.bundle)
    volumes = bundle.volumes(prepare(place.t1, bundle.about).maps)
    made = nib.load(place.made(place.bids, MNI)).get_fdata(dtype=np.float32)
    assert len(volumes) == 2 and not np.array_equal(*volumes)
    assert np.array_equal(volumes.mean(axis=0), made)
    assert (made[bundle.mask] > 0).any() and not made[~bundle.mask].any()


def test_bids_has_its_people_and_their_regions(place):
    folder = place.folder / "results/applied/B-gla_gan-unet"
    people = read_tsv(folder / "people.tsv", dtype={"subject": str})
    assert list(people["status"]) == ["PET"] and people["sex"].iloc[0] == place.person.sex
    regions = read_tsv(folder / "regions.tsv", dtype={"subject": str})
    assert len(regions) == 116
    row = regions.iloc[20]
    assert row["z"] == pytest.approx((row["uptake"] - 0.5) / 0.1)
    page = (folder / "index.html").read_text()
    assert "for show" in page and people["subject"].iloc[0] in page


def test_again_there_is_nothing_to_do(place):
    assert "Nothing to be done" in place.apply("-n", raw=place.loose)


def test_records_lead_to_the_bundle(place):
    records = place.folder / "results/provenance/applied/L-gla_gan-unet/pet"
    (path,) = records.rglob(f"*{MNI}.json")
    told = read_json(path)["inputs"][str(place.bundle)]
    assert "fold-0.safetensors" in told["files"]


def test_others_cost_no_one_who_is_there(place):
    """A T2, a PET and a cut file have no PET, with the reason; an old person is marked.

    A series of DICOM files beside them has the same PET as the NIfTI file that was made of it.
    """
    raw = place.loose
    (series,) = {path.parent for path in place.adni.glob("*/MP*RAGE/*/*/*.dcm")}
    shutil.copytree(series, raw / "as scanned/series-7")
    before = place.made(raw, MNI).stat().st_mtime_ns
    shutil.copy(place.folder / "resources/atlases/anatomy_t2.nii.gz", raw / "t2.nii.gz")
    shutil.copy(place.pet, raw / "pet.nii.gz")
    shutil.copy(place.t1, raw / "old.nii.gz")
    (raw / "cut.nii.gz").write_bytes(place.t1.read_bytes()[:20000])
    (raw / "participants.tsv").write_text("participant_id\tage\nold\t97\n")
    said = place.apply("--keep-going", raw=raw)
    assert "myT1" not in {line.split("subject=")[-1].split(",")[0] for line in said.splitlines()}
    assert place.made(raw, MNI, "myT1").stat().st_mtime_ns == before
    people = read_tsv(raw_results(place, raw) / "people.tsv", index_col="subject")
    assert people.loc["old", "status"] == "PET, unlike the training"
    assert people.loc["old", "remarks"] == "age: 14.0 years outside the ages trained on (limit 5)"
    assert people.loc["old", "age_years"] == 14
    assert people.loc["myT1", "status"] == "PET"
    (series,) = set(people.index) - {"myT1", "old", "t2", "pet", "cut"}
    assert people.loc[series, "status"] == "PET", series
    for ending in (MNI, ON_T1, "_uptake.tsv"):
        same = [place.made(raw, ending, name).read_bytes() for name in ("myT1", series)]
        assert same[0] == same[1], ending
    for name in ("t2", "pet", "cut"):
        assert people.loc[name, "status"] == "no PET", name
    left_out = read_tsv(raw_results(place, raw) / "excluded_scans.tsv", index_col="subject")
    assert {"t2", "pet", "cut"} == set(left_out.index)
    assert left_out.loc["cut", "stage"] == "convert_mri"
    assert set(left_out.loc[["t2", "pet"], "stage"]) <= {"acpc", "skullstrip", "segment", "qc"}
    page = (raw_results(place, raw) / "index.html").read_text()
    assert left_out.loc["t2", "reason"].split(":")[0] in page


def raw_results(place, raw):
    return place.folder / f"results/applied/{raw.name}-gla_gan-unet"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--config", "bundle=none", "raw=."], "there is no folder none"),
        ([], "name the trained model"),
        (["--config", "raw={raw}"], "to make PET of them, name a bundle"),
        (["--config", "bundle={bundle}"], "is applied to a folder of MRIs"),
        (["--config", "bundle={bundle}", "raw=nowhere"], "there is no folder nowhere"),
        (["--config", "bundle={bundle}", "raw={raw}", "aply=1"], "did you mean 'apply'"),
    ],
)
def test_what_is_typed_wrongly_is_said(place, arguments, message):
    command = [sys.executable, "-m", "snakemake", "--snakefile", place.root / "Snakefile"]
    command += ["--directory", place.folder, "--cores", "1", "-n", "apply"]
    command += [each.format(bundle=place.bundle, raw=place.loose) for each in arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode
    assert message in done.stdout + done.stderr
