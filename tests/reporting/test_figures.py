import itertools

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fakes
from mri2pet.errors import InputError
from mri2pet.files import read_tsv
from mri2pet.reporting.cases import Case, read_volume, typical_case
from mri2pet.reporting.figures import THROUGH_MM, curves_figure, plane, save, synthesis_figure

AFFINE = np.array([[2.8, 0, 0, -90], [0, 3.4, 0, -126], [0, 0, 2.8, -72], [0, 0, 0, 1]])


def marked(mm):
    """A volume that is one at a point in the world."""
    volume = np.zeros((64, 64, 64))
    volume[tuple(np.rint(np.linalg.inv(AFFINE) @ [*mm, 1]).astype(int)[:3])] = 1
    return volume


@pytest.mark.parametrize(
    ("name", "mm", "across", "up"),
    [
        ("axial", (50, 40, THROUGH_MM[2]), 50, 40),  # right and front
        ("coronal", (50, THROUGH_MM[1], 60), 50, 60),  # right and top
        ("sagittal", (THROUGH_MM[0], 40, 60), 40, 60),  # front and top
    ],
)
def test_planes_show_the_patient_s_right_and_the_front_on_the_right_and_the_top_up(
    name, mm, across, up
):
    picture, (left, right, bottom, top), at = plane(marked(mm), name, AFFINE)
    row, column = np.argwhere(picture == 1)[0]  # origin="lower": rows count upwards
    rows, columns = picture.shape
    assert left + (column + 0.5) * (right - left) / columns == pytest.approx(across, abs=1.7)
    assert bottom + (row + 0.5) * (top - bottom) / rows == pytest.approx(up, abs=1.7)
    assert at == pytest.approx(mm[{"sagittal": 0, "coronal": 1, "axial": 2}[name]], abs=1.7)


def test_synthesis_figure_has_a_row_a_model_and_one_scale_for_all():
    labels, mask = fakes.atlas(16)
    real = labels / 200
    models = {"One": np.clip(real + 0.1, 0, 1), "Two": np.clip(real - 0.2, 0, 1)}
    affine = np.diag([11.25, 13.6, 11.25, 1])
    affine[:3, 3] = [-90, -126, -72]
    figure = synthesis_figure(real, models, mask, affine, "AD case")
    panels = [axis for axis in figure.axes if axis.images and axis.get_title() is not None][:18]
    scales = [panel.images[0].get_clim() for panel in panels]
    assert len(set(scales[0::3] + scales[1::3])) == 1
    assert len(set(scales[2::3])) == 1
    assert scales[2][0] == -scales[2][1]
    assert [panel.get_ylabel() for panel in panels[::9]] == ["One", "Two"]
    sides = [{text.get_text() for text in panel.texts} for panel in panels[:9]]
    assert sides == [{"L", "R"}] * 6 + [{"P", "A"}] * 3


def test_errors_outside_the_mask_are_not_drawn():
    _, mask = fakes.atlas(16)
    affine = np.diag([11.25, 13.6, 11.25, 1])
    affine[:3, 3] = [-90, -126, -72]
    real = np.where(mask, 0.5, 0.0)
    figure = synthesis_figure(real, {"One": np.where(mask, 0.6, 0.9)}, mask, affine, "")
    error = figure.axes[2].images[0].get_array()
    assert set(np.round(np.unique(error), 6)) == {0.0, 0.1}


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


def test_long_labels_of_rows_do_not_overlap():
    labels, mask = fakes.atlas(16)
    names = ["GAN (L1 + SSIM)", "Simple-GAN (L1 + MS-SSIM)", "Cycle-GAN"]
    figure = synthesis_figure(labels / 200, dict.fromkeys(names, labels / 200), mask, AFFINE, "AD")
    figure.canvas.draw()
    written = [axis.yaxis.label for axis in figure.axes if axis.get_ylabel()]
    assert len(written) == len(names)
    extents = [text.get_window_extent() for text in written]
    assert all(above.y0 > below.y1 for above, below in itertools.pairwise(extents))
