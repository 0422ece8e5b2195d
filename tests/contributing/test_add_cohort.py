"""A cohort is added by CONTRIBUTING's list: its reader, and one line."""

import numpy as np
import pandas as pd
from heads import write as write_head

READER = '''"""Toy downloads: one table, and two files a person."""

from pathlib import Path

import pandas as pd

from mri2pet.cohorts.contract import COLUMNS, EXCLUSION_COLUMNS

LOOKED_FOR = "a toy download: toy.csv, and <person>_t1.nii.gz, <person>_fdg.nii.gz"


def recognise(raw):
    """Say by what a folder is one."""
    return "the file toy.csv" if (Path(raw) / "toy.csv").is_file() else None


def list_inputs(raw, study):
    """List its table and its scans."""
    names = sorted(path.name for path in Path(raw).glob("*.nii.gz"))
    return {"tables": [f"{raw}/toy.csv"], "listing": names}


def read(raw, study, listing):
    """Make the cohort table and the exclusions."""
    rows, left = [], []
    for person in pd.read_csv(Path(raw) / "toy.csv", dtype=str).to_dict("records"):
        name = person["name"]
        mri, pet = (f"{name}_{kind}.nii.gz" for kind in ("t1", "fdg"))
        if mri not in listing:
            left.append((name, "bl", None, "MRI", "cohort", f"no {mri}"))
            continue
        paired = pet in listing
        row = dict.fromkeys(COLUMNS) | {"subject": name, "visit": "bl", "group": person["dx"]}
        row |= {"kind": "paired" if paired else "mri_only", "mri_file": f"{raw}/{mri}"}
        rows.append(row | ({"tracer": "18FFDG", "pet_file": f"{raw}/{pet}"} if paired else {}))
    return pd.DataFrame(rows), pd.DataFrame(left, columns=list(EXCLUSION_COLUMNS))
'''


def test_a_cohort_is_its_file_and_one_line(copy, tmp_path):
    copy.write("src/mri2pet/cohorts/toy.py", READER)
    copy.insert("src/mri2pet/cohorts/__init__.py", "READERS = {", '    "toy": "toy",\n')
    copy.held_by("cohort")

    raw = tmp_path / "raw"
    raw.mkdir()
    names = [f"A{number}" for number in range(1, 7)]
    people = pd.DataFrame({"name": names, "dx": ["CN", "AD"] * 3})
    people.to_csv(raw / "toy.csv", index=False)
    scans = [f"{name}_{scan}" for name in names[:4] for scan in ("t1", "fdg")]
    for name in [*scans, "A5_t1"]:
        write_head(raw / f"{name}.nii.gz")
    given = ["--config", f"raw={raw}", "systems=[gla_gan]", "folds={n: 2}"]
    image = "results/bids/sub-A1/ses-bl/anat/sub-A1_ses-bl_T1w.nii.gz"
    said = copy.snakemake(image, *given)
    assert f"Study dementia: {raw} is read as toy (the file toy.csv)." in said
    assert (copy.folder / image).stat().st_size > 1000
    table = pd.read_csv(copy.folder / "results/cohort/dementia.tsv", sep="\t")
    assert table["kind"].tolist() == [*["paired"] * 4, "mri_only"]
    left = pd.read_csv(copy.folder / "results/cohort/dementia_exclusions.tsv", sep="\t")
    assert left["reason"].tolist() == ["no A6_t1.nii.gz"]
    listing = copy.snakemake("-n", *given)  # the rest of the run goes on from its visits
    assert "sub-A5/ses-bl/anat" in listing
    assert listing.count("\nrule convert_pet:") + listing.count("    rule convert_pet:") == 4
    assert np.isfinite(table["group"].map({"CN": 0, "AD": 1})).all()
