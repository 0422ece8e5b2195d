import numpy as np
import pandas as pd
import pytest
import torch

import fakes
from mri2pet.diagnosis.experiments import assemble
from mri2pet.diagnosis.features import feature_table, wide
from mri2pet.diagnosis.svm import Settings, diagnose, train
from mri2pet.errors import InputError
from mri2pet.files import read_tsv, write_tsv
from mri2pet.interpretation import interpolation
from mri2pet.models.registry import build

GENERATOR = {"name": "gla_gan", "filters": [2, 2], "patches": 0}
# A gamma so small that the PET of an untrained network is not out of the kernel's reach.
SETTINGS = Settings(C=(1.0,), gamma=(1e-6,), inner_folds=2)


def decisions(rows):
    return pd.DataFrame(rows, columns=["subject", "visit", "group", "score"])


def test_pair_is_the_median_of_each_group():
    table = decisions(
        [
            ("c", "bl", "CN", -3.0), ("a", "bl", "CN", -1.0), ("b", "bl", "CN", -2.0),
            ("d", "bl", "AD", 0.1), ("e", "bl", "AD", 0.9), ("e", "m12", "AD", 0.5),
            ("f", "bl", "AD", 0.7), ("g", "bl", "MCI", 0.0),
        ]
    )  # fmt: skip
    pair = interpolation.typical_pair(table, "CN", "AD")
    assert pair == (interpolation.Visit("b", "bl"), interpolation.Visit("e", "m12"))
    swapped = interpolation.typical_pair(table.sample(frac=1, random_state=1), "AD", "CN")
    assert swapped == pair[::-1]


def test_no_pair_without_a_group_or_without_decisions():
    table = decisions([("a", "bl", "CN", -1.0), ("b", "bl", "AD", np.nan)])
    assert interpolation.typical_pair(table, "CN", "AD") is None
    assert interpolation.typical_pair(table.iloc[:0], "CN", "AD") is None


def test_blend_has_exact_ends_and_even_steps():
    rng = np.random.default_rng(0)
    start, end = rng.random((2, 3, 4, 5), np.float32)
    steps = list(interpolation.blend(start, end, np.linspace(0, 1, 5)))
    np.testing.assert_array_equal(steps[0], start)
    np.testing.assert_array_equal(steps[-1], end)
    np.testing.assert_allclose(np.diff(steps, axis=0), np.tile((end - start) / 4, (4, 1, 1, 1)),
                               atol=1e-6)  # fmt: skip


def test_smoothness_is_one_for_even_steps_and_their_number_for_a_jump():
    mask = np.ones((4, 4, 4), bool)
    mask[0] = False
    rng = np.random.default_rng(1)
    start, end = rng.random((2, 4, 4, 4))
    even = np.stack(list(interpolation.blend(start, end, np.linspace(0, 1, 6))))
    assert interpolation.smoothness(interpolation.step_norms(even, mask)) == pytest.approx(1)
    jump = np.stack([start, start, start, end, end, end])
    assert interpolation.smoothness(interpolation.step_norms(jump, mask)) == pytest.approx(5)
    assert np.isnan(interpolation.smoothness(interpolation.step_norms(jump[:3], mask)))
    outside = even.copy()
    outside[3, 0] += 100
    np.testing.assert_array_equal(
        interpolation.step_norms(outside, mask), interpolation.step_norms(even, mask)
    )
    norms = interpolation.step_norms(jump, mask)
    assert norms[3] == pytest.approx(np.sqrt(((end - start)[mask] ** 2).mean()))


def test_rank_correlation():
    assert interpolation.spearman(np.array([5.0, 3.0, 2.9, -1.0])) == pytest.approx(-1)
    assert interpolation.spearman(np.array([0.0, 10.0, 11.0])) == pytest.approx(1)
    assert np.isnan(interpolation.spearman(np.ones(4)))
    assert np.isnan(interpolation.spearman(np.array([1.0, np.nan, 2.0])))


def test_features_of_an_end_are_those_of_the_visit():
    """What the classifier was trained on: the same columns in the same order."""
    atlas, mask = fakes.atlas(14)
    names = [f"Region_{n}" for n in range(1, 117)]
    visits = fakes.visits().head(2)
    rng = np.random.default_rng(2)
    mri, pet, gm, wm = rng.random((4, 2, 14, 14, 14)).astype(np.float32)
    tissues = {"GM": gm, "WM": wm}
    wanted = [
        wide(feature_table(visits, kind, images, tissues, atlas, mask, names), kind).to_numpy()
        for kind, images in (("MRI", mri), ("PET", pet))
    ]
    weights = np.linspace(0, 1, 3)
    steps = [np.stack(list(interpolation.blend(*array, weights))) for array in (mri, pet, gm, wm)]
    found = interpolation.step_features(
        steps[0], steps[1], {"GM": steps[2], "WM": steps[3]}, atlas, mask, names
    )
    assert found.shape == (3, 464)
    np.testing.assert_allclose(found[[0, 2]], np.hstack(wanted), rtol=1e-6)


