"""The BIDS datasets of a run: what describes each, and how a file of one is named in a sidecar."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any

from mri2pet import __version__

BIDS_VERSION = "1.10.0"
GENERATED_BY = [{"Name": "mri2pet", "Version": __version__}]
COHORT, PREPROC = "results/bids", "results/preproc"
_CONVERTED = {  # what a stage writes to the cohort's dataset
    "convert_mri": ("anat/{}_T1w.*",),
    "convert_pet": ("pet/{}_trc-*_pet.*",),
    "convert_ixi": ("anat/{}_T2w.*", "anat/{}_PDw.*"),
}
DATASETS = {"cohort": COHORT, "preproc": PREPROC}  # by the names that BIDS URIs have for them


def derivative_description(name: str, folder: str | Path) -> dict[str, Any]:
    """Return the `dataset_description.json` of a folder of derivatives of this run.

    Parameters
    ----------
    name
        What the dataset is called.
    folder
        Where it lies, from the run's folder. The datasets that it is made from are given relative
        to it, so that results can be moved as a whole.
    """
    links = {
        key: Path(os.path.relpath(path, folder)).as_posix()
        for key, path in DATASETS.items()
        if Path(path) != Path(folder)
    }
    return derivative_of(name, links)


def derivative_of(name: str, links: Mapping[str, str]) -> dict[str, Any]:
    """Return the `dataset_description.json` of derivatives of other datasets.

    Parameters
    ----------
    name
        What the dataset is called.
    links
        Where each source dataset lies, from the folder of this one, by the name that BIDS URIs
        have for it.
    """
    return {
        "Name": name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": GENERATED_BY,
        "SourceDatasets": [{"URL": url} for url in links.values()],
        "DatasetLinks": dict(links),
    }


def source_uris(paths: Iterable[str | Path], sidecar: str | Path) -> list[str]:
    """Return how a sidecar names the files that its own was made from.

    Parameters
    ----------
    paths
        Files, absolute or from the run's folder.
    sidecar
        The JSON that names them.

    Returns
    -------
    list of str
        BIDS URIs of files in a dataset of the run (`bids::` within the sidecar's own), paths from
        the run's folder of others in it, and the bare names of files elsewhere: where a run or its
        resources lie concerns nobody.
    """
    own = _dataset(_from_run(sidecar))[0]
    named = []
    for path in map(_from_run, paths):
        dataset, rest = _dataset(path)
        if dataset is not None:
            named.append(f"bids:{'' if dataset == own else dataset}:{rest}")
        else:
            named.append(path.name if path.is_absolute() else path.as_posix())
    return named


def ignored_files(excluded: Iterable[Mapping[str, str]]) -> list[str]:
    """Return the lines of the cohort's `.bidsignore`: scans that could not be converted.

    Their images are empty files, which no dataset may hold.

    Parameters
    ----------
    excluded
        Rows of the table of excluded scans: `subject`, `visit`, `stage`.
    """
    found = set()
    for row in excluded:
        for ending in _CONVERTED.get(row["stage"], ()):
            folder = f"sub-{row['subject']}/ses-{row['visit']}"
            found.add(f"{folder}/{ending.format(folder.replace('/', '_'))}")
    return sorted(found)


def _from_run(path: str | Path) -> PurePath:
    """Return a path from the run's folder, where it lies in it; else an absolute one."""
    folder = Path.cwd()
    whole = PurePath(os.path.normpath(folder / path))  # links stay: results may be one
    return whole.relative_to(folder) if whole.is_relative_to(folder) else whole


def _dataset(path: PurePath) -> tuple[str | None, str]:
    """Return the dataset that holds a file, and the file's path in it."""
    for name, folder in DATASETS.items():
        if path.is_relative_to(folder):
            return name, path.relative_to(folder).as_posix()
    return None, ""
