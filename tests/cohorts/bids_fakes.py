"""Small BIDS folders, by what stands in them: empty images, JSON and tables."""

import json

from mri2pet.cohorts.bids.reader import list_inputs, read

FDG = {"TracerName": "FDG", "TracerRadionuclide": "F18"}


def bids(root, people, files, name="study"):
    """Make a BIDS folder.

    `people` are lines of participants.tsv (None for no such table); `files` are paths of empty
    images, or map a path to what it holds: a dict for JSON, a list of lines for a table.
    """
    root = root / name
    root.mkdir(exist_ok=True)
    contents = dict.fromkeys(files) if not isinstance(files, dict) else dict(files)
    if people is not None:
        contents["participants.tsv"] = people
    for path, content in contents.items():
        path = root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, dict):
            path.write_text(json.dumps(content))
        elif isinstance(content, list):
            path.write_text("\n".join(content) + "\n")
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.touch()
    return root


def scan(subject, session=None, suffix="T1w", entities="", ending=".nii.gz"):
    """Return the path of a scan as BIDS names it."""
    folder, stem = f"sub-{subject}", f"sub-{subject}"
    if session is not None:
        folder, stem = f"{folder}/ses-{session}", f"{stem}_ses-{session}"
    kind = "pet" if suffix == "pet" else "anat"
    return f"{folder}/{kind}/{stem}_{entities + '_' if entities else ''}{suffix}{ending}"


def table_of(root, **study):
    """Read a folder as the cohort job does."""
    block = {"name": "ds", "raw": str(root), **study}
    return read(root, block, list_inputs(root, block)["listing"])


def reasons_of(exclusions):
    """Reasons by subject."""
    return exclusions.groupby("subject")["reason"].apply(" | ".join).to_dict()
