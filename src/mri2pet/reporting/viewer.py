"""Volumes of the report's viewer: scripts beside the page, which a browser loads without a server.

A browser reads no data of other files from a page that it opened from the disk, but it runs their
scripts. So each visit is a script that hands its volumes over, and is loaded when it is asked for.
"""

import base64
import gzip
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mri2pet.files import atomic
from mri2pet.reporting.captions import NAMES

MOST = 40  # visits of a system; each takes about a megabyte
LEVELS = 255  # of the intensities 0..1


def viewers(folders: Iterable[str | Path]) -> dict[str, str]:
    """Return system to its name, of folders that `write_viewer` made."""
    return {Path(folder).name: NAMES[Path(folder).name] for folder in folders}


def packed(volume: NDArray) -> str:
    """Return whole numbers 0 to 255 (X, Y, Z) as compressed text, x the fastest."""
    content = np.asarray(volume, dtype=np.uint8).tobytes(order="F")
    return base64.b64encode(gzip.compress(content, 5, mtime=0)).decode()


def levels(volume: NDArray, mask: NDArray) -> NDArray:
    """Bring intensities 0..1 inside a mask to whole numbers 0 to `LEVELS`; 0 outside."""
    inside = np.where(mask, np.nan_to_num(volume.astype(np.float32)), 0)
    return np.round(LEVELS * np.clip(inside, 0, 1)).astype(np.uint8)


def held_out(tables: Mapping[str, Sequence[tuple[str, pd.DataFrame]]]) -> pd.DataFrame:
    """List where the PET of people held out lies.

    Parameters
    ----------
    tables
        Model to (array, table of its rows) of each fold; the latter tells index subject visit
        group role.

    Returns
    -------
    DataFrame
        A row a visit that was held out and model: index subject visit group model array row.
    """
    parts = []
    for model, folds in tables.items():
        for array, visits in folds:
            told = visits.reset_index(drop=True).assign(model=model, array=array)
            told["row"] = np.arange(len(told))
            parts.append(told[told["role"] == "test"])
    names = ["index", "subject", "visit", "group", "model", "array", "row"]
    return pd.concat(parts, ignore_index=True)[names]


def chosen(listed: pd.DataFrame, most: int = MOST) -> list[tuple[str, str]]:
    """Choose visits, (subject, visit): all, or as many as may be, evenly through their order."""
    keys = sorted(set(zip(listed["subject"], listed["visit"], strict=True)))
    if len(keys) <= most:
        return keys
    return [keys[place] for place in np.linspace(0, len(keys) - 1, most).round().astype(int)]


def write_viewer(
    folder: str | Path,
    system: str,
    listed: pd.DataFrame,
    arrays: Mapping[str, str | Path],
    labels: Mapping[str, str],
    names: Mapping[int, str],
    affine: NDArray,
) -> None:
    """Write a system's scripts: `index.js`, and one a visit.

    Parameters
    ----------
    folder
        Made; its files are written whole or not at all.
    system
        Name by which the page asks for them.
    listed
        As `held_out` makes it.
    arrays
        `mri`, `pet` (M, X, Y, Z), 0..1; `mask`, `atlas` (X, Y, Z): files of the dataset.
    labels
        Model to label.
    names
        Label of the atlas to the name of the region.
    affine
        4x4, voxel to world in mm.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mri, real, mask, atlas = (
        np.load(arrays[name], mmap_mode="r") for name in ("mri", "pet", "mask", "atlas")
    )
    mask = np.asarray(mask, dtype=bool)
    visits = []
    for subject, visit in chosen(listed):
        own = listed[(listed["subject"] == subject) & (listed["visit"] == visit)]
        first = own.iloc[0]
        volumes = {"mri": mri[first["index"]], "real": real[first["index"]]}
        for row in own.itertuples(index=False):
            volumes[row.model] = np.load(row.array, mmap_mode="r")[row.row]
        key = re.sub(r"\W", "", f"{subject}_{visit}")
        script = {name: packed(levels(volume, mask)) for name, volume in volumes.items()}
        _write(folder / f"{key}.js", "volumes", f"{system}/{key}", script)
        visits.append([key, f"{subject} {visit}, {first['group']}"])
    index = {
        "shape": list(mask.shape),
        "affine": np.asarray(affine, dtype=float).tolist(),
        "atlas": packed(np.where(np.asarray(atlas) < LEVELS, atlas, 0)),
        "regions": {str(label): name for label, name in names.items()},
        "models": [[name, labels.get(name, name)] for name in dict.fromkeys(listed["model"])],
        "visits": visits,
        "all": len(set(zip(listed["subject"], listed["visit"], strict=True))),
    }
    _write(folder / "index.js", "index", system, index)


def _write(path: Path, what: str, key: str, content: Mapping[str, object]) -> None:
    text = json.dumps(content, separators=(",", ":"))
    with atomic(path) as beside:
        beside.write_text(f"mri2petViewer.{what}({json.dumps(key)},{text});\n", encoding="utf-8")
