"""Pictures of the report: which come first, how large they are, where the whole ones lie."""

import base64
import io

import numpy as np
from PIL import Image

from mri2pet.reporting.pictures import data_uri, qc_visits, thumbnail


def test_qc_puts_stages_in_order_excluded_first_and_leaves_out_empty_pictures(pictures):
    first, second = qc_visits(pictures, {("002S0001", "bl"): "why"})
    assert (first.subject, first.note) == ("002S0001", "why")
    assert [shot.stage for shot in first.pictures] == ["acpc"]
    assert [shot.stage for shot in second.pictures] == ["acpc", "n4"]


def test_qc_visits_nearest_to_a_limit_come_first(pictures):
    nearest = {("011S0005", "bl"): (0.5, "PET seen 0.9"), ("002S0001", "bl"): (2.0, "MRI ml 900")}
    assert [visit.nearest for visit in qc_visits(pictures, {}, nearest)] == [
        "PET seen 0.9", "MRI ml 900",
    ]  # fmt: skip
    one, two = qc_visits(pictures, {("002S0001", "bl"): "why"}, nearest)
    assert (one.note, two.note) == ("why", "")  # what is excluded stands before all


def test_full_size_pictures_are_linked_to_from_where_the_page_lies(pictures):
    page = pictures[0].parent / "results/report/report.html"
    shots = [shot for visit in qc_visits(pictures, page=page) for shot in visit.pictures]
    assert {shot.full for shot in shots} == {f"../../{path.name}" for path in pictures[:3]}


def test_qc_names_what_the_page_has_no_room_for(pictures):
    first, second = qc_visits(pictures, budget=1)
    assert len(first.pictures) == 1
    assert second.pictures == []
    assert len(second.paths) == 2


def test_thumbnails_are_small(pictures):
    assert len(thumbnail(pictures[0])) < 5000
    assert thumbnail(pictures[0]).startswith("data:image/webp;base64,")


def test_figures_keep_their_size_and_nearly_their_colours(tmp_path):
    walk = np.random.default_rng(0).normal(0, 3, (200, 300)).cumsum(axis=0)
    level = np.clip(128 + walk, 0, 255)
    full = np.stack([level, level**2 / 255, 255 - level], axis=-1).astype(np.uint8)
    Image.fromarray(full).save(tmp_path / "figure.png")
    stored = base64.b64decode(data_uri(tmp_path / "figure.png").partition(",")[2])
    with Image.open(io.BytesIO(stored)) as image:
        shown = np.asarray(image.convert("RGB")).astype(int)
    assert shown.shape == (200, 300, 3)
    assert np.abs(shown - full).max() <= 8
    assert len(stored) < (tmp_path / "figure.png").stat().st_size
