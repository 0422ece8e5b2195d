"""The studies of a run: whose raw scans lie where, in which form, and which groups they have."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mri2pet.errors import InputError

SIMULATED = "simulated"
AUTO = "auto"  # the reader is told by what lies in the folder
FORMS = {  # in which a simulated population can be written: a reader's name, the usual one first
    "dementia": ("adni", "bids"),
    "epilepsy": ("bids",),
    "ixi": ("ixi",),
}


@dataclass(frozen=True)
class Study:
    """One study as the workflow needs it.

    Attributes
    ----------
    name
        Its key in the block `studies`.
    raw
        The folder of raw scans, without a closing slash; that of the simulation for a simulated
        one.
    reader
        Who reads it: a name of `mri2pet.cohorts.READERS`; empty where the folder's content tells.
    simulated
        Whether its people are.
    groups
        Diagnostic groups that take part, from healthy to ill; empty where they play no part.
    settings
        Its block of the configuration, for its reader.
    pet_protocol
        What it states of all its PET, in BIDS's keys. A simulated study states that of its
        scanner in `simulation`: laid over by a real study, it must not speak for that one.
    """

    name: str
    raw: str
    reader: str
    simulated: bool
    groups: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    pet_protocol: Mapping[str, Any] = field(default_factory=dict)


def make_study(name: str, block: Mapping[str, Any]) -> Study:
    """Make a study of its block of the configuration.

    Raises
    ------
    InputError
        If it is simulated and nothing says how, or not in the form that is asked for.
    """
    simulated = block["raw"] == SIMULATED
    reader = block.get("reader", AUTO)
    raw = str(block["raw"]).rstrip("/") or "/"
    if simulated:
        if "simulation" not in block:
            raise InputError(
                f"studies.{name}.simulation: missing, and studies.{name}.raw is simulated"
            )
        forms = FORMS[block["simulation"]["population"]]
        reader = forms[0] if reader == AUTO else reader
        if reader not in forms:
            raise InputError(
                f"studies.{name}.reader: simulated people of the population "
                f"{block['simulation']['population']} can be written as {' or '.join(forms)}, not "
                f"as {reader}"
            )
        raw = f"results/simulated/{SIMULATED_FOLDERS.get(reader, name)}"
    return Study(
        name=name,
        raw=raw,
        reader="" if reader == AUTO else reader,
        simulated=simulated,
        groups=group_names(block.get("groups", ())),
        settings={key: value for key, value in block.items() if key not in _NOT_READ},
        pet_protocol=(block["simulation"] if simulated else block).get("pet_protocol", {}),
    )


_NOT_READ = ("simulation", "pet_protocol")
# Where simulated people are written who come in a download's own form.
SIMULATED_FOLDERS = {"adni": "ADNI", "ixi": "IXI"}


def group_names(groups: Sequence[str] | Mapping[str, str]) -> tuple[str, ...]:
    """Return the groups that a study's key `groups` asks for: a list, or a map of words to them."""
    if isinstance(groups, Mapping):
        groups = list(groups.values())
    return tuple(dict.fromkeys(groups))


def with_raw(config: Mapping[str, Any], systems: Sequence[str]) -> dict[str, Any]:
    """Lay the key `raw`, which a user types, over the studies of some systems.

    Parameters
    ----------
    config
        The whole configuration.
    systems
        Those whose studies `raw` means.

    Returns
    -------
    A copy of the configuration without `raw`; the configuration as it is if there is none.
    """
    if "raw" not in config:
        return dict(config)
    laid = copy.deepcopy(dict(config))
    raw = laid.pop("raw")
    for system in systems:
        study = (laid.get(system) or {}).get("study")
        if study in laid.get("studies", {}):
            laid["studies"][study]["raw"] = raw
    return laid
