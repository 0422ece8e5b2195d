"""Trouble in NIfTI files: headers that contradict themselves, values that none means."""

from unittest import mock

import nibabel as nib
import numpy as np
from cases import Case
from heads import AFFINE, head, take, write

from mri2pet.imaging import skullstrip

FLIPPED = AFFINE @ np.diag([-1, 1, 1, 1])
TURNED = AFFINE[:, [1, 0, 2, 3]] @ np.diag([-1, 1, 1, 1])  # a quarter about the long axis


def file(data=None, name="scan.nii", modality="MRI", **header):
    """Write a file and take it."""
    return lambda folder: take(write(folder / name, data, **header), modality) and None


def right(data=None, expected=None, affine=AFFINE, modality="MRI", **header):
    """Write a file, take it, and compare with what it means."""

    def run(folder):
        image = take(write(folder / "scan.nii", data, **header), modality)
        np.testing.assert_allclose(
            image.get_fdata(), head() if expected is None else expected, rtol=1e-6
        )
        np.testing.assert_allclose(image.affine, affine, atol=1e-3)

    return run


def forms(sform, qform, after=None):
    """Write sform and qform that differ."""

    def run(folder):
        image = nib.Nifti1Image(head(), sform)
        image.header.set_xyzt_units("mm")
        image.set_qform(qform, 1)
        image.set_sform(sform, 2, update_affine=False)
        nib.save(image, folder / "scan.nii")
        taken = take(folder / "scan.nii")
        np.testing.assert_allclose(taken.affine, sform, atol=1e-4)

    return run


def to_template(folder):
    """A sform that leads to a template beside the scanner's qform."""
    image = nib.Nifti1Image(head(), AFFINE)
    image.header.set_xyzt_units("mm")
    image.set_qform(AFFINE, 1)
    image.set_sform(AFFINE @ np.diag([1.1, 1.05, 1.2, 1]), 4, update_affine=False)
    nib.save(image, folder / "scan.nii")
    np.testing.assert_allclose(take(folder / "scan.nii").affine, AFFINE, atol=1e-4)


def wide(length):
    """A PET of 720 mm across and `length` slices of 4 mm."""

    def run(folder):
        data = np.zeros((180, 180, length), np.int16)
        data[67:113, 62:118, :44] = head()[:, :, :length]
        take(write(folder / "scan.nii", data), "PET")

    return run


def half_turned(folder):
    """A head stored from right to left and front to back; its quaternion is longer than one."""
    affine = np.diag([-1, -1, 1, 1]) @ AFFINE
    path = write(folder / "scan.nii", affine=affine, sform=0, quatern_d=1.00002)
    loaded = take(path)
    np.testing.assert_array_equal(loaded.get_fdata(), head()[::-1, ::-1])


SHEARED = AFFINE + 0.4 * np.eye(4)[[0]].T @ np.eye(4)[[1]]


def with_value(value, dtype=np.float32):
    data = head().astype(dtype)
    data[5, 5, 5] = value
    return data


def rgb():
    data = np.zeros(head().shape, [("R", "u1"), ("G", "u1"), ("B", "u1")])
    data["R"] = head() // 8
    return data


def cut_brain(folder):
    """The crown of the brain lies above the uppermost slice."""
    image = take(write(folder / "scan.nii"))
    mask = np.zeros(image.shape, bool)
    mask[8:40, 8:50, 20:] = True
    with mock.patch.dict(skullstrip.TOOLS, {"deepbet": lambda _: mask}):
        skullstrip.brain_mask(image, "deepbet")


def thick(folder):
    """Slices of 6 mm: coarse, but where they are."""
    affine = AFFINE @ np.diag([0.25, 0.25, 1.5, 1])
    data = head((184, 224, 30))
    image = take(write(folder / "scan.nii", data, affine))
    np.testing.assert_allclose(nib.affines.voxel_sizes(image.affine), [1, 1, 6])
    np.testing.assert_array_equal(image.get_fdata(), data)


SWAPPED = head().astype(">i2")


def scaled(factor, code):
    """Return the arguments of a file in another unit."""
    scale = np.diag([factor] * 3 + [1.0])
    return (
        {"xyzt_units": code}
        | {f"srow_{axis}": (scale @ AFFINE)[row] for row, axis in enumerate("xyz")}
        | {
            "pixdim": [1, *([4 * factor] * 3), 1, 1, 1, 1],
            **{f"qoffset_{axis}": (scale @ AFFINE)[row, 3] for row, axis in enumerate("xyz")},
        }
    )


def big_endian(data, affine):
    return nib.Nifti1Image(data, affine, nib.Nifti1Header(endianness=">"))


