"""Probes of codes that hold what was planted in them, and of codes that hold nothing."""

import sys

import numpy as np
import pandas as pd
import pytest
import torch

from mri2pet.evaluation.probe_scores import PREDICTED, probe_table
from mri2pet.interpretation.probes import LOWER, MRI, TOP, probe, probe_features, probe_fold
from mri2pet.models.dual_glow import DualGlow


@pytest.fixture
def people():
    rng = np.random.default_rng(0)
    count = 60
    rows = pd.DataFrame(
        {
            "subject": [f"s{i}" for i in range(count)],
            "visit": "bl",
            "age": rng.uniform(60, 90, count),
            "sex": rng.choice(["F", "M"], count),
            "group": rng.choice(["CN", "MCI", "AD"], count),
            "role": np.where(np.arange(count) < 40, "training", "test"),
        }
    )
    noise = rng.normal(size=(count, 200))
    planted = noise.copy()
    planted[:, :40] += 0.5 * (rows["age"].to_numpy()[:, None] - 75) / 5
    planted[:, 40:80] += 2 * (rows["sex"] == "M").to_numpy(float)[:, None]
    planted[:, 80:120] += 2 * (rows["group"] == "AD").to_numpy(float)[:, None]
    planted[:, 120:160] += 2 * (rows["group"] == "CN").to_numpy(float)[:, None]
    return rows, {LOWER: planted, TOP: rng.normal(size=(count, 50)), MRI: noise}


def test_what_is_in_a_code_is_found_and_what_is_not_is_not(people):
    rows, features = people
    made = probe_fold(features, rows, "flow", 1)
    assert list(made.columns) == list(PREDICTED)
    scores = probe_table(made).set_index(["dataset", "metric"])
    for attribute, least in (("age", 0.8), ("sex", 90), ("diagnosis", 80)):
        assert scores.loc[(LOWER, attribute), "mean"] > least
        for source in (TOP, MRI):
            row = scores.loc[(source, attribute)]
            assert row["low"] <= row["chance"] <= row["high"]
    assert set(scores.loc[LOWER, "method"]) == {"flow"}
    assert set(scores.loc[MRI, "method"]) == {"only_mri"}
    assert set(made["subject"]) == set(rows.loc[rows["role"] == "test", "subject"])


def test_people_held_out_do_not_count_in_the_fit(people):
    rows, features = people
    plain = probe_fold(features, rows, "flow", 0)
    held_out = rows["role"] == "test"
    swapped = rows.assign(sex=np.where(held_out, "F", rows["sex"]))
    swapped.loc[held_out, "age"] = 60.0
    other = probe_fold(features, swapped, "flow", 0)
    age, sex = (plain["attribute"] == name for name in ("age", "sex"))
    assert plain.loc[sex, "predicted"].equals(other.loc[sex, "predicted"])
    assert plain.loc[age, "predicted"].to_list() == other.loc[age, "predicted"].to_list()
    assert not plain.loc[age, "truth"].equals(other.loc[age, "truth"])


def test_missing_ages_and_a_single_class_are_no_failure(people):
    rows, features = people
    rows.loc[:5, "age"] = np.nan
    rows["sex"] = "F"
    made = probe_fold(features, rows, "flow", 0)
    assert made.loc[made["attribute"] == "age", "predicted"].notna().all()
    assert made.loc[made["attribute"] == "sex", "predicted"].isna().all()
    assert "sex" not in set(probe_table(made)["metric"])
    assert np.isnan(probe(features[TOP], [np.nan] * 60, features[TOP], "age")).all()


def test_features_are_block_means_of_codes_and_mri():
    torch.manual_seed(0)
    generator = DualGlow([1, 1], [4, 4], {"width": 4})
    volumes = np.random.default_rng(0).uniform(size=(3, 16, 16, 16)).astype(np.float32)
    generator.initialise(*(torch.from_numpy(volumes)[:, None],) * 2)
    generator.eval()
    found = probe_features(generator, list(volumes), np.ones((16,) * 3, bool))
    assert {name: values.shape for name, values in found.items()} == {
        LOWER: (3, 4 * 64), TOP: (3, 32 * 64), MRI: (3, 64),
    }  # fmt: skip
    np.testing.assert_allclose(
        found[MRI], volumes.reshape(3, 4, 4, 4, 4, 4, 4).mean(axis=(2, 4, 6)).reshape(3, 64),
        rtol=1e-5,
    )  # fmt: skip
    codes, _ = generator.encode_mri(torch.from_numpy(volumes)[:, None] + 0.5 / 256)
    whole = codes[0].reshape(3, 4, 4, 2, 4, 2, 4, 2).mean(dim=(3, 5, 7)).flatten(1)
    np.testing.assert_allclose(found[LOWER], whole.detach().numpy(), atol=1e-5)


def test_scores_need_no_torch(root):
    """The table is made in an environment without it."""
    import subprocess

    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import mri2pet.evaluation.probe_scores, mri2pet.evaluation.counterfactual\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
