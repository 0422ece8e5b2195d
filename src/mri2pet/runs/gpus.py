"""The GPUs of this machine, counted without a package that takes long to import."""

import os
import re
from pathlib import Path


def count_gpus(devices: str | Path = "/dev") -> int:
    """Return how many NVIDIA GPUs jobs of this machine may use.

    Parameters
    ----------
    devices
        Folder in which the system shows a file for each, `nvidia0` and so on.

    Returns
    -------
    int
        Not more than the variable CUDA_VISIBLE_DEVICES names, where it is set.
    """
    found = [
        each for each in Path(devices).glob("nvidia*") if re.fullmatch(r"nvidia\d+", each.name)
    ]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return len(found)
    named = []
    for name in (word.strip() for word in visible.split(",")):
        if not name or name.startswith("-"):  # CUDA looks no further than a name of none
            break
        named.append(name)
    return min(len(found), len(named))
