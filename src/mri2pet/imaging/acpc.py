"""AC-PC correction: the rigid transform that puts the commissures on the axes.

The landmarks are known in the template and brought to the native head by registering the two:
affine for the whole head, then by local optical flow in a box around the commissures, since an
affine alone leaves one to three millimetres at a landmark.
"""

from dataclasses import dataclass

import numpy as np
from nibabel.affines import apply_affine

from mri2pet.errors import ScanError
from mri2pet.imaging.antsreg import Schedule, linear
from mri2pet.imaging.intensity import head_mask, unit_range
from mri2pet.imaging.optical_flow import Level, affine_by_flow, points_by_flow
from mri2pet.imaging.resample import isotropic, resample
from mri2pet.imaging.volume import Array, Volume, array, centre_of_mass, crop, crop_to_object, like

# Placed by expert raters in MNI152NLin2009cAsym (AFIDs protocol, Lau 2019; the ground-truth file
# that autoafids 0.1.4 carries: AC -0.20 2.72 -4.88, PC -0.01 -25.05 -2.21) and carried to
# MNI152NLin6Asym by registering the two templates (ANTs affine at 1 mm, then deformable in a box
# around the commissures); on the template both lie on the commissures they name.
AC_MNI = np.array([0.42, 2.4, -4.6])
PC_MNI = np.array([0.57, -25.05, -2.2])
# The template's own mid-sagittal plane: not x = 0 but half a millimetre to the right of it and
# turned by 0.3 degrees. From registering the template to its mirror image (ANTs rigid, 2 mm).
MIDLINE_NORMAL = np.array([0.999986, 0.005273, 0.000614])
MIDLINE_POINT = np.array([0.594, -15.034, 10.006])

BOX_MM = (24.0, 36.0, 24.0)  # half widths of the box around the commissures' middle
ACPC_LENGTH_MM = (18.0, 36.0)  # what adults have, with room
WORK_MM = 2.0
COARSE_MM = 4.0  # of the first, global registration
HEAD_MM = 180.0  # crown to the lower edge of the template: the neck below is not looked at
MARGIN_MM = 12.0  # around the template's brain

COARSE = Schedule((100,), (2,), (1,), sampling=0.5)
BRAIN = (Level(voxel_mm=5.0, iterations=12, window_mm=14.0),)
COMMISSURES = Level(voxel_mm=WORK_MM, iterations=20, window_mm=3.5, standard_mm=6.0)


@dataclass(frozen=True)
class Landmarks:
    """AC, PC (mm) and the mid-sagittal plane's unit normal (to the right), native world.

    `affine` is the 4x4 (native points to MNI152) on whose way they were found.
    """

    ac: Array
    pc: Array
    normal: Array
    affine: Array | None = None


def ac_pc_length(marks: Landmarks) -> float:
    """Distance of the commissures, mm."""
    return float(np.linalg.norm(marks.ac - marks.pc))


def acpc_transform(marks: Landmarks) -> Array:
    """Rigid 4x4 that maps native points to AC-PC space.

    AC becomes the origin, PC lies on -y, and the mid-sagittal plane is x = 0 with +x to the right.
    The plane's direction is known from hundreds of points, so roll and yaw come from it; it is
    laid through the commissures' middle, and both are put on it, where anatomy has them. They
    give the pitch and the origin.
    """
    normal = marks.normal / np.linalg.norm(marks.normal)
    middle = (marks.ac + marks.pc) / 2
    ac, pc = (p - ((p - middle) @ normal) * normal for p in (marks.ac, marks.pc))
    y = (ac - pc) / np.linalg.norm(ac - pc)
    rotation = np.stack([normal, y, np.cross(normal, y)])
    matrix = np.eye(4)
    matrix[:3, :3] = rotation
    matrix[:3, 3] = -rotation @ ac
    return matrix


def fit_plane(points: Array) -> Array:
    """Fit a plane to (n, 3) points by least squares; return its unit normal, to the right."""
    normal = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][2]
    return normal * (1 if normal[0] >= 0 else -1)


