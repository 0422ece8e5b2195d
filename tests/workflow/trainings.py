"""A folder with a packed dataset, in which the workflow trains: no imaging is run."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from fakes import make_run
from mri2pet.files import read_tsv, write_tsv

EPOCHS = 25
COHORT = "results/cohort/dementia.tsv"
WEIGHTS = "results/gla_gan/models/unet/fold-0/generator.pt"
LOG = "logs/train/gla_gan/unet_fold-0.log"
SETTINGS = f"""\
systems: [gla_gan]
studies: {{dementia: {{raw: raw, groups: [CN, AD]}}}}
gla_gan:
  models:
    unet:
      generator: {{filters: [4, 4, 4]}}
      training: {{epochs: {EPOCHS}}}
  diagnosis: {{three_way: []}}
"""


class Training:
    """A folder with a packed dataset, in which one model is trained."""

    def __init__(self, folder: Path, root: Path):
        self.folder, self.root = folder, root

    def start(self, *arguments: str) -> subprocess.Popen:
        """Call snakemake, for the weights if nothing else is asked for."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", self.root / "Snakefile"]
        command += ["--directory", self.folder, "--cores", "1", *(arguments or [WEIGHTS])]
        command += ["--configfile", self.folder / "settings.yaml"]
        with open(self.folder / "said.log", "w") as said:
            return subprocess.Popen(
                list(map(str, command)), stdout=said, stderr=said, start_new_session=True
            )

    def call(self, *arguments: str) -> tuple[int, str]:
        """Do the same and wait; return the exit code and what was said."""
        code = self.start(*arguments).wait(timeout=300)
        return code, (self.folder / "said.log").read_text()

    def until_epoch(self, epoch: int, call: subprocess.Popen) -> None:
        """Wait until an epoch is over."""
        log = self.folder / LOG
        for _ in range(3000):
            if log.is_file() and f"epoch {epoch} of" in log.read_text():
                return
            assert call.poll() is None, (self.folder / "said.log").read_text()[-3000:]
            time.sleep(0.02)
        pytest.fail("the training does not come on")

    def weights(self) -> dict[str, torch.Tensor]:
        """Read the weights."""
        return torch.load(self.folder / WEIGHTS, weights_only=True)


def raw_dataset(folder):
    """Write a BIDS dataset with the people of the cohort table, and name its scans in the table."""
    path = folder / COHORT
    cohort = read_tsv(path, dtype=str)
    for number, row in cohort.iterrows():
        stem = f"sub-{row['subject']}_ses-{row['visit']}"
        for kind, scan in (("mri", "anat/{}_T1w"), ("pet", "pet/{}_trc-18FFDG_pet")):
            if kind == "pet" and row["kind"] != "paired":
                continue
            name = f"raw/sub-{row['subject']}/ses-{row['visit']}/{scan.format(stem)}.nii.gz"
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"not looked at")
            cohort.loc[number, f"{kind}_file"] = name
            cohort.loc[number, f"{kind}_member"] = None
    people = cohort[["subject", "group"]].drop_duplicates("subject")
    people = people.assign(subject="sub-" + people["subject"])
    write_tsv(folder / "raw/participants.tsv", people.rename(columns={"subject": "participant_id"}))
    write_tsv(path, cohort)
    write_tsv(path.with_name("dementia_exclusions.tsv"), cohort.iloc[:0])


def make_training(folder: Path, root: Path) -> Training:
    make_run(folder, size=24)
    raw_dataset(folder)
    for path in (folder / "results/datasets").rglob("*"):
        os.utime(path)  # as if packed from that cohort
    for part in ("results/gla_gan", "resources"):
        shutil.rmtree(folder / part)
    for part in ("config", "resources"):
        (folder / part).symlink_to(root / part)
    (folder / "settings.yaml").write_text(SETTINGS)
    return Training(folder, root)
