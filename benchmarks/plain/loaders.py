"""Volumes as NIfTI files, and the DataLoader over them that a reader would write."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mri2pet.datasets.parts import Parts


def write_nifti(folder: Path, **volumes: Tensor) -> list[dict[str, Path]]:
    """Write (N, 1, X, Y, Z) tensors as .nii.gz files; return a dictionary of paths a person."""
    files = [{} for _ in next(iter(volumes.values()))]
    for name, tensor in volumes.items():
        for number, volume in enumerate(tensor[:, 0].numpy()):
            files[number][name] = folder / f"sub-{number:03d}_{name}.nii.gz"
            nib.save(nib.Nifti1Image(volume, np.eye(4)), files[number][name])
    return files


class NiftiPairs(Dataset):
    """Reads a person's MRI and PET when they are asked for."""

    def __init__(self, files: Sequence[dict[str, Path]]) -> None:
        self.files = files

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, number: int) -> dict[str, Tensor]:
        """Return (1, X, Y, Z) of each scan."""
        return {
            name: torch.from_numpy(nib.load(path).get_fdata(dtype=np.float32))[None]
            for name, path in self.files[number].items()
        }


def loader(
    files: Sequence[dict[str, Path]],
    order: Sequence[Sequence[int]],
    workers: int,
    device: torch.device,
) -> DataLoader:
    """Make a DataLoader that gives these people in this order of batches."""
    return DataLoader(
        NiftiPairs(files),
        batch_sampler=[list(rows) for rows in order],
        num_workers=workers,
        pin_memory=device.type == "cuda",
    )


def batches(made: DataLoader, device: torch.device) -> Iterator[dict[str, Tensor]]:
    """Bring each batch to the device."""
    for batch in made:
        yield {name: value.to(device, non_blocking=True) for name, value in batch.items()}


def cut(
    whole: Iterator[dict[str, Tensor]], size: int, batch_size: int, mask: Tensor, slices: bool
) -> Iterator[dict[str, Tensor]]:
    """Cut volumes into disjoint slices or patches as they come, and batch them in random order.

    Each file is read once an epoch, which is kinder than reading it for every part of it.
    """
    waiting: list[dict[str, Tensor]] = []
    for volumes in whole:
        shape = volumes["source"].shape[2:]
        boxes = Parts("slices" if slices else "patches", size, size).boxes(tuple(shape))
        given = volumes | ({"mask": mask[None, None]} if slices else {})
        for i in torch.randperm(len(boxes)).tolist():
            parts = {name: value[0][(slice(None), *boxes[i])] for name, value in given.items()}
            if slices:
                parts = {name: part[0].movedim(-1, 0) for name, part in parts.items()}
            waiting.append(parts)
            if len(waiting) == batch_size:
                yield {name: torch.stack([part[name] for part in waiting]) for name in given}
                waiting = []
