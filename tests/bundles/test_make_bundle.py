"""A bundle holds what its model needs and knows, and nothing of a person."""

import gzip
import re

import numpy as np
import pytest
import torch
from bundle_fakes import PLANTED, RUN, about, new_bundle

from mri2pet.bundles import load_bundle
from mri2pet.bundles.make import make_bundle
from mri2pet.bundles.manifest import CARD, MANIFEST
from mri2pet.bundles.weights import load_weights
from mri2pet.errors import InputError
from mri2pet.files import read_json, read_tsv


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return new_bundle(tmp_path_factory.mktemp("run"))


def contents(folder):
    for path in folder.rglob("*"):
        if path.is_file():
            raw = path.read_bytes()
            yield path.name, gzip.decompress(raw) if path.suffix == ".gz" else raw


def test_nothing_of_a_person_is_in_any_file(made, tmp_path):
    folder, given = made
    people = set(read_tsv(given.visits, dtype=str)["subject"])
    assert PLANTED[0] in people
    for name, raw in contents(folder):
        for word in {*PLANTED, *people, str(given.visits.parent), "/results/", "sub-", "ses-"}:
            assert word.encode() not in raw, f"{word} is in {name}"
        told = raw.decode("latin-1") if name.endswith((".json", ".md", ".tsv")) else ""
        assert not re.search(r"\b(19|20)\d\d-\d\d-\d\d\b", told), f"a date is in {name}"
        assert not re.search(r"(^|[\s\"'`])/\w+/", told), f"a path is in {name}"


def test_the_planted_words_were_there_to_be_found(made):
    _, given = made
    there = given.sidecars[0].read_text() + given.quality[0].read_text()
    there += given.chosen[0].read_text() + given.chosen[1].read_text() + given.visits.read_text()
    assert all(word in there for word in PLANTED)


def test_it_counts_the_people_that_were_trained_on(made):
    folder, given = made
    told = read_json(folder / MANIFEST)["trained_on"]
    visits = read_tsv(given.visits, dtype={"subject": str})
    paired = visits[visits["kind"] == "paired"]
    assert told["people"] == paired["subject"].nunique() == 12
    assert told["visits"] == len(paired) == 15
    assert told["people_by_group"] == {"CN": 6, "AD": 6}
    assert told["age_years"] == [70.0, 81.0]
    assert sum(told["visits_by_scanner_make"].values()) == 15
    assert set(told["visits_by_scanner_make"]) == {"Siemens", "GE"}


def test_weights_come_through_to_the_bit(made):
    folder, given = made
    for fold, path in enumerate(given.weights):
        before = torch.load(path, weights_only=True)
        config = read_json(folder / MANIFEST)["entry"]["generator"]
        after = load_weights(folder / f"fold-{fold}.safetensors", config).state_dict()
        assert set(before) == set(after)
        assert all(torch.equal(before[name], after[name]) for name in before)


def test_controls_are_held_out_and_their_pet_is_synthetic(made):
    folder, given = made
    table = read_tsv(folder / "controls.tsv")
    atlas, mask = np.load(given.atlas), np.load(given.mask).astype(bool)
    values = {}
    for visits, volumes in zip(given.made_visits, given.made, strict=True):
        rows, pet = read_tsv(visits, dtype={"subject": str}), np.load(volumes)
        for place, row in rows.iterrows():
            if row["role"] == "test" and row["group"] == "CN":
                own = values.setdefault(row["subject"], [])
                own.append(pet[place][(atlas == 5) & mask].mean())
    people = [np.mean(own) for own in values.values()]
    assert table["people"].iloc[4] == len(people) == 6
    assert table["mean"].iloc[4] == pytest.approx(np.mean(people), abs=1e-6)
    assert table["sd"].iloc[4] == pytest.approx(np.std(people, ddof=1), abs=1e-6)


def test_scores_have_the_model_and_the_mean_image(made):
    table = read_tsv(made[0] / "scores.tsv")
    assert table.set_index("method")["mean"].to_dict() == {"unet": 0.02, "mean_pet": 0.03}
    assert (table["n"] == 12).all()


def test_order_of_settings_is_kept(made, tmp_path):
    """The features of a local regression are in the order of its coefficients."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    features = {"mri": [0], "gm": [0, 6], "csf": [6], "wm": [6]}
    entry = {"generator": {"name": "unet3d", "filters": [2, 4]}, "kept": features}
    make_bundle(folder, made[1], about(entry=entry), RUN)
    assert list(read_json(folder / MANIFEST)["entry"]["kept"]) == list(features)


@pytest.mark.parametrize("simulated", [True, False])
def test_the_card_says_first_that_weights_are_for_show(made, tmp_path, simulated):
    folder = tmp_path / "bundle"
    folder.mkdir()
    make_bundle(folder, made[1], about(simulated=simulated), RUN)
    header, _, text = (folder / CARD).read_text().removeprefix("---\n").partition("---\n")
    assert 'license_name: "CC BY 4.0"' in header
    assert ("for show" in text.strip().splitlines()[0]) == simulated
    assert ("docs/simulated_people.md" in text) == simulated


def test_a_licence_cannot_break_the_header(made, tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    make_bundle(folder, made[1], about(licence='mine"\n---\nevil: true'), RUN)
    header = (folder / CARD).read_text().split("---\n")[1]
    assert "evil: true" not in header.splitlines()


def test_nobody_left_is_said(made, tmp_path):
    given = made[1]
    path = tmp_path / "visits.tsv"
    table = read_tsv(given.visits, dtype=str)
    table[table["kind"] != "paired"].to_csv(path, sep="\t", index=False)
    folder = tmp_path / "bundle"
    folder.mkdir()
    other = type(given)(**{**given.__dict__, "visits": path})
    with pytest.raises(InputError, match="train again"):
        make_bundle(folder, other, about(), RUN)


def test_it_makes_a_volume_a_fold(made):
    bundle = load_bundle(made[0])
    mri = np.load(made[1].source)[:1]
    made_pet = bundle.volumes(mri)
    assert made_pet.shape == (3, *bundle.mask.shape)
    assert not made_pet[:, ~bundle.mask].any()
    assert not np.array_equal(made_pet[0], made_pet[1])
    with pytest.raises(InputError, match="shape"):
        bundle.volumes(mri[:, :-1])
