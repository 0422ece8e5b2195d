"""What `apply` makes of what is typed and of a bundle."""

import pytest

from mri2pet.config.applied import STUDY, applied_config, applied_name, check_applied
from mri2pet.errors import InputError

BUNDLE = {
    "system": "gla_gan",
    "model": "unet",
    "label": "U-Net",
    "target": "pet",
    "crop": 8,
    "groups": ["CN", "AD"],
    "folds": [{}, {}],
    "preproc": {"n4_shrink": 5},
    "space": {"name": "linear"},
}


def test_preprocessing_is_that_of_the_bundle(config):
    made = applied_config(config, BUNDLE, "/data/Y")
    assert made["preproc"] == {"n4_shrink": 5} != config["preproc"]
    assert made["studies"] == {STUDY: {"raw": "/data/Y", "mri_alone": True, "groups": ["CN", "AD"]}}
    assert made["systems"] == ["gla_gan"] and made["gla_gan"]["study"] == STUDY


def test_limits_of_the_user_go_before_the_usual_ones(config):
    changed = config | {"apply": {"limits": {"age_years": 1}}}
    assert applied_config(changed, BUNDLE, "Y")["apply"]["limits"]["age_years"] == 1
    assert applied_config(changed, BUNDLE, "Y")["apply"]["limits"]["histogram"] == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"system": "ixi", "space": {"name": "ixi"}, "target": "pd"}, "makes no PET of a T1"),
        ({"system": "unknown"}, "makes no PET of a T1"),
        ({"space": {"name": "nonlinear"}}, "works in another space"),
    ],
)
def test_what_cannot_be_applied_is_said(config, change, message):
    with pytest.raises(InputError, match=message):
        applied_config(config, BUNDLE | change, "Y")


@pytest.mark.parametrize(
    ("raw", "name", "made"),
    [
        ("/data/My T1s/", "", "My_T1s-gla_gan-unet"),
        ("/data/Y", "second try", "second_try"),
        ("/data/Y", "../../etc", "etc"),
    ],
)
def test_results_have_a_name_that_a_folder_can_have(raw, name, made):
    assert applied_name(BUNDLE, raw, name) == made


def test_a_name_of_nothing_and_a_missing_folder_are_refused():
    with pytest.raises(InputError, match=r"apply\.name"):
        applied_name(BUNDLE, "/data/Y", "///")
    with pytest.raises(InputError, match="raw"):
        check_applied("bundle", "")
