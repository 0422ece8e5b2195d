"""What holds for any input: folds, transforms, patches, tables, names."""

import itertools
import re

import nibabel as nib
import numpy as np
import pandas as pd
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mri2pet.cohorts.adni.csv_tables import parse_date
from mri2pet.cohorts.adni.groups import GROUPS, age_at, normalise_group, normalise_visit
from mri2pet.cohorts.adni.locate import PTID
from mri2pet.cohorts.adni.scans import subject_label
from mri2pet.datasets.folds import make_folds
from mri2pet.datasets.parts import patch_starts
from mri2pet.errors import InputError
from mri2pet.files import read_json, read_tsv, write_json, write_tsv
from mri2pet.imaging.acpc import Landmarks, acpc_transform
from mri2pet.imaging.antsreg import flip_lps_ras, itk_to_matrix
from mri2pet.imaging.resample import overlap_weights, resample, resized_affine
from mri2pet.imaging.volume import load_transform, save_transform
from mri2pet.synthesis.patches import synthesise_patches

some = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
few = settings(some, max_examples=15)
WILDCARD = re.compile(r"[A-Za-z0-9]+")  # of subject and visit in the Snakefile
number = st.floats(-100, 100, width=32)
angle = st.floats(-np.pi, np.pi)


@st.composite
def affines(draw):
    """4x4: rotations, scales, a shear and a shift."""
    scales = [draw(st.floats(0.5, 3)) * draw(st.sampled_from([-1, 1])) for _ in range(3)]
    turn = nib.eulerangles.euler2mat(draw(angle), draw(angle), draw(angle))
    shear = np.eye(3)
    shear[0, 1] = draw(st.floats(-0.3, 0.3))
    shift = [draw(number) for _ in range(3)]
    return nib.affines.from_matvec(turn @ shear @ np.diag(scales), shift)


points = st.lists(st.tuples(number, number, number), min_size=1, max_size=5).map(np.array)


# Folds


@st.composite
def visits(draw):
    """Visits of people of several groups, each with as many pairs as there are folds."""
    n = draw(st.integers(2, 5))
    rows = []
    for group in draw(st.lists(st.sampled_from(GROUPS), min_size=1, max_size=4, unique=True)):
        for kind, least in (("paired", n), ("mri_only", 0)):
            for _ in range(draw(st.integers(least, least + 6))):
                label = f"{len(rows):03d}S{draw(st.integers(0, 99999)):05d}"
                rows += [(label, group, kind)] * draw(st.integers(1, 3))
    return n, pd.DataFrame(rows, columns=["subject", "group", "kind"])


