"""Brains as nilearn draws them: where, which way round, on one scale, and without a word."""

import ast
import gc
import itertools
import socket
import warnings

import nibabel as nib
import numpy as np
import pytest

import fakes
from mri2pet.reporting.brain_frames import Frames
from mri2pet.reporting.brain_views import (
    THROUGH_MM,
    VIEWS,
    Brain,
    centre_of,
    draw_brain,
    draw_glass,
    lay_over,
    outline,
    spared,
    template_on,
    window_around,
)
from mri2pet.reporting.synthesis_figures import CLEAR, example_figure, synthesis_figure

AFFINE = np.array([[2.8, 0, 0, -90], [0, 3.4, 0, -126], [0, 0, 2.8, -72], [0, 0, 0, 1]])
COARSE = np.diag([11.25, 13.6, 11.25, 1])
COARSE[:3, 3] = [-90, -126, -72]
GREY = {"cmap": "gray", "vmin": 0.0, "vmax": 1.0}


@pytest.fixture(autouse=True)
def nothing_fetched_or_said(monkeypatch):
    def refuse(*arguments):
        raise AssertionError(f"a figure opens a connection: {arguments}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def brain():
    labels, mask = fakes.atlas(16)
    return labels / 200, mask


def everywhere():
    return window_around(np.ones((64, 64, 64), bool), AFFINE)


def marked(mm):
    """A volume that is one at a point in the world."""
    volume = np.zeros((64, 64, 64))
    volume[tuple(np.rint(np.linalg.inv(AFFINE) @ [*mm, 1]).astype(int)[:3])] = 1
    return volume


def drawn(volume, planes="xyz", **brain):
    frames = Frames(1, 1, 2.6, 5.0, "title")
    axis = frames.axes[0][0]
    display = draw_brain(
        axis, Brain(volume, GREY, **brain), everywhere(), planes=planes, named=True
    )
    return frames.figure, display


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
    _, display = drawn(marked(mm))
    (plane,) = (each for each in display.axes.values() if VIEWS[each.direction] == name)
    image = plane.ax.images[-1]
    picture, (left, right, bottom, top) = image.get_array(), image.get_extent()
    row, column = np.argwhere(picture == 1)[0]  # origin="upper": rows count downwards
    rows, columns = picture.shape
    assert plane.ax.get_xlim()[0] < plane.ax.get_xlim()[1]
    assert left + (column + 0.5) * (right - left) / columns == pytest.approx(across, abs=3)
    assert top - (row + 0.5) * (top - bottom) / rows == pytest.approx(up, abs=3)


def test_every_plane_says_which_it_is_where_it_lies_and_which_side_is_which():
    figure, display = drawn(marked((0, 0, 0)))
    said = {
        VIEWS[plane.direction]: {text.get_text() for text in plane.ax.texts}
        for plane in display.axes.values()
    }
    names = {text.get_text(): text.get_position()[0] for text in figure.texts}
    for plane in display.axes.values():  # each name stands above its own plane
        place = plane.ax.get_axes_locator()(plane.ax, None)
        assert place.x0 < names[VIEWS[plane.direction]] < place.x1
    assert said == {
        "sagittal": {"P", "A", "x=8"},
        "coronal": {"L", "R", "y=-20"},
        "axial": {"L", "R", "z=12"},
    }


def test_a_search_for_garbage_looks_at_new_objects_alone():
    old = [[] for _ in range(1000)]

    @spared
    def looked_at():
        return sum(each is one for each in gc.get_objects() for one in old[:1])

    assert looked_at() == 0
    assert gc.get_freeze_count() == 0


@pytest.mark.parametrize(("planes", "count"), [("xyz", 3), ("yz", 2), ("z", 1)])
def test_planes_asked_for_are_drawn(planes, count):
    figure, _ = drawn(marked((0, 0, 0)), planes)
    assert len(fakes.planes_of(figure)) == count


def test_what_is_small_leaves_in_sight_what_lies_below():
    volume = np.full((64, 64, 64), 0.05)
    volume[:, 32:] = 0.5
    figure, _ = drawn(volume, "z", over=np.ones_like(volume), clear=0.1)
    below, above = fakes.planes_of(figure)[0]
    assert below.get_array().min() == 1
    assert np.ma.getmaskarray(above.get_array()).mean() == pytest.approx(0.5)
    assert above.get_array().compressed().min() == pytest.approx(0.5)


@pytest.mark.parametrize("step", [0.7, 1.0, 3.0])
def test_the_voxel_asked_for_is_the_one_that_is_cut(step):
    affine = np.diag([step, step, step, 1.0])
    affine[:3, 3] = -10.5
    window = window_around(np.ones((30, 30, 30), bool), affine)
    for number in range(30):
        asked = affine[:3, :3] @ np.full(3, number) + affine[:3, 3]
        assert np.rint((window.inside(asked) - affine[:3, 3]) / step).tolist() == [number] * 3


@pytest.mark.parametrize("value", [0.0, 0.05, -0.1])
def test_nothing_large_enough_leaves_the_picture_below_alone(value):
    volume = np.full((64, 64, 64), value)
    figure, _ = drawn(volume, over=np.ones_like(volume), clear=0.1)
    assert [len(plane) for plane in fakes.planes_of(figure)] == [1] * 3


@pytest.mark.parametrize("over", [None, np.ones((64, 64, 64))])
def test_every_volume_is_drawn_at_one_scale_however_much_of_it_is_clear(over):
    seen = []
    for volume in (np.ones((64, 64, 64)), marked((0, 0, 0)), np.zeros((64, 64, 64))):
        _, display = drawn(volume, over=over)
        seen.append([plane.get_object_bounds() for plane in display.axes.values()])
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0][0] == pytest.approx(-126)


