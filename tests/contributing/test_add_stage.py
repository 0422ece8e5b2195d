"""A stage of a visit is added by CONTRIBUTING's list: a function, a script, a rule."""

import json

import nibabel as nib
import numpy as np
import pytest

FUNCTION = '''"""A stage of one's own."""

import numpy as np

from mri2pet.errors import ScanError
from mri2pet.imaging.volume import Volume, array, like


def halve(volume: Volume) -> Volume:
    """Halve the intensities; a scan without any cannot be used."""
    if not array(volume).any():
        raise ScanError("there is nothing in the scan")
    return like(volume, array(volume) * np.float32(0.5))
'''
SCRIPT = '''"""Halve the intensities of the T1; writes the volume."""

from mri2pet.exclusion import run_stage
from mri2pet.imaging.toy_halve import halve
from mri2pet.imaging.volume import load_volume, save_volume
from mri2pet.provenance.record import recorded

source, made = snakemake.input, snakemake.output


def work():
    save_volume(made.image, halve(load_volume(source.image)))
    return {"SkullStripped": False}


with recorded(snakemake):
    run_stage(
        "toy_halve",
        work,
        sidecar=made.sidecar,
        outputs=[made.image],
        sources=[source.image],
        upstream=[source.sidecar],
    )
'''
RULE = """

rule toy_halve:
    input:
        image=rules.n4.output.image,
        sidecar=rules.n4.output.sidecar,
    output:
        image=f"{ANAT}_desc-halved_T1w.nii.gz",
        sidecar=f"{ANAT}_desc-halved_T1w.json",
    log:
        f"logs/toy_halve/{NAME}.log",
    group:
        "visit"
    conda:
        "../../../envs/imaging.yaml"
    resources:
        mem_mb=more(1000),
        runtime=more(10),
    params:
        code=code("toy_halve.py"),
    script:
        "../../scripts/toy_halve.py"
"""
SCANS = {"A1": 3, "A2": 0, "A3": None}  # a good one, one that is empty, one left out before


def of(subject, desc):
    return f"results/preproc/sub-{subject}/ses-bl/anat/sub-{subject}_ses-bl_desc-{desc}_T1w"


@pytest.fixture
def added(copy):
    copy.write("src/mri2pet/imaging/toy_halve.py", FUNCTION)
    copy.write("workflow/scripts/toy_halve.py", SCRIPT)
    rules = copy.root / "workflow/rules/visit/preproc.smk"
    rules.write_text(rules.read_text() + RULE)
    for subject, value in SCANS.items():
        image = copy.folder / f"{of(subject, 'n4')}.nii.gz"
        image.parent.mkdir(parents=True)
        excluded = {"Excluded": {"stage": "acpc", "reason": "cut off"}} if value is None else {}
        image.with_name(image.name.replace(".nii.gz", ".json")).write_text(json.dumps(excluded))
        image.touch()
        if value is not None:
            data = np.full((8, 8, 8), value, np.float32)
            nib.save(nib.Nifti1Image(data, np.eye(4)), image)
    return copy


def test_a_stage_is_a_function_a_script_and_a_rule(added):
    added.held_by("stage")
    alone = ["--config", "systems=[gla_gan]", "--allowed-rules", "toy_halve", "--"]
    targets = [f"{of(subject, 'halved')}.nii.gz" for subject in SCANS]
    added.snakemake(*alone, *targets)

    halved = nib.load(added.folder / targets[0]).get_fdata()
    assert np.all(halved == 1.5)
    reasons = {}
    for subject, target in zip(SCANS, targets, strict=True):
        sidecar = json.loads((added.folder / f"{of(subject, 'halved')}.json").read_text())
        assert sidecar["GeneratedBy"][0]["Stage"] == "toy_halve"
        reasons[subject] = sidecar.get("Excluded", {}).get("reason")
        assert bool((added.folder / target).stat().st_size) == (reasons[subject] is None)
        record = target.replace("results/", "results/provenance/") + ".json"
        assert json.loads((added.folder / record).read_text())["rule"] == "toy_halve"
    assert reasons == {"A1": None, "A2": "there is nothing in the scan", "A3": "cut off"}

    dry = ["-n", *alone, *targets]
    added.replace("src/mri2pet/imaging/toy_halve.py", "Halve the intensities;", "Divide by 2;")
    assert "Nothing to be done" in added.snakemake(*dry)
    added.replace("src/mri2pet/imaging/toy_halve.py", "float32(0.5)", "float32(0.25)")
    assert added.snakemake(*dry).count("rule toy_halve:") == len(SCANS)


def test_a_stage_follows_the_stages_before_it(added):
    target = f"{of('S1', 'halved')}.nii.gz"
    listing = added.snakemake("-n", "--config", "systems=[gla_gan]", "--", target)
    assert all(f"rule {rule}:" in listing for rule in ("toy_halve", "n4", "acpc"))
