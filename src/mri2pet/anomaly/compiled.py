"""One-class SVMs on a CPU by a kernel compiled for it: a voxel at a time, in the cache."""

import ctypes
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from mri2pet.anomaly.chunks import Gamma
from mri2pet.models.native import library

HERE = Path(__file__).parent
HEADERS = (library.FOLDER / "vectors.hpp", HERE / "columns.hpp", HERE / "kernels.hpp")
SOURCES = (*HEADERS, HERE / "one_class.cpp")
FOUND = {"scale": 0.0, "median": -1.0}  # what the kernel takes for widths that it is to find


@dataclass
class Answer:
    """Decision values of some voxels.

    Attributes
    ----------
    patients, controls
        (V, m) and (V, n) float32; controls None unless asked for.
    solved
        (V,) bool: whether the largest violation of the optimality conditions is below `tol`.
    faulty
        The first voxel with a feature that is no finite number, or None. Values from it on have no
        meaning.
    """

    patients: Tensor
    controls: Tensor | None
    solved: Tensor
    faulty: int | None


def fits(device: torch.device, dtype: torch.dtype) -> bool:
    """Tell whether the kernel computes on this device in this precision, and can be had."""
    plain = device.type == "cpu" and dtype == torch.float32
    return plain and library.kernels(SOURCES) is not None


def score(
    x: Tensor,
    y: Tensor,
    gamma: Gamma,
    total: float,
    excess: float,
    tol: float,
    training: bool,
) -> Answer:
    """Score voxels, one after the other, on this thread alone.

    Parameters
    ----------
    x, y
        (V, n, d) controls and (V, m, d) patients, of any float type, on the CPU.
    gamma
        Width of the kernel, "scale" or "median", as `kernels.centre` takes it.
    total, excess, tol
        As `dual.solve` takes them.
    training
        Whether to return the controls' own decision values too.
    """
    x, y = (one.float().contiguous() for one in (x, y))
    many, samples, width = x.shape
    patients = x.new_empty((many, y.shape[1]))
    controls = x.new_empty((many, samples)) if training else None
    solved = torch.empty(many, dtype=torch.bool)
    run = library.kernels(SOURCES).score_one_class
    run.restype = ctypes.c_long
    faulty = run(
        _place(x),
        _place(y),
        ctypes.c_long(many),
        samples,
        y.shape[1],
        width,
        ctypes.c_float(FOUND.get(gamma, gamma)),
        ctypes.c_double(total),
        (excess > 0) - (excess < 0),
        ctypes.c_float(tol),
        _place(patients),
        _place(controls),
        _place(solved),
    )
    return Answer(patients, controls, solved, None if faulty < 0 else faulty)


def _place(tensor: Tensor | None) -> ctypes.c_void_p:
    return ctypes.c_void_p(None if tensor is None else tensor.data_ptr())
