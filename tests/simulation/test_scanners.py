"""Several simulated scanners: who lies in which, what it changes, and what its headers say."""

from collections import Counter

import nibabel as nib
import numpy as np
import pytest

from mri2pet.config.check import check_config
from mri2pet.conversion.scan_to_bids import convert_scan
from mri2pet.errors import InputError
from mri2pet.files import read_json
from mri2pet.simulation.adni_scans import simulate_visit
from mri2pet.simulation.bids_scans import simulate_bids_visit
from mri2pet.simulation.bids_tables import scan_files
from mri2pet.simulation.mri import bias_field
from mri2pet.simulation.oracle import best_pet
from mri2pet.simulation.people import SITES, plan_people
from mri2pet.simulation.scanners import deal_sites, machine, scanner_of
from mri2pet.simulation.template import load_template, make_template, save_template
from mri2pet.simulation.truth import load_truth
from mri2pet.simulation.visit_scans import scan_visit

PLAN = {"paired": 4, "mri_only": 0, "second_visits": 0, "groups": ["CN", "AD"]}
VOXELS = {"mri_voxel_mm": [6.0, 6.0, 6.0], "pet_voxel_mm": [4.0, 4.0, 4.0]}
PERSON = plan_people(PLAN, 5)[0]
# What a study without scanners has had from the beginning.
USUAL = {
    "mri_noise": [0.022, 0.032],
    "bias": 0.2,
    "mri_manufacturer": "Siemens",
    "mri_model": "TrioTim",
    "pet_fwhm_mm": 6.5,
    "pet_noise": [0.02, 0.03],
    "pet_manufacturer": "Siemens",
    "pet_model": "HR+",
}
OTHER = {
    "mri_manufacturer": "GE",
    "mri_model": "SIGNA HDx",
    "pet_manufacturer": "Philips",
    "pet_model": "Allegro",
}


@pytest.fixture(scope="module")
def template(atlases, tmp_path_factory):
    folder = tmp_path_factory.mktemp("template")
    save_template(folder, make_template(atlases))
    return load_template(folder)


@pytest.fixture(scope="module")
def scan(template, tmp_path_factory):
    """Scan one person with a scanner of some settings; T1, PET and truth."""

    def scanned(**settings):
        folder = tmp_path_factory.mktemp("truth")
        scanner = VOXELS | settings
        t1, pet = scan_visit(template, PERSON, PERSON.visits[0], scanner, folder)
        return t1, pet, load_truth(folder)

    return scanned


@pytest.fixture(scope="module")
def usual(scan):
    return scan()


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_sites_are_dealt_evenly_and_by_the_seed(count):
    names = [f"s{number}" for number in range(count)]
    dealt = deal_sites(names, 1)
    assert sorted(dealt) == sorted(f"{site:03d}" for site in SITES)
    sizes = Counter(dealt.values())
    assert set(sizes) == set(names)
    assert max(sizes.values()) - min(sizes.values()) <= 1
    assert dealt == deal_sites(names, 1)
    assert (dealt != deal_sites(names, 2)) == (count > 1)


def test_a_site_keeps_to_its_scanner_in_a_larger_cohort():
    scanners = {"a": {"pet_fwhm_mm": 5.0}, "b": {"pet_fwhm_mm": 8.0}}
    simulation = PLAN | VOXELS | {"scanners": scanners}
    few = {p.ptid: scanner_of(p, simulation) for p in plan_people(PLAN, 3)}
    many = {p.ptid: scanner_of(p, simulation) for p in plan_people(PLAN | {"paired": 60}, 3)}
    assert few.items() <= many.items()
    of_site = {}
    for ptid, scanner in many.items():
        assert of_site.setdefault(ptid[:3], scanner["name"]) == scanner["name"]
        assert scanner["pet_fwhm_mm"] == scanners[scanner["name"]]["pet_fwhm_mm"]
    assert set(of_site.values()) == {"a", "b"}


def test_without_scanners_everybody_s_is_what_it_was():
    """The parameter of the rule: another one would simulate everybody anew."""
    assert scanner_of(PERSON, PLAN | VOXELS) == VOXELS | {"pet_frames": 1}
    assert machine({}, "MR") == {"Manufacturer": "Siemens", "ManufacturersModelName": "TrioTim"}
    assert machine({}, "PT") == {"Manufacturer": "Siemens", "ManufacturersModelName": "HR+"}


def test_the_usual_settings_spelt_out_change_no_byte(template, tmp_path):
    made = {}
    for name, scanner in {"none": VOXELS, "told": VOXELS | USUAL}.items():
        raw, truth = tmp_path / name / "raw", tmp_path / name / "truth"
        raw.mkdir(parents=True)
        simulate_visit(template, PERSON, 0, scanner, raw, truth)
        files = (path for path in (tmp_path / name).rglob("*") if path.is_file())
        made[name] = {path.relative_to(tmp_path / name): path.read_bytes() for path in files}
    assert len(made["none"]) > 60
    assert made["none"] == made["told"]


