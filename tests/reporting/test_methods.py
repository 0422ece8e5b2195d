"""The methods paragraph and the checklists say what was run, and nothing that was not."""

import re

import pandas as pd
import pytest

from mri2pet.reporting.checklist import ANSWERS, ITEMS, OPEN, answers_of, checklist
from mri2pet.reporting.methods import Study, methods_text
from mri2pet.reporting.references import REFERENCES, Citations

VERSIONS = {"mri2pet": "0.1.0", "torch": "2.13.0", "scikit-learn": "1.9.1"}


def study(name="dementia", simulated=True, excluded=1):
    cohort = pd.DataFrame(
        {
            "subject": ["001", "001", "002", "003"],
            "visit": ["bl", "m12", "bl", "bl"],
            "group": ["CN", "CN", "AD", "AD"],
            "age": ["70", "71", "80", "n/a"],
            "sex": ["F", "F", "M", "F"],
            "kind": ["paired", "mri_only", "paired", "paired"],
        }
    )
    return Study(name, simulated, cohort, pd.DataFrame({"subject": ["009"] * excluded}))


def text_of(config, systems=("gla_gan",), simulated=True, **changes):
    for key, value in changes.items():
        config["preproc"][key] = value
    return methods_text(config, systems, [study(simulated=simulated)], VERSIONS)


def test_people_are_counted_not_visits(config):
    text = text_of(config)
    assert "3 simulated people (2 AD, 1 CN; 2 women, 75.0 ± 7.1 years old) with 4 visits" in text
    assert "3 visits had MRI and PET" in text
    assert "One scan was excluded, with a recorded reason." in text


@pytest.mark.parametrize(
    ("excluded", "said"),
    [(0, "No scan was excluded."), (1, "One scan was"), (2, "2 scans were excluded, each with")],
)
def test_exclusions_are_counted_in_words(config, excluded, said):
    assert said in methods_text(config, ["gla_gan"], [study(excluded=excluded)], VERSIONS)


def test_real_people_are_not_called_simulated(config):
    config["studies"] = {"dementia": {"raw": "/data/ADNI", "max_days_apart": 90}}
    text = text_of(config, simulated=False)
    assert "simulated" not in text
    assert "at most 90 days" in text
    assert REFERENCES["adni"] in text


@pytest.mark.parametrize(
    ("by", "words"),
    [("person", "people"), ("site", "whole sites"), ("scanner", "whole scanners (")],
)
def test_what_the_folds_hold_out_is_said(config, by, words):
    assert "harmonised" not in text_of(config)
    config["folds"] = {"n": 2, "by": by}
    config["gla_gan"]["diagnosis"]["harmonise"] = {}
    text = text_of(config)
    assert f"Folds were of {words}" in text
    assert "ComBat had harmonised" in text
    answers = answers_of(config, ("gla_gan",), [study()], VERSIONS, "abc")
    assert answers["folds"][0].startswith(f"2 folds of {words}")


@pytest.mark.parametrize(
    ("systems", "named", "not_named"),
    [
        (("gla_gan",), ("gla_gan", "n4", "aal"), ("syn", "dual_glow", "gan_anomaly")),
        (("dual_glow",), ("dual_glow", "syn"), ("gla_gan", "ixi")),
        (("ixi",), ("ixi", "pytorch"), ("syn", "n4", "aal", "gla_gan", "ssim")),
    ],
)
def test_only_what_was_used_is_cited(config, systems, named, not_named):
    text = text_of(config, systems)
    assert all(REFERENCES[key] in text for key in named)
    assert not any(REFERENCES[key] in text for key in not_named)


def test_the_numbers_of_references_rise_and_each_is_listed(config):
    text = text_of(config, ("gla_gan", "dual_glow", "gan_anomaly", "ixi"))
    body, listed = text.split("## References")
    cited = [int(n) for found in re.findall(r"\[([\d, ]+)\]", body) for n in found.split(", ")]
    first = list(dict.fromkeys(cited))
    assert first == list(range(1, len(first) + 1))
    assert len(re.findall(r"^\d+\. ", listed, re.M)) == len(first)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"skullstrip": "robex"}, "skull-stripped with ROBEX"),
        ({"pet_reference": "pons"}, "reference region (pons)"),
        ({"pet_ceiling": 2.5}, "clipped at 2.5 times"),
    ],
)
def test_settings_of_the_preprocessing_are_those_of_the_run(config, changes, words):
    assert words not in text_of(config)
    assert words in text_of(config, **changes)


def test_models_are_those_of_the_run_with_their_settings(config):
    config["gla_gan"]["models"] = {"unet": config["gla_gan"]["models"]["unet"]}
    config["gla_gan"]["models"]["unet"]["training"] = {"steps": 7, "batch_size": 3}
    text = text_of(config)
    assert "U-Net: network `unet3d`" in text
    assert "l1 1; steps 7, batch_size 3" in text
    assert "Cycle-GAN" not in text
    assert "local regression" not in text


@pytest.mark.parametrize(
    ("model", "changes", "words"),
    [
        ("rectified_flow", {}, "; it goes on from U-Net, trained before."),
        ("rectified_flow", {"start": None}, "jitter 0.1."),
        ("unet_maps", {}, "; shown maps of grey matter, white matter, fluid beside the MRI."),
        ("unet", {"people": 20}, "; 20 people of each fold to learn from."),
        ("gla_gan", {"repeats": 3, "people": 9}, "9 people of each fold to learn from; trained 3"),
    ],
)
def test_what_a_model_starts_from_and_learns_from_is_said(config, model, changes, words):
    entry = config["gla_gan"]["models"][model]
    entry |= changes
    [line] = [row for row in text_of(config).splitlines() if f"- {entry['label']}:" in row]
    assert words in line


def test_what_a_flow_is_told_and_begins_at_is_said(config):
    [line] = [row for row in text_of(config, ["dual_glow"]).splitlines() if "(side" in row]
    assert "; told age, sex, diagnosis; it makes the difference from the mean PET of people" in line
    [plain] = [row for row in text_of(config, ["dual_glow"]).splitlines() if "- DUAL-GLOW:" in row]
    assert "told" not in plain


def test_an_unknown_reference_is_no_citation():
    with pytest.raises(KeyError):
        Citations()("nothing")


def test_every_item_of_both_checklists_is_there_once():
    table = pd.read_csv(ITEMS, sep="\t", dtype=str)
    items = {name: list(rows["item"]) for name, rows in table.groupby("checklist")}
    assert items["CLAIM"] == [str(n) for n in range(1, 43)]
    assert items["TRIPOD+AI"] == [str(n) for n in range(1, 28)]
    assert set(table["answer"].dropna()) == set(pd.read_csv(ANSWERS, sep="\t")["key"])


def test_what_the_run_knows_is_filled_and_the_rest_is_left_to_the_authors(config):
    answers = answers_of(config, ["gla_gan"], [study()], VERSIONS, "abc123")
    table = checklist(answers).set_index(["checklist", "item"])
    assert table.loc[("CLAIM", "19"), "answer"] == "dementia: 3 people, 4 visits (simulated)"
    assert "abc123" in table.loc[("CLAIM", "41"), "answer"]
    assert "results/gla_gan/tables/" in table.loc[("TRIPOD+AI", "23"), "source"]
    for open_item in (("CLAIM", "42"), ("CLAIM", "16"), ("TRIPOD+AI", "17"), ("TRIPOD+AI", "14")):
        assert table.loc[open_item, "answer"] == OPEN
        assert table.loc[open_item, "state"] == "open"
    assert not table["answer"].str.contains(r"[{}]").any()
