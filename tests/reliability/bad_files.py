"""Trouble in NIfTI files as such, and in what stands beside them."""

import gzip
import json

import numpy as np
from bad_headers import file, right
from cases import Case
from heads import head, patch, take, write

from mri2pet.cohorts.adni.locate import find_image


def damaged(change, name="scan.nii"):
    """Change a file's bytes, take it."""

    def run(folder):
        path = write(folder / name)
        path.write_bytes(change(path.read_bytes()))
        take(path)

    return run


def sidecar(content, data=None):
    """Take a PET with a sidecar beside it."""

    def run(folder):
        path = write(folder / "scan.nii", data)
        path.with_suffix(".json").write_text(content)
        return take(path, "PET")

    return run


def weighted(durations, expected):
    def run(folder):
        frames = np.stack([head(), 3 * head()], axis=-1)
        image = sidecar(json.dumps({"FrameDuration": durations}), frames)(folder)
        np.testing.assert_allclose(image.get_fdata(), expected * head(), rtol=1e-5)

    return run


def broken_frame(folder):
    frames = np.stack([head(), head()], axis=-1).astype(np.float32)
    frames[3, 3, 3, 1] = np.nan
    take(write(folder / "scan.nii", frames), "PET")


def announced(folder):
    """A gzip of a few bytes that says it holds terabytes: memory must not be asked for."""
    path = patch(
        write(folder / "scan.nii"), dim=[3, 400, 400, 400, 1, 1, 1, 1], datatype=64, bitpix=64
    )
    small = folder / "small.nii.gz"
    small.write_bytes(gzip.compress(path.read_bytes()[:2000]))
    take(small)


def analyze(folder):
    series = folder / "011_S_0005/MPR/2006/I7"
    series.mkdir(parents=True)
    for ending in ("hdr", "img"):
        (series / f"ADNI_x_S1_I7.{ending}").touch()
    find_image(folder / "011_S_0005", 7)


END = "cannot be read to its end"
CASES = [
    Case("empty file", "excluded", damaged(lambda b: b""), END),
    Case("empty .nii.gz", "excluded", damaged(lambda b: b"", "scan.nii.gz"), END),
    Case("gzip cut short", "excluded", damaged(lambda b: b[:-3000], "scan.nii.gz"), END),
    Case(
        "gzip with a wrong byte",
        "excluded",
        damaged(lambda b: b[:9000] + bytes([b[9000] ^ 255]) + b[9001:], "scan.nii.gz"),
        END,
    ),
    Case("header cut short", "excluded", damaged(lambda b: b[:200]), END),
    Case(
        "header announces more than the file holds",
        "excluded",
        damaged(lambda b: b[:-2]),
        "the header announces 226688 bytes of voxels, the file has 226686",
    ),
    Case(
        "gzip of 1 kB that announces half a GB",
        "excluded",
        announced,
        "the header announces 512000000 bytes",
    ),
    Case(
        "shape that no scan has",
        "excluded",
        file(dim=[3, 32767, 32767, 32767, 1, 1, 1, 1]),
        r"shape \(32767, 32767, 32767\) is not a head scan's",
    ),
    Case("negative size of an axis", "excluded", file(dim=[3, -5, 56, 44, 1, 1, 1, 1]), "scan.nii"),
    Case(".nii that is really gzip", "excluded", damaged(gzip.compress), END),
    Case(".nii.gz that is not gzip", "excluded", damaged(gzip.decompress, "scan.nii.gz"), END),
    Case(
        "login page saved as .nii.gz",
        "excluded",
        damaged(lambda b: b"<!DOCTYPE html><html>Log in</html>", "scan.nii.gz"),
        END,
    ),
    Case(
        "Analyze (.hdr, .img)",
        "excluded",
        analyze,
        r"only as \.hdr, \.img; download it as DICOM, NIfTI or ECAT 7",
    ),
    Case(
        "dynamic PET: frames averaged",
        "right",
        right(np.stack([head(), 3 * head()], -1), 2 * head(), modality="PET"),
    ),
    Case("frames of known, different durations", "right", weighted([300, 100], 1.5)),
    Case("durations that are no numbers", "right", weighted(["300", None], 2.0)),
    Case("durations of zero", "right", weighted([0, 100], 2.0)),
    Case("one frame with a NaN", "excluded", broken_frame, "not finite"),
    Case(
        "PET whose sidecar names another tracer",
        "excluded",
        sidecar('{"TracerName": "AV45"}'),
        "tracer: 'AV45' is not FDG",
    ),
    Case(
        "PET whose sidecar says CT",
        "excluded",
        sidecar('{"Modality": "CT"}'),
        "is of modality 'CT', not PT",
    ),
    Case("sidecar that is no JSON", "excluded", sidecar("{"), "scan.json: not a readable JSON"),
]
