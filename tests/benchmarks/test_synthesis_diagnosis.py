"""What PET adds where several groups are told apart, and what of it knows of the person."""

import importlib

import numpy as np
import pandas as pd
import pytest

from mri2pet.files import write_tsv

GROUPS = ["CN", "MCI", "AD"]
# how well each method's PET tells the groups apart, in standard deviations of a score
TOLD = {"only_mri": 0.5, "mean_pet": 1.0, "unet": 3.0, "oracle": 6.0, "real_pet": 6.0}


@pytest.fixture
def results(tmp_path):
    """Predictions of 60 people, all of them with a PET."""
    rng, rows = np.random.default_rng(0), []
    people = pd.DataFrame({"subject": [f"S{n:02}" for n in range(60)], "visit": "bl"})
    people["fold"], people["truth"] = np.arange(60) // 3 % 4, [GROUPS[n % 3] for n in range(60)]
    people["group"] = people["truth"]
    for method, apart in TOLD.items():
        own = people.copy()
        for group in GROUPS:
            own[f"score_{group}"] = rng.normal(0, 1, 60) + apart * (own["truth"] == group)
        scores = own[[f"score_{group}" for group in GROUPS]].to_numpy()
        own["predicted"] = np.array(GROUPS)[scores.argmax(axis=1)]
        rows.append(own)
        for fold, part in own.groupby("fold"):
            folder = tmp_path / f"gla_gan/three_way/paired/{method}"
            write_tsv(folder / f"fold-{fold}.tsv", part)
    return tmp_path


@pytest.fixture
def found(results):
    module = importlib.import_module("synthesis_diagnosis")
    return module, module.Diagnosis(results, "AD", "CN", GROUPS)


def test_gains_are_over_the_mri_and_over_the_mean_pet(found):
    module, diagnosis = found
    assert list(diagnosis.parts) == ["Paired, all groups"]
    gain = diagnosis.gain("Paired, all groups", "unet")
    beyond = diagnosis.gain("Paired, all groups", "unet", "mean_pet")
    assert 0 < beyond.mean < gain.mean and gain.verdict == beyond.verdict == "holds here"
    share = diagnosis.share("Paired, all groups", "mean_pet", "oracle")
    assert 0 < share.mean < 60
    page = module.diagnosis(diagnosis, {"unet": "U-Net", "only_mri": "Only MRI"})
    row = next(line for line in page.splitlines() if line.startswith("| U-Net |"))
    assert f"| {gain.text(3)} | {beyond.text(3)} |" in row
    assert "| PET | macro AUC of CN, MCI, AD |" in page
    assert "The run has no diagnosis learnt from synthetic PET." in page


def test_the_macro_auc_is_that_of_the_tables(found, results):
    from mri2pet.evaluation.image_tables import pool
    from mri2pet.evaluation.three_way import three_way_table

    own = pool(sorted(results.glob("gla_gan/three_way/paired/*/fold-*.tsv")))
    table = three_way_table(own, "Paired", GROUPS, ["unet"])
    told = table[table["metric"] == "macro AUC"].set_index("method")
    for method, measured in found[1].parts["Paired, all groups"].items():
        assert measured.mean == pytest.approx(told.loc[method, "mean"])


def test_a_table_says_what_each_adds(found):
    module, diagnosis = found
    labels = {"unet": "U-Net", "oracle": "Oracle"}
    text = module.added(diagnosis, ["unet", "oracle", "cycle_gan"], labels)
    heads, _, *rows = [line for line in text.splitlines() if line.startswith("|")]
    assert heads == "| PET | macro AUC of CN, MCI, AD, Paired |"
    assert [row.split(" |")[0] for row in rows] == ["| U-Net", "| Oracle"]
    assert all("| +0." in row and row.endswith(", **holds here** |") for row in rows)
    assert module.added(diagnosis, ["cycle_gan"], labels) == ""


def test_real_pet_beside_others_that_learnt_from_more_is_told(found):
    module, diagnosis = found
    labels = {"unet": "U-Net"}
    assert module.PAIRED_ALONE not in module.diagnosis(diagnosis, labels)
    diagnosis.parts["Complete, visits with PET"] = diagnosis.parts["Paired, all groups"]
    assert module.diagnosis(diagnosis, labels).count(module.PAIRED_ALONE) == 1
