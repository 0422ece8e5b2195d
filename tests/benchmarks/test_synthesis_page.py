"""The page of the synthesis study: verdicts of planted effects, and what a run does not have."""

import importlib
import re

import numpy as np
import pytest
import scipy.stats
from planted_study import AUC_SHIFT, ERRORS, claimed, write_run


def test_verdicts_follow_what_was_planted(study, tmp_path):
    page = study().page(tmp_path / "none.tsv", {})
    both = claimed(page, "Global and local paths together beat the global path")
    assert both[1].startswith("+0.0030 (+0.002") and both[-1] == "**holds here**"
    assert both[3].startswith("+0.30 (")
    local = claimed(page, "Global and local paths together beat the local paths")
    assert local[1].startswith("+0.0001 (-0.00") and local[-1] == "**cannot be told**"
    assert claimed(page, "K = 4 is better than K = 2")[-1] == "**not here**"
    assert claimed(page, "K = 4 is better than K = 2")[1].startswith("-0.0040")


def test_in_short_says_what_was_asked(study, tmp_path):
    page = study().page(tmp_path / "none.tsv", {})
    short = page[page.index("## In short") : page.index("## How much of the gap")]
    assert "- GLA-GAN closes more of the gap than the local regression: **holds here**" in short
    assert "- U-Net closes more of the gap than the local regression: **holds here**" in short
    (told,) = [line for line in short.splitlines() if line.startswith("- GLA-GAN's paper. ")]
    assert "**Holds here**: Global and local paths together beat the global path; " in told
    assert "**Not here**: K = 4 is better than K = 2." in told
    assert "**Cannot be told**: Global and local paths together beat the local paths; K = 4" in told
    assert "- Networks against no network" not in short  # a line each, above
    assert claimed(short, "PET | ")[1:] == ["AUC of AD against CN, Paired"]
    assert claimed(short, "GLA-GAN | ")[1:] == ["+0.000, **cannot be told**"]
    real = claimed(short, "Real PET | ")[1]
    assert real.startswith("+0.") and real.endswith("**holds here**")


def test_less_than_trainings_differ_cannot_be_told(study, words):
    images = study().images
    found = images.better("gla_gan", "k8")
    assert words.verdict(found.low, found.high) == words.HOLDS
    assert found.verdict == words.UNTOLD and found.mean == pytest.approx(0.0004)
    # GLA-GAN and U-Net have three trainings each, sd .0006: four degrees of freedom
    apart = 2.7764451 * 0.0006
    assert found.chance == pytest.approx(apart * np.sqrt(1 / 3 + 1))
    assert images.chance("unet", "local_regression") == pytest.approx(apart / np.sqrt(3))
    assert images.chance("k2", "k8") == pytest.approx(apart * np.sqrt(2))
    assert images.chance("unet_12", "local_regression_12") == pytest.approx(apart)
    assert images.chance("mean_pet", "local_regression") == 0
    assert np.isnan(images.chance("rectified_flow", "oracle"))  # none of its kind was repeated


def test_kinds_of_training_that_differ_more_are_not_mixed(study):
    images = study(errors=ERRORS | {"rectified_flow": (0.030, 0.0005, 2)}).images
    # sd of .0006 between two trainings: .0006 / sqrt(2), one degree of freedom
    terms, free = [0.0006**2 / 2 / 2, 0.0006**2 / 3], [1, 4]
    degrees = sum(terms) ** 2 / sum(term**2 / own for term, own in zip(terms, free, strict=True))
    reach = scipy.stats.t.ppf(0.975, degrees) * np.sqrt(sum(terms))
    assert images.chance("rectified_flow", "unet") == pytest.approx(reach)


def test_the_pet_of_a_flow_is_as_random_as_that_of_the_model_it_starts_from(study):
    images = study(start="unet").images
    reach = 2.7764451 * 0.0006 * np.sqrt(1 + 1 / 3)  # as of a U-Net trained once
    assert images.chance("rectified_flow", "gla_gan") == pytest.approx(reach)
    assert images.chance("rectified_flow", "unet") == pytest.approx(reach)


def test_errors_are_means_over_trainings(study):
    images = study().images
    assert images.measured("unet").mean == pytest.approx(ERRORS["unet"][0])
    assert images.trainings["unet"] == 3 and images.learnt_from() == 18
    gaps = study().gaps
    assert gaps.loc["gla_gan", "mean"] == pytest.approx(100 * 24 / 30)
    assert gaps.loc["gla_gan", "trainings_sd"] == pytest.approx(100 * 0.0006 / 0.03)


def test_people_who_tell_how_wide_intervals_are_are_not_learnt_from(tmp_path, words):
    block = words.configuration(words.ROOT / "config/study/gla_gan.yaml")["gla_gan"]
    values = importlib.import_module("synthesis_values")
    write_run(tmp_path)
    held = values.Images(tmp_path, block | {"validation": {"people": 5}})
    assert held.learnt_from() == values.Images(tmp_path, block).learnt_from() - 5 == 13


def test_diagnoses_are_of_whole_models(study, tmp_path):
    page = study(diagnoses=AUC_SHIFT | {"unet_12": 2.0, "unet_s150": 2.0})
    page = page.page(tmp_path / "none.tsv", {})
    adds = page[page.index("## What synthetic PET adds") : page.index("## How many people")]
    assert "| U-Net |" in adds and "12 people" not in adds and "150 steps" not in adds


