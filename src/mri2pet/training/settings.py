"""The `training` block of a model's configuration, and what follows from it."""

import ctypes
import dataclasses
import logging
import math
import os
import platform
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.utils import deterministic

from mri2pet.errors import InputError

log = logging.getLogger(__name__)

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
SCHEDULES = ("constant", "linear", "cosine")


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """How a model is trained.

    Attributes
    ----------
    epochs
        Times that every pair is seen.
    steps
        Training ends after so many steps of the generator, within an epoch if need be: models are
        compared at equal numbers. None: with the last epoch.
    batch_size
        Pairs a step.
    learning_rate
        Of Adam or AdaMax, for all networks.
    beta1, beta2
        Of Adam or AdaMax; beta1 is what the GLA-GAN paper calls momentum. No beta2 stands for
        1 - 1 / (steps an epoch), as in DUAL-GLOW's reference code; only its recipe takes that.
    schedule
        `constant`; `linear`: constant for the first half, then linearly to 0; `cosine`: from the
        full rate to 0 along half a cosine.
    warm_up
        Epochs over which the rate grows linearly from 0, on top of the schedule.
    precision
        `fp32`, or autocast to `bf16` or `fp16` (the latter with loss scaling).
    channels_last
        Keep channels innermost in memory: two to three times faster on CPU, and what tensor cores
        want. Networks of so few channels that the kernels compiled for the processor take them
        (`models.native`) are kept as these want them.
    compile
        Compile the networks (torch.compile): element-wise work is fused. Where no compiler is
        found, a warning says so and training is plain.
    cuda_graph
        On CUDA, record a step once and replay it, which spares the host its launches.
    tf32
        On CUDA, convolutions in fp32 round their factors to TF32, as is torch's own default.
        Products of matrices do not.
    repeatable
        Only algorithms that repeat themselves to the bit; None: on a CPU. On CUDA the fastest
        ones are then looked for.
    discriminator_share
        Learning rate of discriminators, as a share of `learning_rate`: a discriminator that
        always wins teaches nothing.
    start_at_mean
        Generators start at the mean intensity of their targets instead of at one half.
    recalibrate
        After training, estimate batch norm's statistics anew over the training set with the final
        weights (Wu and Johnson 2021). The running ones trail behind the weights, which shows
        when steps are few and batches small.
    jitter
        Sd of the factor about one that each MRI is multiplied by whenever it is shown
        (`jitter.Jittered`); 0 for none.
    mirror
        Show each person as they are or left for right, by chance (`mirror.Mirrored`).
    """

    epochs: int
    batch_size: int
    learning_rate: float
    beta1: float = 0.9
    beta2: float | None = 0.999
    schedule: str = "constant"
    warm_up: float = 0.0
    precision: str = "fp32"
    channels_last: bool = True
    compile: bool = False
    cuda_graph: bool = False
    tf32: bool = True
    repeatable: bool | None = None
    discriminator_share: float = 1.0
    start_at_mean: bool = True
    recalibrate: bool = True
    jitter: float = 0.0
    mirror: bool = False
    steps: int | None = None

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "TrainingSettings":
        """Check a `training` block; an `InputError` names the key at fault."""
        try:
            settings = cls(**config)
        except TypeError as error:
            known = ", ".join(field.name for field in dataclasses.fields(cls))
            raise InputError(f"training: {error}; keys are {known}") from error
        checks = {
            "epochs": settings.epochs >= 1,
            "steps": settings.steps is None or settings.steps >= 1,
            "batch_size": settings.batch_size >= 1,
            "learning_rate": settings.learning_rate > 0,
            "discriminator_share": settings.discriminator_share > 0,
            "beta1": 0 <= settings.beta1 < 1,
            "beta2": settings.beta2 is None or 0 <= settings.beta2 < 1,
            "warm_up": settings.warm_up >= 0,
            "jitter": 0 <= settings.jitter < 1,
            "schedule": settings.schedule in SCHEDULES,
            "precision": settings.precision in DTYPES,
        }
        for key, good in checks.items():
            if not good:
                raise InputError(f"training.{key}: {getattr(settings, key)} is not possible")
        return settings

    def length(self, batches: int) -> tuple[int, int]:
        """Return epochs (the last may be cut) and steps of a training of so many batches each."""
        steps = self.epochs * batches
        steps = steps if self.steps is None else min(steps, self.steps)
        return -(-steps // batches), steps

    def rate(self, progress: float, epochs: float | None = None) -> float:
        """Return the learning rate when a share `progress` (0 to 1) of all steps is done.

        Warming up is counted in epochs: of all `epochs`, where fewer are trained than asked for.
        """
        factor = 1.0
        if self.schedule == "linear":
            factor = min(1.0, 2 * (1 - progress))
        elif self.schedule == "cosine":
            factor = 0.5 * (1 + math.cos(math.pi * progress))
        if self.warm_up:
            factor *= min(1.0, progress * (epochs or self.epochs) / self.warm_up)
        return self.learning_rate * factor


class Precision:
    """Autocast, loss scaling and optimiser steps, the same calls in every precision.

    Parameters
    ----------
    name
        `fp32`, `bf16` or `fp16`.
    device
        On a CPU everything runs in fp32, with a warning: half precision is emulated there and
        many times slower.
    on_cpu
        Use half precision on a CPU all the same.
    """

    def __init__(self, name: str, device: torch.device, on_cpu: bool = False) -> None:
        if name != "fp32" and device.type == "cpu" and not on_cpu:
            log.warning("precision %s is slow on a CPU: training in fp32 instead", name)
            name = "fp32"
        self.name = name
        self.device = device
        self.scaler = torch.amp.GradScaler(device.type, enabled=name == "fp16")

    def autocast(self) -> AbstractContextManager[Any]:
        """Context in which networks run."""
        return torch.autocast(self.device.type, DTYPES[self.name], enabled=self.name != "fp32")

    def step(self, loss: Tensor, optimiser: Optimizer) -> None:
        """Go back from a loss and take one optimiser step."""
        optimiser.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(optimiser)

    def end_batch(self) -> None:
        """Adapt the loss scale, once all optimisers have stepped."""
        self.scaler.update()


def choose_device(name: str = "auto") -> torch.device:
    """Return the device: `auto` is CUDA where there is one, else the CPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError("device: cuda is asked for and torch finds none; use auto or cpu")
    return torch.device(name)


def set_up_torch(settings: TrainingSettings, device: torch.device, threads: int) -> None:
    """Fix the number of threads, and choose torch's kernels as the settings ask."""
    make_deterministic(threads)
    if device.type == "cpu":
        _keep_freed_memory()
    repeatable = device.type == "cpu" if settings.repeatable is None else settings.repeatable
    if not repeatable:
        torch.set_deterministic_debug_mode("default")
        torch.backends.cudnn.benchmark = True
    # Of convolutions alone. Products of matrices stay exact: SSIM takes differences of squares.
    torch.backends.cudnn.allow_tf32 = settings.tf32


def _keep_freed_memory() -> None:
    """Ask the C library not to give back what a step frees: the next step needs as much again.

    Pages that come back are filled with zeros first, at every step anew.
    """
    trim, large = -1, -3  # of glibc's mallopt: M_TRIM_THRESHOLD, M_MMAP_THRESHOLD
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(large, 2**30)
        library.mallopt(trim, 2**31 - 1)


def make_deterministic(threads: int) -> None:
    """Fix the number of threads and ask torch for algorithms that repeat themselves.

    On a CPU two runs with as many threads give the same bits. On CUDA the few operations without
    a deterministic form (backward of reflection padding and of average pooling) warn instead of
    stopping; docs/reliability.md says which models have them.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(max(1, threads))
    # As use_deterministic_algorithms(True, warn_only=True), but without importing the compiler.
    torch.set_deterministic_debug_mode("warn")
    # Nothing here reads memory that was not written: filling all of it first takes 4% of a step.
    deterministic.fill_uninitialized_memory = False
    torch.backends.cudnn.benchmark = False