def test_settings_change_what_they_say_and_nothing_else(scan, usual):
    t1, pet, truth = usual
    blurred = scan(pet_fwhm_mm=9.0)
    np.testing.assert_array_equal(blurred[0].data, t1.data)
    steps = [
        np.abs(np.diff(scan_.data.astype(float), axis=0)).mean() for scan_ in (pet, blurred[1])
    ]
    assert steps[1] < 0.9 * steps[0]
    noisy = scan(pet_noise=[0.2, 0.2])[1]
    steps.append(np.abs(np.diff(noisy.data.astype(float), axis=0)).mean())
    assert steps[2] > 1.3 * steps[0]
    # of the MRI, whose random numbers the PET's follow: as many are drawn
    grainy, same, _ = scan(mri_noise=[0.1, 0.1])
    np.testing.assert_array_equal(same.data, pet.data)
    air = (slice(0, 6),) * 3
    assert grainy.data[air].mean() > 2.5 * t1.data[air].mean()
    assert truth.values["regions"] == scan(bias=0.6)[2].values["regions"]


@pytest.mark.parametrize("strength", [0.0, 0.2, 0.5])
def test_the_coil_s_shading_is_as_strong_as_told(strength):
    field = bias_field(np.random.default_rng(2), (20, 22, 24), strength)
    assert np.abs(np.log(field)).max() == pytest.approx(np.log1p(strength), abs=1e-6)


def test_the_truth_names_the_scanner_where_there_are_several(scan, usual):
    assert "scanner" not in usual[2].values
    told = scan(name="b", pet_fwhm_mm=8.0)[2].values["scanner"]
    assert (told["name"], told["pet_fwhm_mm"]) == ("b", 8.0)


def test_the_best_pet_is_as_sharp_as_the_scanner(template, scan):
    """Within noise the real PET is the best one where all uptake is what is expected."""
    pet, truth = scan(name="b", pet_fwhm_mm=10.0)[1:]
    real = nib.as_closest_canonical(nib.Nifti1Image(pet.data.astype(np.float32), pet.affine))
    own = np.asarray(best_pet(template, truth, True, VOXELS["pet_voxel_mm"]).dataobj)
    del truth.values["scanner"]
    usual = np.asarray(best_pet(template, truth, True, VOXELS["pet_voxel_mm"]).dataobj)

    def misfit(best):
        real_ = np.asarray(real.dataobj)
        scale = (real_ * best).sum() / (best**2).sum()
        return np.abs(real_ - scale * best).mean()

    assert misfit(own) < 0.9 * misfit(usual)


def test_where_the_pet_cannot_be_used_the_scanner_s_voxels_count(template, scan):
    truth = scan(name="b", pet_voxel_mm=[5.0, 5.0, 6.0])[2]
    made = best_pet(template, truth, False, VOXELS["pet_voxel_mm"])
    np.testing.assert_allclose(np.linalg.norm(made.affine[:3, :3], axis=0), [5.0, 5.0, 6.0])


@pytest.mark.parametrize("maker", ["Siemens", "GE", "Philips"])
def test_headers_of_both_forms_name_the_scanner(template, tmp_path, maker):
    scanner = VOXELS | OTHER | {"mri_manufacturer": maker, "pet_manufacturer": maker}
    raw, visit = tmp_path / PERSON.ptid, PERSON.visits[0]
    raw.mkdir()
    simulate_visit(template, PERSON, 0, scanner, raw, tmp_path / "truth")
    files = {kind: tmp_path / "bids" / name for kind, name in scan_files(PERSON, visit).items()}
    simulate_bids_visit(template, PERSON, visit, scanner, files, tmp_path / "again")
    for kind, modality, model in (("t1w", "MRI", "SIGNA HDx"), ("pet", "PET", "Allegro")):
        image = visit.mri_image if kind == "t1w" else visit.pet_image
        made = tmp_path / f"{kind}.nii.gz"
        converted = convert_scan(raw, image, modality, made)
        for said in (converted, read_json(str(files[kind]).replace(".nii.gz", ".json"))):
            assert (said["Manufacturer"], said["ManufacturersModelName"]) == (maker, model)
        # no maker's own rules of dcm2niix change a voxel
        np.testing.assert_array_equal(
            nib.load(made).get_fdata(dtype=np.float32),
            nib.load(files[kind]).get_fdata(dtype=np.float32),
        )
        np.testing.assert_allclose(nib.load(made).affine, nib.load(files[kind]).affine, atol=1e-4)


@pytest.mark.parametrize(
    "scanners, named",
    [
        ({"a": {"pet_fwhm": 5}}, "pet_fwhm_mm"),
        ({"a": {"pet_noise": [0.02]}}, "scanners.a.pet_noise"),
        ({"a": {"mri_manufacturer": "Sony"}}, "scanners.a.mri_manufacturer"),
        ({"a": {"bias": -0.1}}, "scanners.a.bias"),
        ({"A B": {"bias": 0.1}}, "scanners"),
        ({}, "scanners"),
    ],
)
def test_what_no_scanner_has_is_refused_by_its_key(config, schema, scanners, named):
    config["studies"]["dementia"]["simulation"]["scanners"] = scanners
    with pytest.raises(InputError, match=named):
        check_config(config, schema)


def test_two_scanners_are_a_valid_configuration(config, schema):
    settings = {"a": USUAL, "b": OTHER | VOXELS}
    config["studies"]["dementia"]["simulation"]["scanners"] = settings
    check_config(config, schema)
