"""The page of the study of scanners: planted losses come out, and on the right side."""

import importlib

import numpy as np
import pandas as pd
import pytest

from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.files import write_tsv

PEOPLE = 24
MAKERS = ("GE Advance", "Siemens Trio")
# mean error in folds by person; what is added to it on a scanner that was not learnt from
ERRORS = {"mean_pet": (0.05, 0.001), "oracle": (0.02, 0.0), "unet": (0.03, 0.005)}
LOST = {"unet": (0.004, 0.006)}  # on each scanner
SHIFT = {"only_mri": 1.0, "real_pet": 4.0, "unet": 2.5}


def people(by):
    number = np.arange(PEOPLE)
    scanner = number % 2
    return pd.DataFrame(
        {
            "subject": [f"S{n:02}" for n in number],
            "visit": "bl",
            "group": np.where(number // 2 % 2, "AD", "CN"),
            "fold": scanner if by == "scanner" else number // 4 % 2,
        }
    )


def write_folds(folder, rows):
    for fold, own in rows.groupby("fold"):
        write_tsv(folder / f"fold-{fold}.tsv", own)


def write_run(results, by):
    """Write what a run leaves; without another scanner the diagnosis is as good as it gets."""
    rows, system, rng = people(by), results / "gla_gan", np.random.default_rng(0)
    scanner = np.arange(PEOPLE) % 2
    noise = rng.normal(0, 1e-4, PEOPLE)
    for name, (mean, more) in ERRORS.items():
        added = np.array(LOST.get(name, (more, more)))[scanner] if by == "scanner" else 0.0
        values = rows.assign(metric="MAE", unit="intensity in 0..1", value=mean + noise + added)
        write_folds(system / f"metrics/{name}", values)
    hidden, ill = rng.normal(0, 1, PEOPLE), (rows["group"] == "AD").to_numpy()
    for name, shift in SHIFT.items():
        lost = 2.0 if by == "scanner" and name == "unet" else 0.0
        for place, back in (("diagnosis", 0.0), ("harmonised", lost)):
            score = hidden + (shift - lost + back) * ill
            told = rows.assign(truth=rows["group"], score=score, probability=0.5)
            told["predicted"] = "CN" if lost and not back else rows["group"]
            write_folds(system / f"{place}/paired/{name}", told)
        scales = {"as it is": 0.0, "brain": 9.0, "vermis": 0.0}
        parts = [told.assign(score=hidden + s * ill, scale=scale) for scale, s in scales.items()]
        write_tsv(system / f"scaling/{name}/predictions.tsv", pd.concat(parts))
    names = [MAKERS[number] for number in scanner]
    write_tsv(
        results / "datasets/linear/scanners.tsv",
        rows[["subject", "visit"]].assign(site="1", scanner=names, pet_scanner=names),
    )
    table = pd.DataFrame(
        [("unet", "gap closed, women", 40.0, 9), ("unet", "gap closed, men", 60.0, 15)],
        columns=["method", "metric", "mean", "n"],
    ).assign(unit="percent", low=30.0, high=70.0)
    scaled = table.assign(metric=["regional error, as it is", "regional error, brain"])
    for name, own in (("strata", table), ("scaling", scaled)):
        write_tsv(system / f"tables/{name}.tsv", own.reindex(columns=list(COLUMNS)))


@pytest.fixture
def page(tmp_path):
    for by in ("scanner", "person"):
        write_run(tmp_path / by, by)
    script = importlib.import_module("scanner_study")
    config = importlib.import_module("study_words").configuration(script.STUDY)
    study = script.Scanners(tmp_path / "scanner", tmp_path / "person", config)
    return study.page(study.draw(tmp_path / "study.md"))


def section(page, title):
    return page.split(f" {title}\n")[1].split("\n#")[0]


def cells(text, *begins):
    (row,) = [line for line in text.splitlines() if line.startswith(f"| {' | '.join(begins)}")]
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_errors_grow_by_what_was_planted(page):
    whole = section(page, "What images lose on another scanner")
    assert cells(whole, "U-Net")[3].startswith("+0.0050")
    assert cells(whole, "U-Net")[4:] == ["17%", "**holds here**"]  # of .05 to .02
    assert cells(whole, "Oracle")[4:] == ["", ""]  # it has learnt from nobody
    each = section(page, "Each scanner by itself")
    for maker, lost in zip(MAKERS, LOST["unet"], strict=True):
        assert cells(each, maker, "U-Net")[4].startswith(f"+{lost:.4f}")


def tables(page, title):
    """Return a section's tables of the AUC and of the accuracy."""
    return section(page, title).split("| PET |")[1:]


def test_harmonising_gives_back_all_that_was_lost_and_no_more(page):
    lost, lost_accuracy = tables(page, "What diagnosis loses")
    back, back_accuracy = tables(page, "What harmonising gives back")
    assert cells(lost, "U-Net")[4] == "**holds here**"
    assert cells(back, "U-Net")[3] == cells(lost, "U-Net")[3]
    assert cells(back, "U-Net")[4:] == ["100%", "**holds here**"]
    assert cells(lost, "Only MRI")[4] == "**cannot be told**"
    assert cells(lost_accuracy, "U-Net")[3].startswith("+0.500")  # all called healthy
    assert cells(back_accuracy, "U-Net")[4:] == ["100%", "**holds here**"]


def test_scales_and_strata_are_listed(page):
    scales = section(page, "Reference region and partial volume")
    assert cells(scales, "Only MRI", "as it is")[3:] == ["", ""]
    assert cells(scales, "Only MRI", "brain")[4] == "**higher**"
    assert cells(scales, "Only MRI", "vermis")[3:] == ["+0.000", "cannot be told"]
    assert "a resolution of 7.5 mm" in scales
    assert "regional error, brain (15 people)" in scales
    strata = section(page, "By sex, age, group and scanner")
    assert cells(strata, "U-Net")[1:] == ["40 (30 to 70)", "60 (30 to 70)"]
    assert "| AUC, " not in strata  # the run has none


def test_the_page_says_how_scanners_are_set_and_shows_its_picture(page, tmp_path):
    usual, other = (cells(page, name)[1:] for name in ("Siemens TrioTim", "GE SIGNA HDx | 2 x"))
    assert usual[-3:] == ["2.5 x 2.5 x 2.5", "6.5", "0.02 to 0.03"]
    assert other == ["2 x 2 x 2", "0.05 to 0.07", "0.4", "3.5 x 3.5 x 4.25", "8.5", "0.05 to 0.07"]
    assert "(images/study.png)" in page and (tmp_path / "images/study.png").stat().st_size > 5000
