"""Uptake on other scales: means of regions, partial volume, and what a table says of them."""

import numpy as np
import pandas as pd
import pytest
import yaml
from scipy.ndimage import gaussian_filter

from mri2pet.config.check import check_config
from mri2pet.diagnosis.features import feature_table, wide
from mri2pet.diagnosis.methods import AS_MADE, CORRECTED, REFERENCE_LABELS, SCALES
from mri2pet.diagnosis.scaled_diagnosis import Images, diagnose_on_scale
from mri2pet.diagnosis.scaling import (
    Anatomy,
    correct_grey,
    on_scale,
    reference_mean,
    regional_error,
)
from mri2pet.diagnosis.svm import Settings
from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.evaluation.scaling_table import scaling_table
from mri2pet.files import write_tsv
from mri2pet.reporting.strata import sections

SHAPE = (24, 24, 24)
FWHM = 6.0
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


@pytest.mark.parametrize("name", [*REFERENCE_LABELS, "brain"])
def test_the_mean_is_that_of_the_region(name):
    image, labels = np.ones(SHAPE), atlas()
    mask, gm = np.ones(SHAPE, bool), np.full(SHAPE, 0.5)
    low, high = REFERENCE_LABELS.get(name, (1, 116))
    image[(labels >= low) & (labels <= high)] = 3.0
    assert reference_mean(name, image, labels, mask, gm) == pytest.approx(3)
    image[labels < low] = 9.0  # outside of it nothing counts
    assert reference_mean(name, image, labels, mask, gm) == pytest.approx(3)


def test_grey_matter_alone_counts_where_it_is_asked_for():
    labels, mask = np.full(SHAPE, 100), np.ones(SHAPE, bool)
    gm = np.zeros(SHAPE)
    gm[:12] = 1
    image = np.where(gm > 0, 2.0, 1.0)
    assert reference_mean("cerebellum", image, labels, mask, gm) == pytest.approx(1.5)
    assert reference_mean("cerebellar grey matter", image, labels, mask, gm) == pytest.approx(2)
    seen = gm == 0
    assert reference_mean("cerebellum", image, labels, mask, gm, seen) == pytest.approx(1)


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
    anatomy = Anatomy(labels, mask, gm, wm, VOXEL, FWHM)
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


@pytest.mark.parametrize("scale", [*REFERENCE_LABELS, "brain"])
def test_each_image_is_divided_by_its_own_mean(study, scale):
    _, _, real, made, anatomy = study
    after, synthetic = real.on(scale, anatomy), made[0].on(scale, anatomy)
    pd.testing.assert_frame_equal(wide(after, "MRI"), wide(real.features, "MRI"))
    factor = reference_mean(scale, real.images[3], anatomy.atlas, anatomy.mask, anatomy.gm[3])
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