CASES = [
    Case(
        "sform and qform disagree on left and right",
        "excluded",
        forms(AFFINE, FLIPPED),
        r"scan.nii: sform and qform disagree on left and right \(RAS and LAS\); correct",
    ),
    Case(
        "sform and qform turned to each other by 90 degrees",
        "excluded",
        forms(AFFINE, TURNED),
        "turned by 90 degrees to each other",
    ),
    Case(
        "sform and qform of different voxel sizes",
        "excluded",
        forms(AFFINE, AFFINE @ np.diag([1.1, 1, 1, 1])),
        "disagree on the voxel size",
    ),
    Case(
        "sform and qform differ by a shift",
        "right",
        forms(AFFINE + np.array([[0, 0, 0, 7]] * 3 + [[0] * 4]), AFFINE),
    ),
    Case("only the qform is set", "right", right(sform=0)),
    Case("only the sform is set", "right", right(qform=0)),
    Case("neither sform nor qform is set", "excluded", file(sform=0, qform=0), "no orientation"),
    Case(
        "qform that is no rotation",
        "excluded",
        file(quatern_b=1.5, quatern_c=1.0),
        "qform is no rotation",
    ),
    Case(
        "quaternion too long by rounding",
        "right",
        half_turned,
    ),
    Case(
        "sform to a template beside a scanner's qform",
        "right",
        to_template,
    ),
    Case(
        "sform with a shear",
        "excluded",
        file(affine=SHEARED, qform=0),
        "affine has a shear, which moves voxels by up to .* resample the scan to a straight grid",
    ),
    Case("PET of the scanner's whole width (720 mm)", "right", wide(60)),
    Case(
        "PET of a whole body",
        "excluded",
        wide(250),
        "1000 mm from foot to head is a body's scan, not a head's",
    ),
    Case("affine that cannot be inverted", "excluded", file(srow_x=0), "affine cannot be inverted"),
    Case("affine with NaN", "excluded", file(srow_x=np.nan), "affine cannot be inverted"),
    Case("metres, and the header says so", "right", lambda f: right(**scaled(0.001, 1))(f)),
    Case("microns, and the header says so", "right", lambda f: right(**scaled(1000, 3))(f)),
    Case(
        "metres, and the header does not say so",
        "excluded",
        lambda f: file(**scaled(0.001, 0))(f),
        r"voxel size \[0.004.* are the units in its header right",
    ),
    Case(
        "millimetres that the header calls metres",
        "excluded",
        file(xyzt_units=1),
        "voxel size .* are the units in its header right",
    ),
    Case(
        "a unit of length that does not exist",
        "excluded",
        file(xyzt_units=5),
        "xyzt_units 5 name no unit",
    ),
    Case(
        "4D where one MRI is meant",
        "excluded",
        file(np.stack([head()] * 2, -1)),
        r"expected one 3D volume, found shape \(46, 56, 44, 2\)",
    ),
    Case("4D with one volume", "right", right(head()[..., None])),
    Case(
        "a vector at every voxel",
        "excluded",
        file(np.stack([head()] * 3, -1)[..., None, :]),
        "expected one 3D volume",
    ),
    Case("one slice", "excluded", file(head()[..., 20]), "expected one 3D volume"),
    Case("RGB", "excluded", file(rgb()), "not real numbers"),
    Case("complex numbers", "excluded", file(head().astype(np.complex64)), "not real numbers"),
    Case("NaN", "excluded", file(with_value(np.nan)), "1 of 113344 voxels are not finite"),
    Case("infinite value", "excluded", file(with_value(np.inf)), "not finite"),
    Case(
        "value that float32 cannot hold",
        "excluded",
        file(with_value(1e300, np.float64)),
        "do not fit float32",
    ),
    Case("all zero", "excluded", file(head() * 0), "every voxel is zero"),
    Case("one value everywhere", "excluded", file(head() * 0 + 7), "every voxel has the value 7"),
    Case(
        "a few negative values (interpolation)", "right", right(with_value(-3.5), with_value(-3.5))
    ),
    Case(
        "values shifted below zero",
        "excluded",
        file(head() - np.int16(1024)),
        "the mean is not above zero",
    ),
    Case("negative slope", "excluded", file(scl_slope=-1.0), "the mean is not above zero"),
    Case(
        "saturated int16",
        "excluded",
        file(np.clip(head().astype(int) * 60, 0, 32767).astype(np.int16)),
        r"\d+% of the voxels above zero have the largest value, 32767: saturated",
    ),
    Case(
        "unsigned values stored as signed",
        "excluded",
        file((head().astype(np.int64) * 43).astype(np.uint16).view(np.int16)),
        "unsigned values were stored as signed",
    ),
    Case(
        "uint16 above 32767",
        "right",
        right((head().astype(np.int64) * 43).astype(np.uint16), head() * 43.0),
    ),
    Case(
        "a mask in place of the scan",
        "excluded",
        file((head() > 0).astype(np.uint8)),
        "saturated, or a mask",
    ),
    Case("scl_slope 0 (no scaling)", "right", right(scl_slope=0.0, scl_inter=0.0)),
    Case(
        "scl_slope and scl_inter",
        "right",
        right(expected=head() * 0.5 + 10, scl_slope=0.5, scl_inter=10.0),
    ),
    Case("big-endian", "right", lambda f: right(SWAPPED, kind=big_endian)(f)),
    Case("NIfTI-2", "right", right(kind=nib.Nifti2Image)),
    Case("slices of 6 mm", "right", thick),
    Case(
        "a slab of 48 mm", "excluded", file(head()[:, :, 10:22]), "extent .* is not a head scan's"
    ),
    Case(
        "brain cut off at the top of the scan",
        "excluded",
        cut_brain,
        "the brain is cut off at the top of the scan",
    ),
]