def test_a_visit_that_is_not_in_the_dataset_is_named():
    with pytest.raises(InputError, match="999S0001 bl stands there 0 times"):
        interpolation.dataset_row(fakes.visits(), interpolation.Visit("999S0001", "bl"))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Interpolate in two folds, the second of which has lost its AD visits' decisions."""
    folder = tmp_path_factory.mktemp("interpolation")
    visits = fakes.make_run(folder, size=16)
    data = folder / "results/datasets/linear"
    names = read_tsv(folder / "resources/atlases/aal.tsv")["name"].to_list()
    arrays = fakes.read_dataset(folder)
    tissues = {"GM": arrays["gm"], "WM": arrays["wm"]}
    paired = visits["kind"] == "paired"
    real = pd.concat(
        [
            feature_table(v, kind, i, tissues, arrays["atlas"], arrays["mask"], names)
            for v, kind, i in (
                (visits, "MRI", arrays["mri"]),
                (visits[paired], "PET", arrays["pet"][paired]),
            )
        ]
    )
    write_tsv(folder / "real.tsv", real)
    torch.manual_seed(0)
    torch.save(build(GENERATOR).state_dict(), folder / "generator.pt")
    folds = read_tsv(data / "folds.tsv", dtype={"subject": str})
    given = {
        name: str(data / f"{name}.npy") for name in ("mri", "pet", "gm", "wm", "atlas", "mask")
    }
    given |= {"visits": data / "visits.tsv", "folds": data / "folds.tsv"}
    given |= {"names": folder / "resources/atlases/aal.tsv", "real": folder / "real.tsv"}
    steps = []
    for fold in (0, 1):
        experiment = assemble("paired", "real_pet", fold, visits, folds, real, None, ("AD", "CN"))
        table = diagnose(experiment, SETTINGS, fold, 0)
        if fold == 1:
            table = table[table["group"] == "CN"]
        write_tsv(folder / f"predictions-{fold}.tsv", table)
        own = given | {
            "predictions": folder / f"predictions-{fold}.tsv",
            "weights": folder / "generator.pt",
        }
        output = {
            "pet": str(folder / f"fold-{fold}.npy"), "steps": folder / f"fold-{fold}_steps.tsv"
        }  # fmt: skip
        fakes.run_script(
            "interpolate", own, output, folder / f"{fold}.log", {"fold": str(fold)},
            groups=["CN", "AD"], steps=5, crop=8, generator=GENERATOR,
        )  # fmt: skip
        steps.append(output)
    pooled = {name: [output[name] for output in steps] for name in ("pet", "steps")}
    output = {
        "folds": [folder / f"fold-{fold}.tsv" for fold in (0, 1)], "table": folder / "table.tsv"
    }  # fmt: skip
    settings = vars(SETTINGS)
    fakes.run_script(
        "interpolation_table", given | pooled, output, folder / "t.log", settings=settings, seed=0
    )
    return folder


def test_steps_go_from_one_group_to_the_other(run):
    table = read_tsv(run / "fold-0.tsv")
    assert table["weight"].to_list() == [0, 0.25, 0.5, 0.75, 1]
    assert table["step_norm"].notna().to_list() == [False, *[True] * 4]
    assert table["probability_negative"].between(0, 1).all()
    pet = np.load(run / "fold-0.npy")
    norms = interpolation.step_norms(pet, np.load(run / "results/datasets/linear/mask.npy"))
    np.testing.assert_allclose(table["step_norm"], norms)
    # the decision at the ends: nearer to the group whose MRI is there
    assert table["score"].iloc[0] < table["score"].iloc[-1]


def test_ends_are_synthesised_from_the_mri_of_the_named_visits(run):
    table = read_tsv(run / "fold-0.tsv", dtype={"negative_subject": str, "positive_subject": str})
    visits = read_tsv(run / "results/datasets/linear/visits.tsv", dtype={"subject": str})
    negative, positive = interpolation.pair_of(table)
    data = fakes.read_dataset(run)
    generator = build(GENERATOR).eval()
    generator.load_state_dict(torch.load(run / "generator.pt", weights_only=True))
    pet = np.load(run / "fold-0.npy")
    for place, visit, group in ((0, negative, "CN"), (-1, positive, "AD")):
        row = interpolation.dataset_row(visits, visit)
        assert visits.set_index("index").loc[row, "group"] == group
        with torch.inference_mode():
            wanted = generator(torch.from_numpy(data["mri"][row][None, None]))[0, 0]
        np.testing.assert_allclose(pet[place], wanted * data["mask"], atol=1e-4)


def test_a_fold_without_both_groups_is_missing_with_a_warning(run):
    table = read_tsv(run / "fold-1.tsv")
    assert len(table) == 5
    for column in ("negative_subject", "step_norm", "score", "probability_negative"):
        assert table[column].isna().all()
    assert "fold 1: no held-out visit" in (run / "1.log").read_text()
    assert "no held-out visit" not in (run / "0.log").read_text()


def test_summary_stands_below_the_steps_of_all_folds(run):
    table = read_tsv(run / "table.tsv", dtype={"step": "Int64"})
    assert table["step"].notna().to_list() == [*[True] * 10, False, False]
    summary = table[table["step"].isna()].set_index("fold")
    own = table[(table["fold"] == 0) & table["step"].notna()]["step_norm"]
    assert summary.loc[0, "smoothness"] == pytest.approx(own.max() / own.mean())
    assert summary.loc[0, "spearman"] == pytest.approx(
        pd.Series(np.arange(5)).corr(
            -table.loc[(table["fold"] == 0) & table["step"].notna(), "score"].reset_index(
                drop=True
            ),
            method="spearman",
        )
    )
    assert summary.loc[1, ["smoothness", "spearman"]].isna().all()


def test_the_classifier_is_the_one_of_the_paired_experiment(run):
    visits = read_tsv(run / "results/datasets/linear/visits.tsv", dtype={"subject": str})
    folds = read_tsv(run / "results/datasets/linear/folds.tsv", dtype={"subject": str})
    real = read_tsv(run / "real.tsv", dtype={"subject": str})
    experiment = assemble("paired", "real_pet", 0, visits, folds, real, None, ("AD", "CN"))
    score = train(experiment, SETTINGS, 0).score(experiment.test)
    np.testing.assert_array_equal(score, diagnose(experiment, SETTINGS, 0, 0)["score"])
