#!/usr/bin/env bash
# nibabel 5.4.2: an ECAT 7 of a person who lay feet first has other sides than by pypet2bids 1.6.0.
# Behaviour: both give the same affine, all positive. pypet2bids turns x, y and z of every file; nibabel turns all three
#   only if the header says head first, y and z if it says feet first, and none if the orientation is not known.
# Seen (2026-11-29): one stored volume with a mark in its first voxel. Head first: both have it in the last voxel of
#   x, y and z. Feet first: nibabel in the first of x. Not known (code 8): nibabel in the first of x, y and z.
# Why it matters: left and right of such a scan depend on the program that converted it, and nothing in the NIfTI tells.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet nibabel==5.4.2 pypet2bids==1.6.0
cd "$work"
venv/bin/python - <<'END'
import struct
import sys

import nibabel as nib
import numpy as np
from pypet2bids.ecat2nii import ecat2nii
from pypet2bids.read_ecat import read_ecat

SHAPE = (8, 8, 4)
POSITIONS = {1: "head first, prone", 3: "head first, supine", 0: "feet first, prone"}
POSITIONS |= {2: "feet first, supine", 8: "not known"}


def write(path, orientation):
    """Write a volume of ones with a mark in its first voxel, as ECAT 7.2 has it."""
    main, frame = bytearray(512), bytearray(512)
    main[:9] = b"MATRIX72v"
    for place, form, value in ((46, ">H", 72), (50, ">H", 7), (144, ">f", 1.0), (148, ">H", 1)):
        struct.pack_into(form, main, place, value)
    struct.pack_into(">H", main, 330, orientation)
    struct.pack_into(">4H", main, 352, SHAPE[2], 1, 1, 0)
    struct.pack_into(">5H", frame, 0, 6, 3, *SHAPE)
    struct.pack_into(">f", frame, 26, 1.0)
    struct.pack_into(">3f", frame, 34, 0.2, 0.2, 0.2)
    listed = np.zeros((32, 4), ">i4")
    listed[:2] = (30, 2, 0, 1), (0x1010001, 3, 4, 1)
    voxels = np.ones(SHAPE, ">i2")
    voxels[0, 0, 0] = 1000
    with open(path, "wb") as file:
        file.write(bytes(main) + listed.tobytes() + bytes(frame) + voxels.tobytes(order="F"))


def place_of_mark(data):
    """Return for each axis whether the mark is in the first or in the last voxel."""
    found = np.unravel_index(np.argmax(data), data.shape)
    return ["first" if at == 0 else "last" for at in found[:3]]


as_described = True
for orientation, lay in POSITIONS.items():
    write("scan.v", orientation)
    one, other = nib.ecat.load("scan.v"), ecat2nii(*read_ecat("scan.v"), nifti_file="scan.nii")
    places = place_of_mark(one.get_fdata()), place_of_mark(other.get_fdata())
    same = np.allclose(one.affine, other.affine)
    print(f"{lay}: nibabel {places[0]}, pypet2bids {places[1]}, affines alike: {same}")
    wanted = ["last"] * 3
    if not lay.startswith("head"):
        wanted = ["first", "last", "last"] if lay.startswith("feet") else ["first"] * 3
    as_described &= same and places == (wanted, ["last"] * 3)
sys.exit(None if as_described else "no longer as described")
END