@pytest.mark.parametrize("lay", [lay_over, lambda *it: outline(*it, "red", 1.0)])
def test_an_empty_region_is_not_drawn(lay):
    figure, display = drawn(np.ones((64, 64, 64)))
    before = [len(axis.get_children()) for axis in figure.axes]
    lay(display, everywhere().image(np.zeros((64, 64, 64))))
    assert [len(axis.get_children()) for axis in figure.axes] == before


def test_a_window_holds_the_mask_and_moves_nothing():
    mask = np.zeros((64, 64, 64), bool)
    mask[20:40, 10:50, 30:60] = True
    window = window_around(mask, AFFINE)
    image = window.image(marked((10, 20, 30)))
    found = image.affine @ [*np.argwhere(image.get_fdata() == 1)[0], 1]
    np.testing.assert_allclose(found[:3], (10, 20, 30), atol=1.8)
    assert image.shape == (26, 44, 36)  # 6 mm: three voxels of 2.8, two of 3.4
    assert np.all(np.abs(window.inside((500, 500, 500))) < 200)
    assert window.inside((10.4, 20.6, 31.2)) == (10, 21, 31)  # as it is written beside a plane


def test_a_centre_lies_inside_its_region():
    """A ring's centre of mass does not."""
    ring = np.zeros((9, 9, 9), bool)
    ring[1:8, 1:8, 4] = True
    ring[2:7, 2:7, 4] = False
    x, y, z = np.rint(np.linalg.inv(AFFINE) @ [*centre_of(ring, AFFINE), 1])[:3].astype(int)
    assert ring[x, y, z]


def test_glass_names_its_sides_and_shows_the_highest_value_on_the_way():
    frames = Frames(1, 1, 1.0, 2.0, "title")
    display = draw_glass(frames.axes[0][0], "z", named=True)
    display.add_overlay(nib.Nifti1Image(marked((30, 40, 50)).astype(np.float32), AFFINE))
    (shown,) = fakes.planes_of(frames.figure)
    assert np.ma.max(shown[-1].get_array()) == 1
    assert {"L", "R", "axial"} <= set(fakes.words_in(frames.figure))


def test_the_template_comes_to_the_grid_without_its_head(tmp_path):
    fine = np.diag([2.0, 2, 2, 1])
    fine[:3, 3] = [-90, -126, -72]
    head = np.full((91, 109, 91), 0.5, np.float32)
    inside = np.zeros(head.shape, np.uint8)
    inside[20:70, 20:90, 20:70] = 1
    head[inside > 0] = 2
    for name, volume in (("t1", head), ("mask", inside)):
        nib.save(nib.Nifti1Image(volume, fine), tmp_path / f"{name}.nii.gz")
    paths = (tmp_path / "t1.nii.gz", tmp_path / "mask.nii.gz")
    found = template_on(*paths, COARSE, (16, 16, 16))
    assert found.shape == (16, 16, 16)
    assert found[7, 7, 7] == pytest.approx(2)
    assert found[0, 0, 0] == 0


