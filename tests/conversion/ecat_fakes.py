"""A small writer of ECAT 7 files; nibabel's keeps neither several frames nor a directory."""

import struct
from pathlib import Path

import numpy as np

BLOCK = 512
MAIN = {  # byte and form of what the tests set
    "file_type": (50, ">H"),
    "scan_start": (62, ">I"),
    "isotope": (66, "8s"),
    "half_life": (74, ">f"),
    "agent": (78, "32s"),
    "calibration": (144, ">f"),
    "calibrated": (148, ">H"),
    "patient": (182, "32s"),
    "orientation": (330, ">H"),
    "announced": (354, ">H"),
    "dose_start": (454, ">I"),
    "dose": (458, ">f"),
    "units": (466, "32s"),
}
FRAME = {
    "type": (0, ">H"),
    "x": (4, ">H"),
    "y": (6, ">H"),
    "z": (8, ">H"),
    "scale": (26, ">f"),
    "x_cm": (34, ">f"),
    "y_cm": (38, ">f"),
    "z_cm": (42, ">f"),
    "duration": (46, ">I"),
    "start": (50, ">I"),
    "decay": (80, ">f"),
    "done": (84, ">I"),
}
TOLD = {
    **{"file_type": 7, "scan_start": 1_200_003_600, "dose_start": 1_200_000_000},
    **{"isotope": b"F-18", "half_life": 6586.2, "agent": b"FDG", "patient": b"Jane Doe"},
    **{"calibration": 20.0, "calibrated": 1, "orientation": 3, "dose": 185e6, "units": b"Bq/cc"},
}
OF_FRAME = {"type": 6, "x_cm": 0.2, "y_cm": 0.25, "z_cm": 0.3, "duration": 300_000, "start": 0}
OF_FRAME |= {"scale": 0.5, "decay": 1.1, "done": 1 | 2 | 128 | 512}
TYPES = {5: ">f4", 6: ">i2", 7: ">i4"}


def write_ecat(path, volumes, frames=(), per_list=31, magic=b"MATRIX72v", numbers=None, **main):
    """Write stored values (X, Y, Z), as the file has them, a volume a frame.

    `frames` are settings of each frame, `main` of the main header; `numbers` those that the frames
    have in the directory, which has `per_list` in each of its blocks.
    """
    numbers = numbers or [0x1010000 + count for count in range(1, len(volumes) + 1)]
    head = _block(MAIN, TOLD | {"announced": len(volumes)} | main)
    head = magic.ljust(14, b"\0") + head[14:46] + struct.pack(">H", 72) + head[48:]
    blocks, lists = [head, bytes(BLOCK)], []
    for start in range(0, len(volumes), per_list):
        place = len(blocks) if start else 1
        if start:
            blocks.append(bytes(BLOCK))
        rows = []
        for count in range(start, min(start + per_list, len(volumes))):
            told = OF_FRAME | dict(zip("xyz", volumes[count].shape, strict=True))
            told |= frames[count] if frames else {}
            kind = TYPES.get(told["type"], ">i2")
            data = volumes[count].astype(kind).tobytes(order="F")
            first = len(blocks) + 1
            blocks.append(_block(FRAME, told))
            data += bytes(-len(data) % BLOCK)
            blocks += [data[at : at + BLOCK] for at in range(0, len(data), BLOCK)]
            rows.append((numbers[count], first, len(blocks), 1))
        lists.append((place, rows))
    for (place, rows), (after, _) in zip(lists, [*lists[1:], (1, [])], strict=True):
        entries = [(31 - len(rows), after + 1, 0, len(rows)), *rows]
        entries += [(0, 0, 0, 0)] * (32 - len(entries))
        blocks[place] = np.array(entries, ">i4").tobytes()
    Path(path).write_bytes(b"".join(blocks))
    return Path(path)


def _block(layout, told):
    block = bytearray(BLOCK)
    for name, value in told.items():
        struct.pack_into(layout[name][1], block, layout[name][0], value)
    return bytes(block)
