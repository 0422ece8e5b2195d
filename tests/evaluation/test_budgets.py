"""The column `steps`: for how long each model of a table was trained."""

import pandas as pd
import pytest

from mri2pet.evaluation.budgets import steps_of, with_steps
from mri2pet.files import write_tsv


@pytest.fixture
def histories(tmp_path):
    """Two folds of each model: `epochs` of `steps` each; one that takes no steps."""
    paths = []
    for model, epochs, steps in (("unet", 4, (5, 6)), ("g3", 2, (3, 3)), ("g4", 1, (3, 3))):
        for fold, own in enumerate(steps):
            path = tmp_path / model / f"fold-{fold}" / "history.tsv"
            path.parent.mkdir(parents=True)
            epoch = range(1, epochs + 1)
            write_tsv(path, pd.DataFrame({"epoch": epoch, "l1": 0.5, "steps": own}))
            paths.append(path)
    path = tmp_path / "closed" / "fold-0" / "history.tsv"
    path.parent.mkdir(parents=True)
    write_tsv(path, pd.DataFrame({"epoch": [1], "l1": [0.5]}))
    return [*paths, path]


def test_steps_are_those_of_all_epochs_and_the_mean_over_folds(histories):
    assert steps_of(histories) == {"unet": 22.0, "g3": 6.0, "g4": 3.0}


def test_steps_of_the_model_that_one_goes_on_from_count_as_well(histories):
    assert steps_of(histories, {"g4": "g3"}) == {"unet": 22.0, "g3": 6.0, "g4": 9.0}


def test_rows_without_a_training_have_no_steps():
    table = pd.DataFrame({"method": ["unet", "mean_pet", "unet"], "metric": ["a", "a", "b"]})
    made = with_steps(table, {"unet": 21.5, "other": 3})
    assert made["steps"].tolist() == [22, pd.NA, 22]
    assert with_steps(table, {})["steps"].isna().all()
