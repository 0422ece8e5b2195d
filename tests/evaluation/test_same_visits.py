"""A table compares methods on the same visits, or is not made."""

import numpy as np
import pandas as pd
import pytest

import fakes
from mri2pet.errors import InputError
from mri2pet.evaluation.comparison import check_same_people
from mri2pet.evaluation.image_tables import diagnosis_table, read_published
from mri2pet.evaluation.same_visits import parts_of, table_of_parts
from mri2pet.files import read_tsv, write_tsv

METHODS = ("unet", "gla_gan", "mean_pet", "only_mri", "mri_age_sex")
KEYS = ["method", "metric"]
LABELS = {"gla_gan": "GLA-GAN", "unet": "U-Net"}


def predictions(seed=0):
    """Ten people, of whom the last four have no PET; one has two visits, of which one has."""
    rng = np.random.default_rng(seed)
    rows = []
    for method in (*METHODS, "real_pet"):
        for person in range(10):
            for visit in ("bl", "m12")[: 2 if person == 0 else 1]:
                if method == "real_pet" and (person > 5 or visit == "m12"):
                    continue
                score = rng.normal(person % 2 - 0.5, 1)
                truth, called = (("CN", "AD")[int(it)] for it in (person % 2, score > 0))
                rows.append(
                    (method, f"s{person}", visit, truth, person // 2 % 3, truth, score, called)
                )
    columns = ["method", "subject", "visit", "group", "fold", "truth", "score", "predicted"]
    return pd.DataFrame(rows, columns=columns)


@pytest.fixture
def published(root):
    return read_published(root / "resources/published/gla_gan.tsv", "III")


def make(published):
    return lambda rows, name: diagnosis_table(rows, name, "AD", ["gla_gan", "unet"], published)


def test_real_pet_stands_beside_the_others_on_the_visits_with_pet():
    parts = parts_of(predictions(), "Complete")
    assert list(parts) == ["Complete", "Complete, visits with PET"]
    whole, with_pet = parts.values()
    assert set(whole["method"]) == set(METHODS)
    assert set(with_pet["method"]) == {*METHODS, "real_pet"}
    assert set(whole.groupby("method").size()) == {11}
    assert set(with_pet.groupby("method").size()) == {6}


def test_where_all_are_tested_on_the_same_there_is_one_part():
    given = predictions()
    paired = parts_of(given, "Complete")["Complete, visits with PET"]
    assert list(parts_of(paired, "Paired")) == ["Paired"]
    assert list(parts_of(given[given["method"] != "real_pet"], "Complete")) == ["Complete"]


def test_every_value_and_every_p_is_of_one_part_s_visits(published):
    """Each part is the table of its own visits: nothing of it hangs on people outside."""
    given = predictions()
    table = table_of_parts(given, "Complete", make(published))
    assert list(dict.fromkeys(table["dataset"])) == ["Complete", "Complete, visits with PET"]
    inside = (given["subject"] < "s6") & (given["visit"] == "bl")
    alone = make(published)(given[inside], "Complete, visits with PET")
    part = table[table["dataset"] == "Complete, visits with PET"].reset_index(drop=True)
    pd.testing.assert_frame_equal(part, alone)
    assert part["p_value"].notna().any()
    whole = table[table["dataset"] == "Complete"]
    assert "real_pet" not in set(whole["method"])
    assert whole.set_index(KEYS).loc[("gla_gan", "AUC"), "published_mean"] == 0.9299
    assert part["published_mean"].isna().all()
    assert (set(whole["n"]), set(part["n"])) == ({10}, {6})


def drop(given):
    return given.drop(given[(given["method"] == "unet") & (given["subject"] == "s3")].index)


def other_visit(given):
    return given.assign(
        visit=given["visit"].where((given["method"] != "unet") | (given["subject"] != "s3"), "m24")
    )


def other_fold(given):
    moved = (given["method"] == "unet") & (given["subject"] == "s3")
    return given.assign(fold=given["fold"] + moved)


@pytest.mark.parametrize("change", [drop, other_visit, other_fold])
def test_methods_tested_on_other_visits_are_refused(change, published):
    given = change(predictions())
    with pytest.raises(InputError, match=r"subject s3, visit .*must be of the same"):
        table_of_parts(given, "Complete", make(published))
    with pytest.raises(InputError, match=r"^Paired: "):
        check_same_people(given[given["method"] != "real_pet"], "Paired")


def test_real_pet_of_people_whom_no_other_was_tested_on_is_refused(published):
    given = predictions()
    given.loc[(given["method"] == "real_pet") & (given["subject"] == "s3"), "subject"] = "stranger"
    with pytest.raises(InputError, match="real_pet was measured on subject stranger"):
        table_of_parts(given, "Complete", make(published))


def write(folder, table):
    """Write the tables of each method and fold, as the workflow has them; return their paths."""
    paths = []
    for (method, fold), rows in table.groupby(["method", "fold"]):
        paths.append(folder / f"{method}/fold-{fold}.tsv")
        paths[-1].parent.mkdir(parents=True, exist_ok=True)
        write_tsv(paths[-1], rows.drop(columns="method"))
    return paths


def image_values():
    rows = [
        (method, f"s{n}", "bl", "AD", n % 3, metric, unit, 1.0 + n)
        for method in ("gla_gan", "unet", "mean_pet")
        for n in range(6)
        for metric, unit in (("SSIM", "percent"), ("PSNR", "dB"), ("MAE", "intensity in 0..1"))
    ]
    columns = ["method", "subject", "visit", "group", "fold", "metric", "unit", "value"]
    return pd.DataFrame(rows, columns=columns)


def paired():
    return parts_of(predictions(), "Complete")["Complete, visits with PET"]


def as_classes(table):
    names = {"AD": "positive", "CN": "negative"}
    return table.assign(**{name: table[name].map(names) for name in ("truth", "predicted")})


def with_scores(table):
    return table.assign(score_CN=-table["score"], score_AD=table["score"])


@pytest.mark.parametrize(
    ("script", "values", "settings"),
    [
        (
            "image_table",
            image_values,
            {"table": "I", "system": "gla_gan", "groups": [], "starts": {}},
        ),
        ("diagnosis_table", paired, {"table": "II", "dataset": "Paired", "positive": "AD"}),
        ("error_table", lambda: as_classes(paired()), {"dataset": "Paired"}),
        (
            "three_way",
            lambda: with_scores(paired()),
            {"groups": ["CN", "AD"], "labels": LABELS, "note": ""},
        ),
        ("cross_fitted_table", paired, {"positive": "AD"}),
    ],
)
def test_no_script_makes_a_table_of_different_people(
    root, tmp_path, monkeypatch, capsys, script, values, settings
):
    monkeypatch.chdir(tmp_path)
    paper = "dual_glow" if script == "error_table" else "gla_gan"
    given = {"published": root / f"resources/published/{paper}.tsv"}
    name = {"image_table": "metrics"}.get(script, "predictions")
    made = {"table": tmp_path / "table.tsv"}
    if script == "three_way":
        made["figure"] = tmp_path / "figure.png"
    settings = settings | {"models": ["gla_gan", "unet"]}

    def run(table):
        files = write(tmp_path / "in", table)
        both = {"paired": files, "complete": files}
        inputs = both if script in ("three_way", "cross_fitted_table") else {**given, name: files}
        if script == "image_table":
            inputs |= {"repeated": [], "histories": []}
        fakes.run_script(script, inputs, made, tmp_path / "log", **settings)

    run(values())
    table = read_tsv(made["table"])
    assert set(table.groupby("dataset")["n"].nunique()) == {1}
    with pytest.raises(SystemExit):
        run(drop(values()))
    assert "must be of the same people" in capsys.readouterr().err
