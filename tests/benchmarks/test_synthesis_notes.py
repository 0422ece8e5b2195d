"""What the page of the synthesis study says beside its numbers, so that they are read rightly."""

import importlib

import pytest


@pytest.fixture
def claims():
    return importlib.import_module("synthesis_claims")


def test_a_flow_that_starts_from_a_model_has_its_images(study, claims, tmp_path):
    note = claims.STARTED.format(start="U-Net")
    page = study(start="unet").page(tmp_path / "none.tsv", {})
    assert note in page and page.index("### A modern flow") < page.index(note)
    assert "The rectified flow, whose one PET is that of the network it starts from, clo" in page
    alone = study().page(tmp_path / "none.tsv", {})
    assert "starts from the" not in alone and "The rectified flow closes" in alone


@pytest.mark.parametrize(("held", "missed"), [(19, "0.0"), (39, "2.6"), (99, "4.0")])
def test_how_many_held_out_people_may_be_missed(study, claims, tmp_path, held, missed):
    made = study()
    made.images.held = held  # with one more missed whole, 5% of held + 1 people
    page = " ".join(made.page(tmp_path / "none.tsv", {}).split())
    assert f"an interval of 95% may miss {missed}% of what is measured in these people" in page
    made.images.held = 0
    assert "Without guarantee" not in made.page(tmp_path / "none.tsv", {})


def test_in_short_has_a_table_over_the_mri_and_one_over_the_mean_pet(study, tmp_path):
    shift = {"only_mri": 1.0, "mean_pet": 1.0, "unet": 2.0, "real_pet": 9.0}
    page = study(diagnoses=shift).page(tmp_path / "none.tsv", {})
    short = page[page.index("## In short") : page.index("## How much of the gap")]
    _, mri, mean = short.split("What PET adds to ")
    assert mri.startswith("the MRI:") and "| Mean PET | +0.000, " in mri
    assert mean.startswith("Mean PET, whose") and "| Mean PET |" not in mean
    assert all("| Real PET | +0." in table for table in (mri, mean))
