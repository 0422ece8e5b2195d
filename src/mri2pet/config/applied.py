"""The configuration of `apply`: that of a bundle, laid over what the user typed."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mri2pet.config.systems import SYSTEMS
from mri2pet.errors import InputError

STUDY = "applied"  # the study of the people that a bundle is applied to
GENERATOR, DETECTOR = "generator", "detector"  # kinds of bundles
FOLDER = "results/applied"
LIMITS = {"measure_sd": 4.0, "histogram": 2.0, "age_years": 5.0}  # where the user names none
CALL = "snakemake --cores 2 apply --config bundle=DIR raw=DIR"


def check_applied(bundle: str, raw: str | None) -> None:
    """Check what is typed before anything is read.

    Raises
    ------
    InputError
        If `raw` is not there.
    """
    if not raw:
        raise InputError(f"raw: a bundle ({bundle}) is applied to a folder of MRIs; {CALL}")


def applied_name(bundle: Mapping[str, Any], raw: str, name: str = "") -> str:
    """Return the name of the folder of results in `FOLDER`.

    Parameters
    ----------
    bundle
        Its manifest.
    raw
        The folder of MRIs.
    name
        As the user wants it; empty for that of the folder and the model.

    Raises
    ------
    InputError
        If there is nothing in the name that a folder can be called by.
    """
    words = name or f"{Path(raw).resolve().name}-{bundle['system']}-{bundle['model']}"
    found = re.sub(r"[^A-Za-z0-9_.-]+", "_", words).strip("._-")
    if not found:
        raise InputError(f"apply.name: {words!r} cannot be the name of a folder; give another")
    return found


def applied_config(
    config: Mapping[str, Any], bundle: Mapping[str, Any], raw: str
) -> dict[str, Any]:
    """Make the configuration under which a bundle's MRIs are preprocessed as its training's were.

    Parameters
    ----------
    config
        As `check_config` lets it pass. Of it stay `apply` and `seed`.
    bundle
        The manifest.
    raw
        The folder of MRIs.

    Returns
    -------
    dict
        With one system, that of the bundle, and one study, `STUDY`.

    Raises
    ------
    InputError
        If it is no detector, and the model makes no PET of a T1.
    """
    system, space = bundle["system"], bundle["space"]
    detector = bundle.get("kind") == DETECTOR
    makes_pet = detector or bundle["target"] == "pet"
    if system not in SYSTEMS or not SYSTEMS[system].pet or not makes_pet:
        raise InputError(
            f"bundle: {bundle['label']} makes no PET of a T1; use it from Python (docs/bundles.md)"
        )
    if SYSTEMS[system].space != space["name"]:
        raise InputError(f"bundle: {system} works in another space than {space['name']} now")
    study = {"raw": raw, "mri_alone": True}
    if detector:  # PET is judged, whoever's it is
        study = {"raw": raw, "reader": "bids", "tracer": bundle["tracer"]}
    elif bundle.get("groups"):
        study["groups"] = list(bundle["groups"])
    block = {"study": STUDY, "models": {}, "crop": bundle.get("crop", 0), "ixi_controls": 0}
    block |= {"detector": {"further_controls": 0}}
    block |= {"folds": {"n": len(bundle["folds"])}, "validation": {}}
    block |= {key: space[key] for key in ("grid", "voxel_mm") if key in space}
    return {
        "seed": config["seed"],
        "apply": {"limits": LIMITS | config.get("apply", {}).get("limits", {})},
        "preproc": bundle["preproc"],
        "folds": {"n": len(bundle["folds"])},
        "studies": {STUDY: study},
        "systems": [system],
        system: block,
    }