@some
@given(visits(), st.integers(0, 2**31), st.randoms(use_true_random=False))
def test_every_person_is_in_one_fold_of_each_stratum_in_any_order(case, seed, random):
    n, table = case
    folds = make_folds(table, n, seed, GROUPS)
    assert folds["subject"].tolist() == sorted(set(table["subject"]))
    assert folds["fold"].between(0, n - 1).all()
    for _, stratum in [*folds.groupby(["group", "kind"]), ("all", folds)]:
        sizes = stratum["fold"].value_counts().reindex(range(n), fill_value=0)
        assert sizes.max() - sizes.min() <= 1
    order = list(range(len(table)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(folds, make_folds(table.iloc[order], n, seed, GROUPS))


# Transforms


@some
@given(affines(), affines(), points)
def test_itk_and_ras_transforms_mean_the_same_points(first, second, where):
    """LPS and back, with ITK's centre of rotation, composed and inverted."""
    centre = np.array([5.0, -7.0, 11.0])
    lps = flip_lps_ras(first)
    offset = lps[:3, 3] - centre + lps[:3, :3] @ centre
    parameters = np.r_[lps[:3, :3].ravel(), offset]
    np.testing.assert_allclose(flip_lps_ras(itk_to_matrix(parameters, centre)), first, atol=1e-9)
    both = flip_lps_ras(flip_lps_ras(second) @ lps)
    np.testing.assert_allclose(both, second @ first, atol=1e-8)
    there = nib.affines.apply_affine(first, where)
    np.testing.assert_allclose(
        nib.affines.apply_affine(np.linalg.inv(first), there), where, atol=1e-6
    )


@some
@given(affines())
def test_a_transform_is_read_as_it_was_written(tmp_path, matrix):
    save_transform(tmp_path / "t.txt", matrix)
    np.testing.assert_array_equal(load_transform(tmp_path / "t.txt"), matrix)


@some
@given(angle, st.floats(-1, 1), angle, st.tuples(number, number, number), st.floats(18, 36))
def test_the_acpc_transform_is_rigid_and_undoes_any_pose(roll, yaw, pitch, shift, length):
    pose = nib.affines.from_matvec(nib.eulerangles.euler2mat(roll, yaw, pitch), shift)
    ac, pc = nib.affines.apply_affine(pose, [[0, 0, 0], [0, -length, 0]])
    found = acpc_transform(Landmarks(ac, pc, pose[:3, 0]))
    np.testing.assert_allclose(found @ pose, np.eye(4), atol=1e-6)


@few
@given(affines(), st.integers(0, 3))
def test_resampling_through_a_transform_and_its_inverse_keeps_the_places(matrix, order):
    """Onto the grid that the transform makes of the image's own, nothing is interpolated.

    Inside: at the very edge rounding decides whether a voxel is still in the field of view.
    """
    data = np.random.default_rng(0).random((5, 6, 7)).astype(np.float32)
    image = nib.Nifti1Image(data, np.diag([2.0, 3, 4, 1]))
    grid = matrix @ image.affine
    moved = resample(image, matrix, grid, data.shape, order=order)
    inside = (slice(1, -1),) * 3
    np.testing.assert_allclose(np.asarray(moved.dataobj)[inside], data[inside], atol=1e-4)


@some
@given(affines(), st.tuples(*[st.integers(8, 40)] * 3), st.integers(1, 8))
def test_a_resized_grid_covers_the_same_field_of_view(affine, shape, side):
    target = (side, side, side)
    made = resized_affine(affine, shape, target)
    for end in itertools.product((0, 1), repeat=3):
        corners = [np.array(end) * sides - 0.5 for sides in (shape, target)]
        one, other = (
            nib.affines.apply_affine(a, c) for a, c in zip((affine, made), corners, strict=True)
        )
        np.testing.assert_allclose(one, other, atol=1e-6)
    weights = overlap_weights(shape[0], side)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert (weights >= 0).all()


# Patches


@some
@given(st.integers(1, 60), st.integers(1, 60), st.integers(-1, 60))
def test_patches_cover_an_axis_or_are_refused(length, size, stride):
    try:
        starts = patch_starts(length, size, stride)
    except InputError:
        assert size > length or not 1 <= stride <= size
        return
    assert starts == sorted(set(starts))
    assert all(0 <= start <= length - size for start in starts)
    assert {v for start in starts for v in range(start, start + size)} == set(range(length))


@few
@given(
    st.tuples(*[st.integers(6, 14)] * 3),
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 6),
    st.integers(1, 50),
)
def test_the_identity_by_patches_is_the_volume(shape, size, stride, keep, batch):
    assume(stride <= keep <= size)
    volume = torch.randn(1, *shape, generator=torch.Generator().manual_seed(0))
    for kept in (None, keep):
        made = synthesise_patches(lambda x: x, volume, size, stride, batch, kept)
        torch.testing.assert_close(made, volume, rtol=0, atol=1e-6)


# Tables and files

text = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
plain = text.filter(lambda value: value not in ("", "n/a") and "\r" not in value)


@some
@given(
    st.lists(
        st.tuples(plain, st.floats(allow_nan=False, allow_infinity=False), st.integers(-9, 9)),
        min_size=1,
        max_size=6,
    )
)
def test_a_table_is_read_as_it_was_written(tmp_path, rows):
    """Quotes, tabs and line breaks in a cell are the cell's; numbers keep all their digits."""
    table = pd.DataFrame(rows, columns=["text", "value", "count"]).astype({"text": object})
    write_tsv(tmp_path / "t.tsv", table)
    read = read_tsv(tmp_path / "t.tsv", dtype={"text": str}, float_precision="round_trip")
    assert read["text"].tolist() == table["text"].tolist()
    assert read["value"].tolist() == table["value"].tolist()
    assert read["count"].tolist() == table["count"].tolist()


leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text


@some
@given(st.dictionaries(text, st.recursive(leaves, st.lists, max_leaves=6), max_size=4))
def test_json_is_read_as_it_was_written(tmp_path, content):
    write_json(tmp_path / "t.json", content)
    assert read_json(tmp_path / "t.json") == content


# Names


@some
@given(st.lists(st.from_regex(PTID, fullmatch=True), min_size=2, max_size=6, unique=True))
def test_labels_are_those_of_the_rules_and_tell_people_apart(ptids):
    labels = [subject_label(ptid) for ptid in ptids]
    assert len(set(labels)) == len(labels)
    assert all(WILDCARD.fullmatch(label) for label in labels)


@settings(some, max_examples=200)
@given(st.text(max_size=20) | st.from_regex(r"[a-zA-Z0-9 _.-]{1,12}", fullmatch=True))
def test_a_visit_is_a_label_that_stays_itself_or_none(name):
    label = normalise_visit(name)
    assert label is None or WILDCARD.fullmatch(label)
    assert label is None or normalise_visit(label) == label


@some
@given(text)
def test_any_text_is_a_group_a_date_an_age_or_nothing(value):
    assert normalise_group(value) in (*GROUPS, None)
    assert parse_date(value) is None or re.search("[0-9]", value)
    age = age_at([], parse_date("2006-01-01"), value)
    assert age is None or 0 < age < 130