def test_a_negative_gap_is_said_in_words(study, tmp_path):
    page = study().page(tmp_path / "none.tsv", {})
    assert claimed(page, "Rectified flow | -33")[1].startswith("-33 (")
    assert "Further from the real PET than the mean image: Rectified flow.\n" in page
    assert claimed(page, "Rectified flow beats the local regression")[-1] == "**not here**"


def test_growth_with_people_and_steps(study, tmp_path):
    page = study().page(tmp_path / "none.tsv", {})
    assert "| model | MAE, 12 people | MAE, 18 people | least to most |" in page
    assert "| U-Net | 0.0340 | 0.0280 | +0.0060 (" in page
    rows = re.findall(r"\| U-Net \| (12|18) \| (\S+) .*\*\*(.+)\*\* \|", page)
    assert rows == [("12", "-0.0020", "not here"), ("18", "+0.0020", "holds here")]
    assert "U-Net beats it from 18 people on." in page
    steps = next(line for line in page.splitlines() if "0.0281 | 0.0280" in line)
    assert "**cannot be told**" in steps


def test_gains_over_the_mri_and_their_shares(study, tmp_path):
    made = study()
    parts = made.diagnosis
    real, unet, gan = (parts.gain("Paired", name) for name in ("real_pet", "unet", "gla_gan"))
    assert real.verdict == "holds here" and unet.verdict == "holds here"
    assert gan.mean == 0 and gan.verdict == "cannot be told"
    share = parts.share("Paired", "unet", "real_pet")
    assert share.mean == pytest.approx(100 * unet.mean / real.mean) and 0 < share.low < 100
    assert parts.share("Paired", "gla_gan", "oracle").mean == 0
    page = made.page(tmp_path / "none.tsv", {})
    assert "higher AUC than that of U-Net: **cannot be told**, +0.000." in page
    assert "higher AUC than that of GLA-GAN: **holds here**, +0." in page
    assert "AUC of AD against CN" in page and "learnt from synthetic PET.\n" in page


def test_without_a_sure_gain_there_is_no_share(study, tmp_path):
    made = study(diagnoses=AUC_SHIFT | {"real_pet": 1.0})
    assert made.diagnosis.share("Paired", "unet", "real_pet") is None
    page = made.page(tmp_path / "none.tsv", {})
    assert "No share of the gain of real PET: that there is one cannot be told." in page
    assert re.search(r"The MRI alone has 0\.\d{3}: at most 0\.\d{3} can be gained", page)


def test_the_flow_is_held_to_what_was_asked_of_it(study, tmp_path):
    def told(rectified):
        page = study(errors=ERRORS | {"rectified_flow": rectified}).page(tmp_path / "none.tsv", {})
        lines = [line for line in page.splitlines() if "at least as much of the gap" in line]
        assert len(lines) == 2 and len(set(lines)) == 1  # in short, and where it belongs
        return lines[0]

    assert "**not here**" in told((0.060, 0.0005, 1))
    near = told((0.0264, 0.0001, 1))  # 2% above, and its CRPS is better
    assert "**holds here**" in near and "GLA-GAN's 1.01" in near and "+0.01000 (" in near
    assert "**cannot be told**" in told((0.0273, 0.004, 1))


def test_coverage_is_told_in_words(study, tmp_path):
    page = study().page(tmp_path / "none.tsv", {})
    held = page[page.index("## What is claimed of unc") : page.index("## What synthetic PET adds")]
    assert claimed(held, "intervals of")[1:] == ["50%", "80%", "90%", "95%", "within 5 points"]
    assert claimed(held, "Rectified flow | 4")[-2:] == ["92 (91 to 93)", "**holds here**"]
    assert claimed(held, "Voxelwise Student's t")[-1] == "**not here**"
    assert "The rectified flow's CRPS is below that of GLA-GAN: **holds here**" in page


def test_what_a_run_does_not_have_is_left_out_with_a_sentence(study, tmp_path):
    few = {name: ERRORS[name] for name in ("mean_pet", "unet", "gla_gan")}
    made = study(errors=few, diagnoses={})
    pictures = made.draw(tmp_path / "images")
    page = made.page(tmp_path / "none.tsv", pictures)
    assert set(pictures) == {"coverage"}
    assert "The run does not know both ends of the gap." in page
    assert "left out: " in page and "Cycle-GAN" in page and "dual_glow" in page
    assert "GLA-GAN, K = 2" in page
    assert claimed(page, "GLA-GAN beats the U-Net")[-1] == "**holds here**"
    assert "The run has no models of several numbers of people." in page
    assert "Tables that the run does not have: image quality; " in page
    assert "nan" not in page


@pytest.mark.parametrize(
    ("stem", "more", "title"),
    [
        ("study", [], "# The study: what the papers claim\n"),
        ("study-part", ["smaller/part.yaml"], "# The study: part\n"),
    ],
)
def test_figures_are_drawn_and_named_in_the_page(study, words, tmp_path, stem, more, title):
    files = [f"config/study/{name}" for name in ("synthesis.yaml", *more)]
    made = study(files=[words.ROOT / file for file in files])
    pictures = made.draw(tmp_path / f"{stem}.md")
    assert {*pictures} == {"gap", "growth", "coverage"}
    page = made.page(tmp_path / "none.tsv", pictures)
    assert page.startswith(title) and f"--configfile {' '.join(files)}\n" in page
    options = f" results --configfile {' '.join(files)}" * bool(more)
    assert f"Written by `python benchmarks/synthesis_study.py{options}` from" in page
    for name in pictures:
        path = f"images/{stem}-{name}.png"
        assert f"]({path})" in page and (tmp_path / path).stat().st_size > 5000
    assert "nan" not in page