def test_synthesis_figure_has_a_row_a_model_and_one_scale_for_all(brain):
    real, mask = brain
    models = {"One": np.clip(real + 0.1, 0, 1), "Two": np.clip(real - 0.2, 0, 1)}
    figure = synthesis_figure(real, models, mask, np.ones(mask.shape), COARSE, "AD case")
    planes = fakes.planes_of(figure)
    pet = [plane for plane in planes if len(plane) == 1 and plane[0].get_cmap().name == "magma"]
    errors = [plane for plane in planes if len(plane) == 2]  # over the template
    assert (len(pet), len(errors)) == (9, 6)
    assert len({plane[0].get_clim() for plane in pet}) == 1
    (limits,) = {plane[1].get_clim() for plane in errors}
    assert limits[0] == -limits[1]
    words = fakes.words_in(figure)
    assert {"Real PET", "One", "Two", "AD case"} <= set(words)
    for view in ("sagittal", "coronal", "axial"):  # above the first PET and the first error
        assert words.count(view) == 2
    clear = f"(less than {CLEAR * limits[1]:.2g}: clear)"
    assert any(clear in axis.get_xlabel() for axis in figure.axes)


def test_errors_outside_the_mask_are_not_drawn(brain):
    _, mask = brain
    real = np.where(mask, 0.5, 0.0)
    made = {"One": np.where(mask, 0.6, 0.9)}
    figure = synthesis_figure(real, made, mask, np.ones(mask.shape), COARSE, "")
    errors = [plane[1].get_array() for plane in fakes.planes_of(figure) if len(plane) == 2]
    for error in errors:
        np.testing.assert_allclose(np.unique(np.ma.compressed(error)), [0.1], rtol=1e-6)


def test_labels_of_rows_do_not_overlap(brain):
    real, mask = brain
    names = ["GAN (L1 + SSIM)", "Simple-GAN (L1 + MS-SSIM)", "Cycle-GAN"]
    made = dict.fromkeys(names, real)
    figure = synthesis_figure(real, made, mask, np.ones(mask.shape), COARSE, "AD")
    figure.canvas.draw()
    written = [text for text in figure.texts if text.get_rotation() == 90]
    assert len(written) == 1 + len(names)
    extents = [text.get_window_extent() for text in written]
    assert all(above.y0 > below.y1 for above, below in itertools.pairwise(extents))


def test_the_example_shows_mri_models_and_real_pet_on_one_scale(brain):
    real, mask = brain
    made = {"CycleGAN": real * 0.9, "Simple": real * 1.1}
    figure = example_figure(real, made, real, mask, COARSE, "EPI001 bl")
    pet = [plane[0] for plane in fakes.planes_of(figure) if plane[0].get_cmap().name == "magma"]
    assert len(pet) == 3 * 3
    assert len({each.get_clim() for each in pet}) == 1
    words = fakes.words_in(figure)
    assert [name for name in words if name in {"MRI", *made, "real PET"}] == [
        "MRI", *made, "real PET",
    ]  # fmt: skip


PICTURES = ["imshow", "matshow", "pcolormesh", "pcolor", "contour", "contourf", "figimage"]
# Who may draw a picture of numbers with matplotlib itself, and why.
DRAWN_BY_MATPLOTLIB = {("comparisons.py", "imshow"): "confusion matrices, which are no brain"}


def test_no_brain_is_drawn_but_by_nilearn(root):
    found = set()
    for path in (root / "src/mri2pet/reporting").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in PICTURES:
                found.add((path.name, node.attr))
    assert found == set(DRAWN_BY_MATPLOTLIB)


def test_nilearn_is_imported_by_what_draws_and_by_nothing_else(root):
    """It takes seconds; at the head of a module all its users would wait for it."""
    for path in (root / "src/mri2pet").rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert "nilearn" not in ast.unparse(node), path
