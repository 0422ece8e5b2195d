"""What a bundle makes of one preprocessed person: PET in two spaces, spread, regions, remarks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd

from mri2pet.bundles.bundle import Bundle, Person
from mri2pet.bundles.placed import on_t1
from mri2pet.bundles.unlike import remarks, unlikeness
from mri2pet.diagnosis.features import regional_means
from mri2pet.files import write_tsv
from mri2pet.imaging.qcplots import draw
from mri2pet.imaging.volume import (
    Array,
    Volume,
    array,
    load_scan,
    save_volume,
)
from mri2pet.imaging.warp import Warp

REGION_COLUMNS = ("region", "name", "uptake", "spread", "controls_mean", "controls_sd", "z")


@dataclass(frozen=True)
class Applied:
    """A person's synthetic PET.

    Attributes
    ----------
    mean, spread
        In MNI152 on the grid of the networks: mean over the generators, and their standard
        deviation (zero of a single one). Uptake, 0 to 1.
    regions
        Columns `REGION_COLUMNS`, a row a region.
    unlike
        What `unlike.unlikeness` says of the MRI.
    remarks
        What of it is beyond a limit, in words.
    draws
        (n, X, Y, Z) PETs drawn by a model that can; None for one that cannot.
    """

    mean: Volume
    spread: Volume
    regions: pd.DataFrame
    unlike: Mapping[str, float]
    remarks: Sequence[str]
    draws: Array | None = None


def apply_bundle(
    bundle: Bundle,
    maps: Sequence[Array],
    person: Person,
    measures: Mapping[str, float | None],
    limits: Mapping[str, float],
) -> Applied:
    """Make a person's PET and what there is to say of it.

    Parameters
    ----------
    bundle
        The model.
    maps
        As for `Bundle.volumes`.
    person
        `age`, `sex`, `group`, as far as they are known.
    measures
        Of the MRI's quality control.
    limits
        The block `apply.limits`.
    """
    volumes = bundle.volumes(maps, person)
    mean = volumes.mean(axis=0)
    spread = volumes.std(axis=0, ddof=1) if len(volumes) > 1 else np.zeros_like(mean)
    told, ages = bundle.about["like"], bundle.about["trained_on"]["age_years"]
    age = person.get("age")
    age = None if age is None or pd.isna(age) else float(age)
    unlike = unlikeness(told, ages, maps[0], bundle.mask, measures, age) if told else {}
    return Applied(
        mean=Volume(mean, bundle.affine),
        spread=Volume(spread, bundle.affine),
        regions=regional_uptake(bundle, volumes),
        unlike=unlike,
        remarks=remarks(unlike, limits),
        draws=bundle.draws(maps, person),
    )


def regional_uptake(bundle: Bundle, volumes: Array) -> pd.DataFrame:
    """Compare the uptake of regions with that of the training's controls.

    Parameters
    ----------
    bundle
        The model.
    volumes
        (folds, X, Y, Z), as `Bundle.volumes` makes them.

    Returns
    -------
    DataFrame
        Columns `REGION_COLUMNS`. Controls are those of `people.control_uptake`: synthetic PET, of
        people held out. A region without an uptake, or without two controls, has no z.
    """
    controls = bundle.controls
    inside = np.where(bundle.mask, bundle.atlas, 0)
    uptake = np.stack([regional_means(v, bundle.mask, inside, len(controls)) for v in volumes])
    mean, sd = controls["mean"].to_numpy(float), controls["sd"].to_numpy(float)
    z = np.full(len(controls), np.nan)
    np.divide(uptake.mean(axis=0) - mean, sd, out=z, where=sd > 0)
    spread = uptake.std(axis=0, ddof=1) if len(uptake) > 1 else np.zeros(len(controls))
    values = controls["region"], controls["name"], uptake.mean(axis=0), spread, mean, sd, z
    return pd.DataFrame(dict(zip(REGION_COLUMNS, values, strict=True)))


def save_applied(
    found: Applied,
    t1w: str | Path,
    to_template: Array,
    warp: Warp | None,
    made: Mapping[str, str | Path],
) -> dict[str, Any]:
    """Carry a person's PET onto the T1, and write volumes, pictures and the table of regions.

    Parameters
    ----------
    found
        As `apply_bundle` gives it.
    t1w
        The person's T1 in BIDS, as it came from the scanner.
    to_template
        4x4, points of the T1's world to MNI152 by all affine steps, mm.
    warp
        Of a nonlinear space; None for an affine one.
    made
        Paths: `mean`, `spread`, `draws` (of a model that draws) in MNI152, `mean_t1`, `spread_t1`
        on the grid of the T1, `picture`, `heat`, `regions`.

    Returns
    -------
    dict
        What a sidecar says of it: the numbers that compare the MRI with the training's, and what
        of them is remarkable.
    """
    raw = nib.load(t1w)
    both = [found.mean, found.spread]
    back, spread = on_t1(both, to_template, warp, raw.affine, raw.shape)
    save_volume(made["mean"], found.mean)
    save_volume(made["spread"], found.spread)
    save_volume(made["mean_t1"], back)
    save_volume(made["spread_t1"], spread)
    if found.draws is not None:
        save_volume(made["draws"], Volume(np.moveaxis(found.draws, 0, -1), found.mean.affine))
    head, back = load_scan(t1w), nib.as_closest_canonical(back)
    draw(made["picture"], head, "T1 and the outline of its synthetic PET", [array(back) > 0])
    draw(made["heat"], back, "Synthetic PET on the grid of the T1", ceiling=1.0, cmap="heat")
    write_tsv(made["regions"], found.regions)
    numbers = {name: round(float(value), 3) for name, value in found.unlike.items()}
    return {"Unlike": numbers, "Remarks": list(found.remarks)}
