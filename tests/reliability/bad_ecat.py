"""Trouble in ECAT files (.v)."""

import numpy as np
from cases import Case
from ecat_fakes import write_ecat
from heads import head, take

FRAMES = [{"duration": 300_000}, {"duration": 100_000, "scale": 0.25}]


def file(change=None, volumes=1, frames=(), modality="PET", **main):
    """Write an ECAT file, change its bytes and take it."""

    def run(folder):
        path = write_ecat(folder / "scan.v", [head()] * volumes, frames, **main)
        if change:
            path.write_bytes(change(path.read_bytes()))
        take(path, modality)

    return run


def right(expected, **how):
    """Write an ECAT file, take it and compare; the file has its axes the other way round."""

    def run(folder):
        volumes = how.pop("volumes", 1)
        image = take(write_ecat(folder / "scan.v", [head()] * volumes, **how), "PET")
        np.testing.assert_allclose(image.get_fdata(), expected * head()[::-1, ::-1, ::-1], 1e-5)

    return run


END = "cannot be read to its end"
SIDES = "left and right are not certain"
CASES = [
    Case("head first and supine", "right", right(10.0)),
    Case(
        "frames of different durations and scale factors",
        "right",
        right((300 * 10 + 100 * 5) / 400, volumes=2, frames=FRAMES),
    ),
    Case("not calibrated", "right", right(0.5, calibrated=0)),
    Case("feet first and supine", "excluded", file(orientation=2), SIDES),
    Case("feet first and prone", "excluded", file(orientation=0), SIDES),
    Case("head first and prone", "excluded", file(orientation=1), SIDES),
    Case("head first, on the left side", "excluded", file(orientation=7), SIDES),
    Case("orientation not known", "excluded", file(orientation=8), SIDES),
    Case("orientation that there is not", "excluded", file(orientation=99), SIDES),
    Case("ECAT 6", "excluded", file(lambda bytes_: bytes(48) + bytes_[48:]), "is not ECAT 7"),
    Case("text called .v", "excluded", file(lambda _: b"module adder;"), "is not ECAT 7"),
    Case("empty file called .v", "excluded", file(lambda _: b""), "is not ECAT 7"),
    Case("file cut short in its last frame", "excluded", file(lambda b: b[:-5000], 2), END),
    Case("file cut short in its header", "excluded", file(lambda b: b[:400]), END),
    Case("a frame less than announced", "excluded", file(announced=2), "announces 2 frames"),
    Case("sinogram", "excluded", file(file_type=11), "file type 11"),
    Case("data of another kind (VAX)", "excluded", file(frames=[{"type": 2}]), "data type 2"),
    Case("scale factor of zero", "excluded", file(frames=[{"scale": 0.0}]), "scale factor"),
    Case(
        "two beds",
        "excluded",
        file(volumes=2, numbers=[0x1010001, 0x1011001]),
        "several beds, gates or planes",
    ),
    Case("of another tracer", "excluded", file(agent=b"AV45"), "is not FDG"),
    Case("called an MRI", "excluded", file(modality="MRI"), "is of modality 'PT'"),
]
