"""Uptake on other scales: means of regions, partial volume, and what a table says of them."""

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml
from nibabel.affines import apply_affine
from scipy.ndimage import distance_transform_edt, gaussian_filter

from mri2pet.config.check import check_config
from mri2pet.diagnosis.features import feature_table, wide
from mri2pet.diagnosis.methods import AS_MADE, CORRECTED, PONS, REFERENCE_LABELS, SCALES
from mri2pet.diagnosis.scaled_diagnosis import Images, diagnose_on_scale
from mri2pet.diagnosis.scaling import (
    Anatomy,
    correct_grey,
    on_scale,
    reference_mean,
    reference_region,
    regional_error,
)
from mri2pet.diagnosis.svm import Settings
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.evaluation.scaling_table import scaling_table
from mri2pet.files import write_tsv
from mri2pet.reporting.strata import sections

SHAPE = (24, 24, 24)
FWHM = 6.0
AFFINE = np.array([[2.0, 0, 0, -23], [0, 2, 0, -49], [0, 0, 2, -57], [0, 0, 0, 1]])  # pons inside
VOXEL = np.array([2.0, 2.0, 2.0])
NAMES = [f"R{number}" for number in range(1, 117)]


def atlas():
    """116 slabs of a few voxels each."""
    return (np.arange(np.prod(SHAPE)) * 116 // np.prod(SHAPE) + 1).reshape(SHAPE)


def tissues():
    """A shell of grey around a ball of white matter, both with sharp edges."""
    away = np.linalg.norm(np.indices(SHAPE) - 11.5, axis=0)
    return (away < 11.0) & (away >= 7.5), away < 7.5


def blurred(grey, white, level=0.3):
    gm, wm = tissues()
    return gaussian_filter(grey * gm + level * white * wm, FWHM / 2.3548 / VOXEL)


def of_labels(labels, mask=None):
    """What an anatomy of one person is, of grey matter everywhere."""
    mask = np.ones(labels.shape, bool) if mask is None else mask
    return Anatomy(labels, mask, np.ones((1, *labels.shape)), labels[None] * 0, AFFINE, FWHM)


@pytest.mark.parametrize("name", [*REFERENCE_LABELS, "brain"])
def test_the_mean_is_that_of_the_region(name):
    image, labels = np.ones(SHAPE), atlas()
    region = reference_region(name, of_labels(labels))
    low, high = REFERENCE_LABELS.get(name, (1, 116))
    image[(labels >= low) & (labels <= high)] = 3.0
    assert reference_mean(image, region) == pytest.approx(3)
    image[labels < low] = 9.0  # outside of it nothing counts
    assert reference_mean(image, region) == pytest.approx(3)


@pytest.mark.parametrize("mm", [1.0, 2.0, 3.0])
def test_the_pons_is_an_ellipsoid_whatever_the_voxels(mm):
    shape = tuple([round(60 / mm)] * 3)
    affine = np.diag([-mm, mm, mm, 1.0])  # x runs from right to left
    affine[:3, 3] = 30, -56, -64
    labels, mask = np.zeros(shape, int), np.ones(shape, bool)
    anatomy = Anatomy(labels, mask, labels[None], labels[None], affine, FWHM)
    region = reference_region(PONS, anatomy)
    assert region.sum() * mm**3 == pytest.approx(4 / 3 * np.pi * 10 * 8 * 9, rel=0.05)
    centre = apply_affine(affine, np.argwhere(region)).mean(axis=0)
    np.testing.assert_allclose(centre, (0, -26, -34), atol=0.51 * mm)
    mask[:] = False
    assert not reference_region(PONS, anatomy).any()


def test_the_pons_lies_inside_that_of_mni152_and_in_no_region_of_aal(atlases):
    t1, labels = (nib.load(atlases / name) for name in ("mni152_t1.nii.gz", "aal.nii.gz"))
    data = t1.get_fdata()
    anatomy = Anatomy(data, data > 0, data[None], data[None], t1.affine, FWHM)
    region = reference_region(PONS, anatomy)
    near = distance_transform_edt(~region, sampling=t1.header.get_zooms()) <= 3
    # fluid around it is darker, and so is the fourth ventricle
    np.testing.assert_allclose(data[near], data[region].mean(), rtol=0.1)
    places = apply_affine(np.linalg.inv(labels.affine) @ t1.affine, np.argwhere(near))
    assert not np.asanyarray(labels.dataobj)[tuple(np.rint(places).astype(int).T)].any()


def test_grey_matter_alone_counts_where_it_is_asked_for():
    labels = np.full(SHAPE, 100)
    gm = np.zeros(SHAPE)
    gm[:12] = 1
    image = np.where(gm > 0, 2.0, 1.0)
    region = reference_region("cerebellar grey matter", of_labels(labels))
    assert reference_mean(image, region) == pytest.approx(1.5)
    assert reference_mean(image, region, gm) == pytest.approx(2)
    assert reference_mean(image, region, seen=gm == 0) == pytest.approx(1)


def test_a_region_that_no_scanner_saw_has_no_mean():
    region = reference_region(PONS, of_labels(atlas()))
    assert region.any()
    assert np.isnan(reference_mean(np.ones(SHAPE), region, seen=~region))


@pytest.mark.parametrize("uptake", [0.5, 1.0, 1.5])
def test_what_the_blur_took_from_grey_matter_comes_back(uptake):
    gm, wm = (tissue.astype(float) for tissue in tissues())
    image = blurred(uptake, 1.0)
    mask = (gm + wm) > 0
    corrected, weights = correct_grey(image, gm, wm, mask, VOXEL, FWHM)
    before = np.average(image[mask], weights=gm[mask])
    after = np.average(corrected[mask], weights=weights[mask])
    assert abs(before - uptake) > 0.1 * uptake
    assert after == pytest.approx(uptake, rel=0.02)
    assert not weights[gm == 0].any()


def test_white_matter_s_level_does_not_matter_after_the_correction():
    gm, wm = (tissue.astype(float) for tissue in tissues())
    mask = (gm + wm) > 0
    means = []
    for level in (0.2, 0.6):
        image = blurred(1.0, 1.0, level)
        corrected, weights = correct_grey(image, gm, wm, mask, VOXEL, FWHM)
        means.append(np.average(corrected[mask], weights=weights[mask]))
    assert means[0] == pytest.approx(means[1], rel=0.02)


@pytest.fixture(scope="module")
def study():
    """Twelve people in two folds, the ill with less uptake in some regions; PET 10% too bright."""
    rng = np.random.default_rng(4)
    n, labels = 12, atlas()
    mask = np.ones(SHAPE, bool)
    gm = np.full((n, *SHAPE), 0.7) + rng.uniform(-0.1, 0.1, (n, *SHAPE))
    wm = 1 - gm
    visits = pd.DataFrame(
        {
            "index": range(n),
            "subject": [f"s{number:02d}" for number in range(n)],
            "visit": "bl",
            "group": ["CN", "AD"] * (n // 2),
            "kind": "paired",
        }
    )
    pet = rng.uniform(0.9, 1.1, (n, *SHAPE))
    pet[visits["group"] == "AD"] *= np.where(labels < 40, 0.8, 1.0)
    anatomy = Anatomy(labels, mask, gm, wm, AFFINE, FWHM)
    tissue = {"GM": gm, "WM": wm}
    made = 1.1 * pet

    def features(modality, rows, images):
        return feature_table(rows, modality, images, tissue, labels, mask, NAMES)

    mri = features("MRI", visits, rng.uniform(0.4, 0.6, (n, *SHAPE)))
    real = pd.concat([mri, features("PET", visits, pet)], ignore_index=True)
    folds = visits[["subject"]].assign(fold=[0] * 6 + [1] * 6)
    parts = [visits[folds["fold"] == fold] for fold in range(2)]
    synthetic = [
        Images(features("PET", rows, made[rows["index"]]), rows, made[rows["index"]])
        for rows in parts
    ]
    return visits, folds, Images(real, visits, pet), synthetic, anatomy


def test_on_the_dataset_s_scale_features_are_as_they_were(study):
    _, _, real, _, anatomy = study
    assert on_scale(AS_MADE, real.features, real.visits, real.images, anatomy) is real.features


@pytest.mark.parametrize("scale", [*REFERENCE_LABELS, PONS, "brain"])
def test_each_image_is_divided_by_its_own_mean(study, scale):
    _, _, real, made, anatomy = study
    after, synthetic = real.on(scale, anatomy), made[0].on(scale, anatomy)
    pd.testing.assert_frame_equal(wide(after, "MRI"), wide(real.features, "MRI"))
    weights = anatomy.gm[3] if "grey" in scale else None
    factor = reference_mean(real.images[3], reference_region(scale, anatomy), weights)
    ratio = wide(real.features, "PET").loc[3] / wide(after, "PET").loc[3]
    np.testing.assert_allclose(ratio, factor)
    # what is too bright everywhere is so no longer
    same = wide(synthetic, "PET") / wide(after, "PET").loc[made[0].visits["index"]]
    np.testing.assert_allclose(same, 1)
    errors = {name: regional_error(table, own)["value"] for name, table, own in [
        ("before", real.features, made[0].features), ("after", after, synthetic)
    ]}  # fmt: skip
    np.testing.assert_allclose(errors["before"], 10)
    np.testing.assert_allclose(errors["after"], 0, atol=1e-9)


def test_the_correction_changes_grey_matter_of_the_pet_alone(study):
    _, _, real, _, anatomy = study
    after = real.on(CORRECTED, anatomy)
    changed = after["value"] != real.features["value"]
    kinds = real.features[changed][["modality", "tissue"]].drop_duplicates().to_numpy().tolist()
    assert kinds == [["PET", "GM"]]
    assert np.isfinite(after.loc[changed, "value"]).mean() > 0.9


def test_the_table_has_every_scale_and_the_same_people(study, tmp_path):
    visits, folds, real, made, anatomy = study
    settings = Settings(inner_folds=2, C=(1.0,), gamma=("scale",))
    predictions, errors = [], []
    for method, own in (("unet", made), ("real_pet", [])):
        for scale in SCALES:
            told = (scale, method, (visits, folds), real, own, anatomy, settings, 1, 2)
            for found, part in zip((predictions, errors), diagnose_on_scale(*told), strict=True):
                found.append(part.assign(method=method))
    table = scaling_table(
        pd.concat(predictions, ignore_index=True),
        pd.concat([part for part in errors if len(part)], ignore_index=True),
        "AD",
        ["unet"],
    )
    assert list(table) == list(COLUMNS)
    by_metric = table.set_index(["method", "metric"])
    for scale in SCALES:
        assert by_metric.loc[("unet", f"AUC, {scale}"), "n"] == 12
        assert by_metric.loc[("real_pet", f"AUC, {scale}"), "mean"] > 0.9
        assert ("real_pet", f"regional error, {scale}") not in by_metric.index
    assert by_metric.loc[("unet", f"regional error, {AS_MADE}"), "mean"] == pytest.approx(10)
    assert by_metric.loc[("unet", "regional error, brain"), "mean"] == pytest.approx(0, abs=1e-9)
    path = tmp_path / "tables/scaling.tsv"
    path.parent.mkdir()
    write_tsv(path, table)
    (section,) = sections([path], {"unet": "U-Net"}, "scaling", "Scales", "scaling")
    assert [listing.title for listing in section.listings] == [
        "Diagnosis: AUC",
        "Regional error, percent",
    ]
    shown = section.listings[1].table.set_index("Method")
    assert list(shown) == list(SCALES)
    assert shown.loc["U-Net", AS_MADE].startswith("10.0")


def test_the_schema_knows_the_scales(config, schema, root):
    text = yaml.safe_load((root / "workflow/schemas/config/gla_gan.yaml").read_text())
    known = text["properties"]["gla_gan"]["properties"]["diagnosis"]["properties"]["scaling"]
    scales = known["properties"]["scales"]
    assert scales["default"] == scales["items"]["enum"] == list(SCALES)
    config["gla_gan"]["diagnosis"]["scaling"] = {"scales": ["vermis"], "fwhm_mm": 8}
    check_config(config, schema)


def test_a_pet_without_its_pons_does_not_stop_the_others(study):
    visits, folds, real, made, anatomy = study
    seen = np.ones((len(visits), *SHAPE), bool)
    seen[3] = ~reference_region(PONS, anatomy)
    settings = Settings(inner_folds=2, C=(1.0,), gamma=("scale",))
    told = (PONS, "unet", (visits, folds), real, made, anatomy, settings, 1, 2, seen)
    predictions, errors = diagnose_on_scale(*told)
    assert len(predictions) == len(visits)
    known = errors.set_index("index")["value"]
    np.testing.assert_allclose(known.drop(3, errors="ignore"), 0, atol=1e-9)
    assert np.isnan(known.get(3, np.nan))
