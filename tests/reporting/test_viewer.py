"""The viewer's scripts, and what a browser shows of them from the disk, without a server."""

import base64
import gzip
import html
import json
import re
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from mri2pet.reporting.html import Report, render
from mri2pet.reporting.viewer import chosen, held_out, levels, packed, viewers, write_viewer

SHAPE = (4, 6, 8)
AFFINE = np.array([[2.0, 0, 0, -4], [0, 3, 0, -9], [0, 0, 2, -8], [0, 0, 0, 1]])
CENTRE = (2, 3, 4)  # where the viewer begins


def fold(folder, number, roles):
    """The synthesis of a fold: an array and its table, each visit of one value."""
    rows = [
        {"index": place, "subject": f"S{place}", "visit": "bl", "group": "CN", "role": role}
        for place, role in roles.items()
    ]
    path = folder / f"pet-{number}.npy"
    np.save(path, np.stack([np.full(SHAPE, 0.1 * (1 + place), np.float32) for place in roles]))
    return str(path), pd.DataFrame(rows)


@pytest.fixture
def made(tmp_path):
    """The scripts of three visits beside a page."""
    folds = [fold(tmp_path, 0, {0: "test", 1: "val"}), fold(tmp_path, 1, {1: "test", 2: "test"})]
    arrays = {name: tmp_path / f"{name}.npy" for name in ("mri", "pet", "mask", "atlas")}
    np.save(arrays["mri"], np.ones((3, *SHAPE), np.float32))
    np.save(arrays["pet"], np.full((3, *SHAPE), 0.6, np.float32))
    mask, atlas = np.zeros(SHAPE, bool), np.zeros(SHAPE, np.uint8)
    mask[1:, 1:, 1:] = True
    atlas[CENTRE] = 68
    np.save(arrays["mask"], mask)
    np.save(arrays["atlas"], atlas)
    listed = held_out({"unet": folds})
    names = {68: "Precuneus_R"}
    folder = tmp_path / "viewer/gla_gan"
    write_viewer(folder, "gla_gan", listed, arrays, {"unet": "U-Net"}, names, AFFINE)
    return tmp_path


def unpacked(text):
    content = np.frombuffer(gzip.decompress(base64.b64decode(text)), np.uint8)
    return content.reshape(SHAPE, order="F")


def content(path, call):
    found = re.fullmatch(rf"mri2petViewer\.{call}\((\"[^\"]*\"),(.*)\);\n", path.read_text())
    return json.loads(found[1]), json.loads(found[2])


def test_volumes_come_back_as_they_were():
    volume = np.arange(np.prod(SHAPE), dtype=np.uint8).reshape(SHAPE)
    np.testing.assert_array_equal(unpacked(packed(volume)), volume)
    assert packed(volume) == packed(volume.copy())  # no time stamp in it
    mask = np.ones(SHAPE, bool)
    mask[0] = False
    found = levels(np.full(SHAPE, 0.5), mask)
    assert (found[0] == 0).all() and (found[1:] == 128).all()
    assert levels(np.full(SHAPE, np.nan), mask).max() == 0
    assert levels(np.full(SHAPE, 7.0), mask).max() == 255


def test_each_visit_is_shown_by_the_model_that_has_not_seen_it(made):
    key, index = content(made / "viewer/gla_gan/index.js", "index")
    assert (key, index["all"]) == ("gla_gan", 3)
    assert [name for name, _ in index["visits"]] == ["S0_bl", "S1_bl", "S2_bl"]
    assert index["models"] == [["unet", "U-Net"]]
    for place in range(3):
        key, volumes = content(made / f"viewer/gla_gan/S{place}_bl.js", "volumes")
        assert key == f"gla_gan/S{place}_bl"
        shown = unpacked(volumes["unet"])[CENTRE]
        assert shown == round(255 * 0.1 * (1 + place))  # that of the fold that held it out
        assert unpacked(volumes["unet"])[0].max() == 0  # outside the mask


def test_of_many_visits_some_are_kept_from_first_to_last():
    listed = pd.DataFrame({"subject": [f"{n:03d}" for n in range(100)], "visit": "bl"})
    kept = chosen(listed, 5)
    assert len(kept) == 5
    assert (kept[0], kept[-1]) == (("000", "bl"), ("099", "bl"))
    assert len(chosen(listed.head(3), 5)) == 3


def test_only_systems_with_volumes_have_a_viewer():
    assert viewers(["results/report/viewer/ixi"]) == {"ixi": "IXI: T2 and PD of each other"}
    bare = Report("T", "L", {"adni": True})
    assert 'id="viewer"' not in render(bare)
    bare.viewers = viewers(["results/report/viewer/gla_gan"])
    assert 'id="viewer"' in render(bare)


def seen(folder, act=""):
    """What the viewer's line says, after it was opened by its link and `act` was done."""
    report = Report("T", "L", {"adni": True}, viewers={"gla_gan": "GLA-GAN"})
    wait = f"<script>setTimeout(() => {{ {act} }}, 1500);</script>"
    (folder / "page.html").write_text(render(report).replace("</body>", f"{wait}</body>"))
    call = [
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=6000",
        f"--user-data-dir={folder}/user", "--dump-dom",
        (folder / "page.html").as_uri() + "#volumes",
    ]  # fmt: skip
    page = subprocess.run(call, capture_output=True, text=True, check=True, timeout=120).stdout
    return html.unescape(re.search(r"<output[^>]*>(.*?)</output>", page)[1])


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
@pytest.mark.parametrize(
    ("act", "said"),
    [
        ("", "Precuneus_R; 0, 0, 0 mm; uptake real 0.60, synthetic 0.10, error -0.50"),
        (
            "const pick = document.querySelector('[name=visit]'); pick.value = 'S2_bl';"
            "pick.dispatchEvent(new Event('change'));",
            "Precuneus_R; 0, 0, 0 mm; uptake real 0.60, synthetic 0.30, error -0.30",
        ),
        (
            "document.querySelector('canvas[data-plane=\"1\"]').dispatchEvent("
            "new KeyboardEvent('keydown', {key: 'ArrowLeft'}));",
            "no region; -2, 0, 0 mm; uptake real 0.60, synthetic 0.10, error -0.50",
        ),
    ],
)  # fmt: skip
def test_a_browser_shows_region_and_uptake_under_the_cross(made, act, said):
    assert seen(made, act).replace("x, y, z = ", "").replace("MRI 1.00; ", "") == said


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_a_page_without_its_folder_says_so(tmp_path):
    assert seen(tmp_path) == "viewer/gla_gan/index.js does not lie beside this page."
