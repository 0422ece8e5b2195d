"""How many numbers a trained model has learnt."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mri2pet.models.registry import build

if TYPE_CHECKING:
    from torch import Tensor


def count_parameters(config: Mapping[str, Any], state: "Mapping[str, Tensor]") -> int:
    """Count the parameters in a generator's state dict.

    Parameters
    ----------
    config
        Of the generator, as for `registry.build`: it tells what is learnt from what is kept beside
        (running statistics, signs, masks).
    state
        Its state dict, as a training leaves it.

    Returns
    -------
    Numbers in all parameters; of a model without any by name, whose state is what it has
    estimated, all that are not whole numbers.
    """
    learnt = [name for name, _ in build(config).named_parameters() if name in state]
    if not learnt:
        learnt = [name for name, value in state.items() if value.is_floating_point()]
    return sum(state[name].numel() for name in learnt)
