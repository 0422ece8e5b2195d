"""How much memory jobs with a network ask for: what their network and their volumes take.

The numbers of the program `footprint` are of networks alone. What else a process needs was
measured (docs/cluster.md). torch is not imported here: the workflow asks when it lists its jobs.
"""

import contextlib
import hashlib
import json
import logging
import math
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mri2pet.datasets.brain_box import brain_box
from mri2pet.models.native.library import SWITCH

log = logging.getLogger(__name__)

FLOAT, MEGABYTE = 4, 10**6  # bytes
PROCESS = 700  # MB of Python, torch and pandas before the first volume
CUDA = 3000  # MB more on the host of a GPU: CUDA's own libraries. Not measured here
SLACK = 1.25  # what an allocator needs beside weights and volumes,
WORKING = 1.6  # and what allocator and kernels need beside what a step or synthesis keeps
STATES = 3  # numbers kept for each weight: itself and the two moments of Adam or AdaMax,
SEEN_MORE = 1  # and one more, since one machine took it; what for was not found
LOADING = 4  # copies of a volume while arrays are read
HELD = 2.25  # and after that: source, target, and where the target is measured


@dataclass(frozen=True)
class Volumes:
    """Volumes of a dataset as a job sees them.

    Attributes
    ----------
    whole
        Voxels of a volume.
    shown
        X, Y, Z of the part that networks are shown.
    """

    whole: int
    shown: tuple[int, ...]

    @classmethod
    def of(cls, source: str, mask: str, crop: int = 0) -> "Volumes":
        """Look at the arrays of sources (N, X, Y, Z) and of the mask; see `brain_box` for crop."""
        shape = np.load(source, mmap_mode="r").shape[1:]
        box = brain_box(np.load(mask), crop)
        return cls(math.prod(shape), tuple(side.stop - side.start for side in box))

    @property
    def voxels(self) -> int:
        """Voxels of what networks are shown."""
        return math.prod(self.shown)


class Footprints:
    """What the networks of a configuration take, counted once for a state of the sources.

    Parameters
    ----------
    kept
        File that keeps the counts; one that cannot be read or written is done without.
    state
        Hash of all sources.
    """

    def __init__(self, kept: Path, state: str) -> None:
        self.kept, self.state = kept, state
        self.counts: dict[str, dict[str, Any]] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            content = json.loads(kept.read_text())
            if content["state"] == state:
                self.counts = dict(content["counts"])

    def of(
        self, entries: Mapping[str, Mapping[str, Any]], model: str, shape: tuple[int, ...]
    ) -> dict[str, int] | None:
        """Return what `footprint.count` says of a model; None where it cannot be counted.

        Parameters
        ----------
        entries
            Of a system's models. All are counted in one call, since that has to load torch.
        model
            The one that is asked for.
        shape
            X, Y, Z of the volumes that it is shown.
        """
        keys = {name: _key(entry, shape) for name, entry in entries.items()}
        if keys[model] not in self.counts:
            new = [name for name, key in keys.items() if key not in self.counts]
            counted = _ask([(entries[name], shape) for name in new])
            for name, found in zip(new, counted, strict=True):
                self.counts[keys[name]] = found
                if "error" in found:
                    log.warning("%s: its memory cannot be counted (%s)", name, found["error"])
            self._keep()
        found = self.counts[keys[model]]
        return None if "error" in found else found

    def _keep(self) -> None:
        with contextlib.suppress(OSError):
            self.kept.parent.mkdir(parents=True, exist_ok=True)
            made = self.kept.with_suffix(f".{os.getpid()}")  # other calls may write at this time
            made.write_text(json.dumps({"state": self.state, "counts": self.counts}))
            made.replace(self.kept)


def training_mb(
    counted: Mapping[str, int],
    volumes: Volumes,
    number: int,
    on_gpu: bool = False,
    validated: bool = False,
) -> int:
    """Return the memory of a training on the host, MB.

    Parameters
    ----------
    counted
        By `Footprints.of`.
    volumes
        Of the dataset.
    number
        Volumes learnt from and validated on.
    on_gpu
        The step is taken on a GPU: the host holds the volumes, and a checkpoint while it is read.
    validated
        The state after the best epoch is kept beside the last one.
    """
    weights, data = FLOAT * counted["parameters"], FLOAT * volumes.voxels * number
    states = (STATES + validated + (0 if on_gpu else SEEN_MORE)) * weights
    # A checkpoint is read beside fresh weights, before the first step.
    work = max(SLACK * weights, 0 if on_gpu else WORKING * counted["step"])
    return _in_all(max(SLACK * LOADING * data, SLACK * (HELD * data + states) + work), on_gpu)


def synthesis_mb(
    counted: Mapping[str, int],
    volumes: Volumes,
    number: int,
    on_gpu: bool = False,
    draws: int = 0,
) -> int:
    """Return the memory of a synthesis on the host, MB.

    Parameters
    ----------
    counted, volumes, on_gpu
        As for `training_mb`.
    number
        Volumes synthesised, which are held until they are written.
    draws
        Drawn of each person, and held while they are put in order.
    """
    weights = FLOAT * counted["generator"]
    held = (LOADING * number + LOADING * draws) * FLOAT * volumes.whole
    work = 0 if on_gpu else WORKING * counted["forward"]
    return _in_all(SLACK * (weights + held) + work, on_gpu)


def _in_all(size: float, on_gpu: bool) -> int:
    """Return MB of a process with so many bytes of its own, rounded up to hundreds."""
    whole = PROCESS + CUDA * on_gpu + size / MEGABYTE
    return 100 * math.ceil(whole / 100)


def _key(entry: Mapping[str, Any], shape: tuple[int, ...]) -> str:
    told = {
        key: value
        for key, value in entry.items()
        if key not in ("label", "losses", "repeats", "people")
    }
    text = json.dumps([told, shape], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _ask(questions: list[tuple[Mapping[str, Any], tuple[int, ...]]]) -> list[dict[str, Any]]:
    """Let `footprint` count; where it cannot, each answer is an `error`."""
    env = os.environ | {SWITCH: "0", "OMP_NUM_THREADS": "1"}  # torch's own kernels know shapes
    command = [sys.executable, "-m", "mri2pet.training.footprint"]
    try:
        done = subprocess.run(
            command,
            input=json.dumps(questions, default=str),
            env=env,
            capture_output=True,
            text=True,
            timeout=600,
            check=True,
        )
        return list(json.loads(done.stdout))
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        told = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        return [{"error": told[-1] if told else "no reason given"} for _ in questions]
