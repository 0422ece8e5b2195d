"""Checkpoints from which training goes on as if it had never stopped."""

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.amp import GradScaler

from mri2pet.files import atomic
from mri2pet.machine_faults import check_machine
from mri2pet.models.native.library import processor
from mri2pet.training.recipe import Recipe

log = logging.getLogger(__name__)

History = list[dict[str, float]]
State = dict[str, Tensor]


def identify(**parts: Any) -> str:
    """Hash what a run is made of; a checkpoint of another hash is not taken up."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def state_digest(state: Mapping[str, Tensor]) -> str:
    """Hash weights by name."""
    hasher = hashlib.sha256()
    for name, value in sorted(state.items()):
        hasher.update(name.encode() + value.cpu().contiguous().numpy().tobytes())
    return hasher.hexdigest()


@cache
def kind_of_processor() -> str:
    """Name what sums are rounded by: the processor and, where there is one, the GPU.

    A processor of the same name may be let do less, by its host or by a variable: what torch makes
    use of is named, and a hash stands for all that the system tells.
    """
    told = processor()
    name = re.match(r"[^:]*?(?=\s+fpu\b|$)", told.strip())[0]
    mark = hashlib.sha256(told.encode()).hexdigest()[:8]
    words = [name[:60].strip(), torch.backends.cpu.get_cpu_capability(), mark]
    if torch.cuda.is_available():
        words.append(torch.cuda.get_device_name())
    return ", ".join(word for word in words if word)


def save_checkpoint(
    path: str | Path,
    identity: str,
    recipe: Recipe,
    scaler: GradScaler,
    history: History,
    best: State | None = None,
) -> None:
    """Write the state after the last epoch in `history`: whole, or not at all.

    `best` is the recipe's state after the best epoch, where one is chosen by validation.
    """
    content = {
        "identity": identity,
        "processor": kind_of_processor(),
        "recipe": recipe.state_dict(),
        "optimisers": {name: each.state_dict() for name, each in recipe.optimisers.items()},
        "scaler": scaler.state_dict(),
        "rng": torch.get_rng_state(),
        "cuda_rng": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "history": history,
        "best": best,
    }
    with atomic(path) as partial:
        torch.save(content, partial)


def load_checkpoint(
    path: str | Path, identity: str, recipe: Recipe, scaler: GradScaler
) -> tuple[History, State | None]:
    """Bring back the state of a checkpoint; return its history and the best epoch's state.

    A file that is missing, unreadable or of another run (settings, seed, fold or data) leaves
    everything as it is, says so in the log, and the history is empty.
    """
    content = _read(Path(path), identity)
    if content is None:
        return [], None
    recipe.load_state_dict(content["recipe"])
    for name, optimiser in recipe.optimisers.items():
        optimiser.load_state_dict(content["optimisers"][name])
    scaler.load_state_dict(content["scaler"])
    torch.set_rng_state(content["rng"].cpu())
    if content["cuda_rng"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([state.cpu() for state in content["cuda_rng"]])
    epoch, there, here = len(content["history"]), content.get("processor"), kind_of_processor()
    log.info("%s: going on after epoch %d", path, epoch)
    if there and there != here:
        log.warning(
            "%s: the epochs up to %d were computed by another kind of processor (%s; this is %s): "
            "the weights will not be those of a training that stays on one "
            "(docs/reliability.md)",
            *(path, epoch, there, here),
        )
    return content["history"], content["best"]


def _read(path: Path, identity: str) -> Mapping[str, Any] | None:
    if not path.is_file():
        return None
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises whatever the damage leads to
        check_machine(error, path)  # not to lose hours of training to a moment of the disk
        log.warning("%s cannot be read (%s): training starts anew", path, error)
        return None
    if not isinstance(content, dict) or content.get("identity") != identity:
        log.warning("%s is of other settings or data: training starts anew", path)
        return None
    return content
