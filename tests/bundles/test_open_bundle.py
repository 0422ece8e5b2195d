"""A bundle that is damaged, foreign or newer is refused, with the reason."""

import json
import shutil

import pytest
from bundle_fakes import new_bundle

from mri2pet.bundles import load_bundle
from mri2pet.bundles.manifest import MANIFEST, identity, read_manifest
from mri2pet.bundles.weights import save_arrays
from mri2pet.errors import InputError
from mri2pet.files import sha256


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return new_bundle(tmp_path_factory.mktemp("run"))[0]


@pytest.fixture
def bundle(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "copy")


def change(bundle, **keys):
    path = bundle / MANIFEST
    content = json.loads(path.read_text())
    for key, value in keys.items():
        content.pop(key, None)
        if value is not None:
            content[key] = value
    path.write_text(json.dumps(content))


def test_a_whole_one_opens(bundle):
    assert load_bundle(bundle).about["model"] == "unet"


def test_what_others_put_beside_it_does_not_matter(bundle):
    (bundle / ".snakemake_timestamp").touch()
    (bundle / "notes.txt").write_text("mine")
    load_bundle(bundle)


@pytest.mark.parametrize("name", ["fold-1.safetensors", "grid.safetensors", "README.md"])
def test_a_changed_byte_is_found(bundle, name):
    path = bundle / name
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    with pytest.raises(InputError, match=rf"{name}.*hash differs"):
        load_bundle(bundle)


@pytest.mark.parametrize("name", ["fold-0.safetensors", "controls.tsv", "grid.safetensors"])
def test_a_missing_and_a_cut_file_are_found(bundle, name):
    path = bundle / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match=name):
        read_manifest(bundle, whole=False)
    path.unlink()
    with pytest.raises(InputError, match=rf"{name} is missing"):
        read_manifest(bundle, whole=False)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"format": "other"}, "is not a bundle"),
        ({"format": None}, "is not a bundle"),
        ({"format_version": 2}, "install a newer mri2pet"),
        ({"format_version": "1"}, "install a newer mri2pet"),
        ({"entry": None}, "`entry`"),
        ({"folds": {}}, "`folds`"),
        ({"files": {"../evil": {}}}, "not a file of the bundle"),
    ],
)
def test_a_foreign_or_newer_manifest_is_refused(bundle, keys, message):
    change(bundle, **keys)
    with pytest.raises(InputError, match=message):
        load_bundle(bundle)


def test_a_folder_that_is_no_bundle_is_named(tmp_path):
    with pytest.raises(InputError, match="there is no folder"):
        load_bundle(tmp_path / "none")
    (tmp_path / "generator.pt").touch()
    with pytest.raises(InputError, match=r"holds no bundle.json, but generator.pt"):
        load_bundle(tmp_path)
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(InputError, match="not a readable JSON"):
        load_bundle(tmp_path)


def test_weights_of_another_network_are_refused(bundle):
    content = json.loads((bundle / MANIFEST).read_text())
    content["entry"]["generator"]["filters"] = [4, 8]
    change(bundle, entry=content["entry"])
    with pytest.raises(InputError, match="no weights of unet3d"):
        _ = load_bundle(bundle).generators


def test_a_grid_of_another_shape_is_refused(bundle):
    import numpy as np

    path = bundle / "grid.safetensors"
    save_arrays(path, {"mask": np.ones((4, 4, 4), bool)})
    content = json.loads((bundle / MANIFEST).read_text())
    content["files"][path.name] = {"sha256": sha256(path), "size": path.stat().st_size}
    change(bundle, files=content["files"])
    with pytest.raises(InputError, match="another grid"):
        load_bundle(bundle)


def test_its_identity_is_that_of_its_content(bundle, whole):
    assert identity(read_manifest(bundle)) == identity(read_manifest(whole))
    change(bundle, label="Other")
    assert identity(read_manifest(bundle)) != identity(read_manifest(whole))
