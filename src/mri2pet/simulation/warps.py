"""Smooth invertible deformations, as exponentials of stationary velocity fields.

A deformation is kept as its *pull-back*, because that is what makes an image: to a point of the
subject's head it tells the template's point there. `template = z + u(z)`, `z = inverse(affine)
head`, all in RAS world mm; `u` is trilinear between the nodes of a 3 mm grid, constant
outside it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from mri2pet.errors import InputError

SPACING = 3.0
ORIGIN = np.array([-97.5, -133.5, -79.5])
SHAPE = (66, 78, 66)
CENTRE = np.array([0.0, -12.0, -2.0])  # between AC and PC, template world

Field = NDArray[np.float32]  # (3, *SHAPE), mm
Points = NDArray[np.floating]  # (n, 3), RAS world mm


def grid_affine() -> NDArray[np.float64]:
    """Voxel-to-world matrix of the deformation grid."""
    return np.vstack([np.c_[np.eye(3) * SPACING, ORIGIN], [0, 0, 0, 1]])


def grid_points() -> NDArray[np.float64]:
    """World coordinates of the grid's nodes, shape (3, *SHAPE)."""
    index = np.indices(SHAPE, dtype=np.float64)
    return index * SPACING + ORIGIN[:, None, None, None]


def near_centre(width: float | tuple[float, float, float]) -> NDArray[np.float32]:
    """Gaussian weight about the middle between AC and PC, standard deviations in mm."""
    away = np.moveaxis(grid_points(), 0, -1) - CENTRE
    return np.exp(-0.5 * ((away / np.array(width)) ** 2).sum(axis=-1)).astype(np.float32)


def random_velocity(rng: np.random.Generator, scales: dict[float, float]) -> Field:
    """Draw a velocity field: Gaussian noise smoothed at several scales.

    Parameters
    ----------
    scales
        Standard deviation of the smoothing in mm -> root mean square of each component in mm.

    Returns
    -------
    array (3, *SHAPE)
        Calmer around AC and PC, where people differ little once their heads are scaled alike,
        and calmer across the midline, which the falx holds in place.
    """
    x = grid_points()[0]
    velocity = np.zeros((3, *SHAPE), np.float32)
    for sigma, amplitude in scales.items():
        width = sigma / SPACING
        unit = (2 * np.sqrt(np.pi) * width) ** 1.5  # one over the rms of smoothed white noise
        for axis in range(3):
            noise = rng.standard_normal(SHAPE, dtype=np.float32)
            velocity[axis] += amplitude * unit * gaussian_filter(noise, width, mode="wrap")
    velocity *= 1 - 0.75 * near_centre(28.0)
    velocity[0] *= 1 - 0.75 * np.exp(-(x**2) / (2 * 14**2))
    return velocity


def velocity_of_divergence(divergence: NDArray[np.floating]) -> Field:
    """Solve for the gradient field with a given divergence (per unit of time), mm.

    With a pull-back, positive divergence shrinks the subject's tissue there and negative
    divergence widens it: the log-Jacobian of the exponential is close to `divergence`.
    """
    transform = np.fft.rfftn(divergence)
    waves = np.meshgrid(
        *(2 * np.pi * np.fft.fftfreq(n, SPACING) for n in SHAPE[:2]),
        2 * np.pi * np.fft.rfftfreq(SHAPE[2], SPACING),
        indexing="ij",
    )
    square = sum(wave**2 for wave in waves)
    square[0, 0, 0] = 1.0
    potential = -transform / square
    potential[0, 0, 0] = 0.0
    fields = [np.fft.irfftn(1j * wave * potential, SHAPE, axes=(0, 1, 2)) for wave in waves]
    return np.stack(fields).astype(np.float32)


def exponentiate(velocity: Field, squarings: int = 6) -> Field:
    """Displacement of the velocity's flow after unit time, by scaling and squaring."""
    displacement = velocity / 2**squarings
    nodes = np.indices(SHAPE, dtype=np.float32)
    for _ in range(squarings):
        where = nodes + displacement / np.float32(SPACING)
        moved = [map_coordinates(part, where, order=1, mode="nearest") for part in displacement]
        displacement = displacement + np.stack(moved)
    return displacement.astype(np.float32)


def jacobian(displacement: Field) -> NDArray[np.float64]:
    """Jacobian determinant of `z + u(z)` at the grid's nodes, shape SHAPE."""
    rows = [np.gradient(part.astype(float), SPACING) for part in displacement]
    matrix = np.moveaxis(np.array(rows), (0, 1), (-2, -1)) + np.eye(3)
    return np.linalg.det(matrix)


@dataclass(frozen=True)
class Deformation:
    """How one subject's head is made from the template's; see the module for directions.

    Attributes
    ----------
    affine
        4x4, maps template points to head points, the part of the deformation that is affine.
    displacement
        (3, *SHAPE) in mm: `template = z + displacement(z)` with `z = inverse(affine) head`.
    """

    affine: NDArray[np.float64]
    displacement: Field

    def __post_init__(self):
        if self.displacement.shape != (3, *SHAPE):
            raise InputError(f"deformation of shape {self.displacement.shape}, not {(3, *SHAPE)}")

    def to_template(self, head: Points) -> NDArray[np.float64]:
        """Map points of the subject's head, (n, 3), to the template."""
        return self._pull(apply(np.linalg.inv(self.affine), head))

    def to_head(self, template: Points, steps: int = 60) -> NDArray[np.float64]:
        """Map template points, (n, 3), to the subject's head: the inverse, to a micrometre."""
        z = np.asarray(template, float).copy()
        for _ in range(steps):
            error = self._pull(z) - template
            z -= 0.8 * error
            if np.abs(error).max() < 1e-3:
                break
        return apply(self.affine, z)

    def _pull(self, z: Points) -> NDArray[np.float64]:
        where = ((z - ORIGIN) / SPACING).T
        moved = [map_coordinates(u, where, order=1, mode="nearest") for u in self.displacement]
        return z + np.stack(moved, axis=-1)


def apply(matrix: NDArray[np.floating], points: Points) -> NDArray[np.float64]:
    """Apply a 4x4 matrix to points (n, 3)."""
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def rotation(degrees: NDArray[np.floating]) -> NDArray[np.float64]:
    """3x3 rotation by angles about x (pitch), then y (roll), then z (yaw), in degrees."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(np.radians(degrees)), np.cos(np.radians(degrees))
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def random_affine(rng: np.random.Generator, sex: str) -> NDArray[np.float64]:
    """Draw head size and shape: scale by axis and small shears about the template's centre.

    The ICBM template is larger than the average head, hence scales below one.
    """
    mean = {"M": 0.945, "F": 0.915}[sex]
    scales = mean * np.exp(rng.normal(0, 0.02) + rng.normal(0, 0.018, 3))
    matrix = np.diag([*scales, 1.0])
    matrix[0, 1:3] = rng.normal(0, 0.012, 2)
    matrix[1, 2] = rng.normal(0, 0.02)
    matrix[:3, 3] = CENTRE - matrix[:3, :3] @ CENTRE
    return matrix


def random_pose(rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw how the head lies in the scanner: 4x4, head world to scanner world, rigid.

    At most 12 degrees of pitch, 8 of roll and yaw, and 20 mm along each axis.
    """
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(rng.uniform(-1, 1, 3) * [12, 8, 8])
    matrix[:3, 3] = CENTRE - matrix[:3, :3] @ CENTRE + rng.uniform(-20, 20, 3)
    return matrix