def register_head(head: Volume, template: Volume, brain: Volume) -> tuple[Array, Volume]:
    """Register a native head to the template, both at about 2 mm.

    The whole head first, by mutual information, since it is far away; then only the brain counts,
    since necks and faces (or a face taken off) would pull it out of place.

    Returns
    -------
    affine, scaled
        4x4, points of the native head to points of the template; and the head with its brain's
        intensities scaled to 0..1.
    """
    small, target = isotropic(head, COARSE_MM), isotropic(template, COARSE_MM)
    start = np.eye(4)
    start[:3, 3] = _head_centre(target) - _head_centre(small)
    rigid = linear(target, small, "Rigid", start, COARSE)
    affine = linear(target, small, "Affine", rigid, COARSE)
    inside = resample(brain, np.linalg.inv(affine), head.affine, head.shape, order=0)
    scaled = like(head, unit_range(array(head), array(inside) > 0))
    weight = crop_to_object(brain, MARGIN_MM)
    fixed = resample(template, np.eye(4), weight.affine, weight.shape, order=1)
    return affine_by_flow(fixed, weight, scaled, affine, BRAIN), scaled


def _head_centre(head: Volume) -> Array:
    """Centre of the head above the neck: of its mask, down to `HEAD_MM` below the crown."""
    mask = head_mask(array(head))
    grid = np.indices(mask.shape).reshape(3, -1).T
    height = apply_affine(head.affine, grid)[:, 2].reshape(mask.shape)
    top = np.percentile(height[mask], 99.5)
    return centre_of_mass(head, mask & (height > top - HEAD_MM))


def find_landmarks(image: Volume, template: Volume, brain: Volume) -> Landmarks:
    """Find AC, PC and the mid-sagittal plane of a native T1.

    Parameters
    ----------
    image
        Native T1 of the whole head, axes in RAS order.
    template, brain
        MNI152NLin6Asym T1 with head, and its brain mask, at 2 mm.

    Raises
    ------
    ScanError
        The commissures come out at a distance that no adult has: the registration failed.
    """
    template = like(template, unit_range(array(template), array(brain) > 0))
    affine, head = register_head(isotropic(image, WORK_MM), template, brain)
    local = crop(template, _box(template))
    everywhere = like(local, np.ones(local.shape, np.float32))
    points = np.vstack([AC_MNI, PC_MNI])
    ac, pc = points_by_flow(local, everywhere, head, affine, points, COMMISSURES)
    plane = apply_affine(np.linalg.inv(affine), _midline_points(brain))
    marks = Landmarks(ac, pc, fit_plane(plane), affine)
    length = ac_pc_length(marks)
    if not ACPC_LENGTH_MM[0] <= length <= ACPC_LENGTH_MM[1]:
        raise ScanError(f"AC and PC came out {length:.1f} mm apart: registration failed")
    return marks


def _box(template: Volume) -> tuple[slice, ...]:
    """Voxels of the template within `BOX_MM` of the middle of AC and PC."""
    middle = (AC_MNI + PC_MNI) / 2
    inverse = np.linalg.inv(template.affine)
    low = np.round(apply_affine(inverse, middle - BOX_MM)).astype(int)
    high = np.round(apply_affine(inverse, middle + BOX_MM)).astype(int)
    return tuple(
        slice(max(a, 0), min(b, n)) for a, b, n in zip(low, high, template.shape, strict=True)
    )


def _midline_points(brain: Volume) -> Array:
    """Points of the template's mid-sagittal plane inside the brain, one every 6 mm."""
    y, z = np.meshgrid(np.arange(-90, 68, 6.0), np.arange(-40, 76, 6.0), indexing="ij")
    points = np.stack([np.zeros(y.size), y.ravel(), z.ravel()], axis=1)
    points[:, 0] = (MIDLINE_POINT - points) @ MIDLINE_NORMAL / MIDLINE_NORMAL[0]
    voxel = np.round(apply_affine(np.linalg.inv(brain.affine), points)).astype(int)
    return points[array(brain)[tuple(voxel.T)] > 0]


def apply_acpc(image: Volume, matrix: Array) -> Volume:
    """Give a volume its AC-PC affine: the voxels stay what they are.

    Where all are whole numbers, as scanners write them, they become int16: half to write and read.
    """
    data = array(image)
    least, most = np.iinfo(np.int16).min, np.iinfo(np.int16).max
    if least <= data.min() and data.max() <= most and np.array_equal(data, np.rint(data)):
        data = data.astype(np.int16)
    return Volume(data, matrix @ image.affine)


def straight_view(image: Volume, voxel_mm: float = 1.5) -> Volume:
    """Resample (linear) to the axes of its world around the origin: for a picture, not for use."""
    affine = np.diag([voxel_mm, voxel_mm, voxel_mm, 1.0])
    affine[:3, 3] = [-90, -125, -90]
    even = isotropic(image, voxel_mm)
    return resample(even, np.eye(4), affine, (121, 145, 121), order=1)
