import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fakes
from mri2pet.errors import InputError
from mri2pet.files import read_tsv
from mri2pet.reporting.cases import Case, read_volume, typical_case
from mri2pet.reporting.figures import curves_figure, save


def test_curves_have_a_panel_a_loss_and_a_line_a_fold(tmp_path):
    paths = [tmp_path / f"fold-{fold}.tsv" for fold in range(3)]
    for path in paths:
        fakes.write_history(path, np.random.default_rng(0))
    figure = curves_figure(dict(enumerate(map(read_tsv, paths))), "GLA-GAN")
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["l1", "adversarial"]
    assert all(len(axis.lines) == 3 for axis in figure.axes)
    for name in ("one.png", "two.png"):
        save(figure, tmp_path / name)
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
    assert Image.open(tmp_path / "one.png").width > 500


def test_history_without_a_loss_is_refused():
    with pytest.raises(InputError, match="no column of a loss"):
        curves_figure({0: pd.DataFrame({"epoch": [1], "seconds": [2.0]})}, "U-Net")


def values(errors, model="unet"):
    return pd.DataFrame(
        {
            "method": model, "subject": list(errors), "visit": "bl", "group": "AD",
            "fold": range(len(errors)), "metric": "MAE", "value": list(errors.values()),
        }
    )  # fmt: skip


def test_typical_case_is_the_lower_median_of_the_models_mean_error():
    one = values({"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.9})
    two = values({"a": 0.9, "b": 0.1, "c": 0.1, "d": 0.9}, "gla_gan")
    reference = values({"a": 0.0, "b": 9.0, "c": 9.0, "d": 9.0}, "mean_pet")
    case = typical_case(pd.concat([one, two, reference]), ["unet", "gla_gan"], "AD")
    assert case == Case("c", "bl", "AD", 2)  # means: a .5, b .15, c .2, d .9
    with pytest.raises(InputError, match="no held-out visit of group CN"):
        typical_case(one, ["unet"], "CN")


def test_volume_is_that_of_the_case_s_fold_and_row(tmp_path):
    visits = fakes.make_run(tmp_path, size=8)
    folders = [tmp_path / f"results/gla_gan/synthesis/unet/fold-{fold}" for fold in range(3)]
    row = visits.iloc[-1]
    rows = read_tsv(folders[2] / "visits.tsv")
    expected = np.load(folders[2] / "pet.npy")[rows.index[rows["index"] == row["index"]][0]]
    found = read_volume(
        [folder / "pet.npy" for folder in folders],
        [folder / "visits.tsv" for folder in folders],
        "unet",
        Case(row["subject"], row["visit"], row["group"], 2),
    )
    np.testing.assert_array_equal(found, expected)
