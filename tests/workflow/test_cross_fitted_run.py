"""Cross-fitting by the workflow's own rules on a packed dataset: who was learnt from, by files."""

import json

import pytest
import yaml
from trainings import make_training

from mri2pet.files import read_json, read_tsv

TEXT = {"subject": str, "visit": str}
PAIRS = {"0-1": {2}, "0-2": {1}, "1-2": {0}}  # and the fold that is left to learn from
TABLE = "results/gla_gan/cross_fitted/complete/unet/fold-0.tsv"
MADE = "results/gla_gan/synthesis/unet/without-0-1"


@pytest.fixture(scope="module")
def done(root, tmp_path_factory, atlases):
    training = make_training(tmp_path_factory.mktemp("cross_fitted"), root)
    settings = yaml.safe_load((training.folder / "settings.yaml").read_text())
    settings["gla_gan"]["models"]["unet"]["training"]["epochs"] = 1
    settings["gla_gan"]["diagnosis"] |= {"cross_fitted": ["unet"], "C": [1.0], "gamma": ["scale"]}
    (training.folder / "settings.yaml").write_text(yaml.safe_dump(settings))
    code, said = training.call(TABLE)
    assert code == 0, said[-3000:]
    return training


@pytest.fixture
def fold_of(done):
    folds = read_tsv(done.folder / "results/datasets/linear/folds.tsv", dtype=TEXT)
    return folds.set_index("subject")["fold"]


@pytest.mark.parametrize("pair", PAIRS)
def test_a_generator_without_two_folds_has_learnt_from_the_third_alone(done, fold_of, pair):
    chosen = read_json(done.folder / f"results/gla_gan/models/unet/without-{pair}/chosen.json")
    people = chosen["training"] + chosen["validation"]
    assert set(fold_of[people]) == PAIRS[pair]
    rows = read_tsv(
        done.folder / f"results/gla_gan/synthesis/unet/without-{pair}/visits.tsv", dtype=TEXT
    )
    assert set(rows["role"]) == {"test", "mri_only"}
    assert not set(rows["subject"]) & set(people)
    assert set(rows["subject"]) == set(fold_of.index[~fold_of.isin(PAIRS[pair])])


def test_everybody_is_diagnosed_once(done, fold_of):
    tested = [
        row
        for fold in range(3)
        for row in read_tsv(
            done.folder / TABLE.replace("fold-0", f"fold-{fold}"), dtype=TEXT
        ).to_dict("records")
    ]
    visits = read_tsv(done.folder / "results/datasets/linear/visits.tsv", dtype=TEXT)
    assert sorted((row["subject"], row["visit"]) for row in tested) == sorted(
        visits[["subject", "visit"]].itertuples(index=False, name=None)
    )
    assert all(fold_of[row["subject"]] == row["fold"] for row in tested)
    assert all(isinstance(row["predicted"], str) for row in tested)


def test_a_generator_that_has_seen_a_person_it_should_synthesise_stops_the_run(done, fold_of):
    """The record of a training says so: planted, it is believed."""
    path = done.folder / "results/gla_gan/models/unet/without-0-1/chosen.json"
    before = path.read_bytes()
    planted = min(fold_of.index[fold_of == 1])
    path.write_text(json.dumps(json.loads(before) | {"training": [planted]}))
    try:
        code, _ = done.call(f"{MADE}/visits.tsv", "--forcerun", "synthesise_without")
        log = done.folder / "logs/synthesise/gla_gan/unet_without-0-1.log"
        assert code != 0
        assert f"trained on subject {planted}" in log.read_text()
    finally:
        path.write_bytes(before)
