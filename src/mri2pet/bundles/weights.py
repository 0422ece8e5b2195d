"""A generator's weights as safetensors: numbers alone, so that reading them runs no code."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor, nn

from mri2pet.errors import InputError
from mri2pet.files import atomic
from mri2pet.models.registry import build


def save_weights(path: str | Path, weights: Mapping[str, Tensor]) -> None:
    """Write tensors; the same ones always give the same bytes."""
    from safetensors.torch import save

    plain = {name: weights[name].detach().cpu().contiguous().clone() for name in sorted(weights)}
    with atomic(path) as partial:
        partial.write_bytes(save(plain))  # its own writer gives nobody else leave to read


def load_weights(path: str | Path, generator: Mapping[str, Any]) -> nn.Module:
    """Make a network and fill in its weights, in evaluation mode.

    Parameters
    ----------
    path
        As `save_weights` wrote it.
    generator
        The network's configuration, as for `models.registry.build`.

    Raises
    ------
    InputError
        The file cannot be read, or its weights are not those of this network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    network = build(generator)
    try:
        network.load_state_dict(load_file(path), assign=True)
    except (SafetensorError, RuntimeError, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        raise InputError(
            f"{path}: no weights of {generator.get('name')} ({reason}); was the bundle made by "
            "another version of mri2pet?"
        ) from error
    return network.eval()


def save_arrays(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write NumPy arrays by name."""
    from safetensors.numpy import save

    with atomic(path) as partial:
        partial.write_bytes(
            save({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)})
        )


def load_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Read what `save_arrays` wrote; a damaged file raises `InputError`."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: cannot be read ({error}); get the bundle again") from error
