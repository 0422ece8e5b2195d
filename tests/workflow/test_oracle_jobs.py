"""The best PET is known of simulated people alone, and only they have its rules and rows."""

import re

import pytest
from dry_runs import DryRuns

FDG = '{"TracerName": "FDG", "TracerRadionuclide": "F18"}'
PET_SYSTEMS = ["gla_gan", "dual_glow", "gan_anomaly"]
SPACES = {"gla_gan": "linear", "dual_glow": "nonlinear", "gan_anomaly": "anomaly"}
STUDIES = {"gla_gan": "dementia", "dual_glow": "dementia", "gan_anomaly": "epilepsy"}
GROUPS = {"dementia": ("CN", "MCI", "AD"), "epilepsy": ("control", "patient")}


class Workflow(DryRuns):
    """Calls of snakemake for one system."""

    def __init__(self, root, folder, system, raw):
        super().__init__(root, folder, "config/config.yaml")
        self.own = {"systems": [system], "studies": {STUDIES[system]: {"raw": str(raw)}}}

    def call(self, *arguments, changes=None):
        return super().call(*arguments, changes=changes or self.own)

    def rules(self):
        return set(re.findall(r"^\w+", self.snakemake("--list-rules"), re.M))


def bids_of(folder, groups):
    """A BIDS folder with four people a group, whose scans are empty files."""
    folder.mkdir()
    (folder / "dataset_description.json").write_text('{"Name": "n", "BIDSVersion": "1.10.0"}')
    lines = ["participant_id\tgroup\tage\tsex"]
    for number in range(4 * len(groups)):
        stem = f"sub-{number:02d}"
        lines.append(f"{stem}\t{groups[number % len(groups)]}\t70\tF")
        for kind, name in (("anat", "T1w"), ("pet", "trc-18FFDG_pet")):
            (folder / stem / kind).mkdir(parents=True)
            (folder / stem / kind / f"{stem}_{name}.nii.gz").touch()
        (folder / stem / "pet" / f"{stem}_trc-18FFDG_pet.json").write_text(FDG)
    (folder / "participants.tsv").write_text("\n".join(lines) + "\n")
    return folder


def adni_of(folder):
    """What a download of ADNI shows before its tables are read."""
    (folder / "011_S_0005").mkdir(parents=True)
    (folder / "ADNIMERGE.csv").touch()
    return folder


def oracles(rules):
    return {rule for rule in rules if "oracle" in rule}


@pytest.mark.parametrize("system", PET_SYSTEMS)
def test_simulated_people_have_its_rules(system, root, tmp_path):
    found = oracles(Workflow(root, tmp_path, system, "simulated").rules())
    assert {f"{system}_oracle", f"oracle_{SPACES[system]}", "describe_oracle"} <= found
    assert ("oracle_linear" in found) == (system != "gan_anomaly")


@pytest.mark.parametrize("system", PET_SYSTEMS)
def test_real_people_have_none_of_its_rules_and_rows(system, root, tmp_path):
    raw = bids_of(tmp_path / "raw", GROUPS[STUDIES[system]])
    run = Workflow(root, tmp_path, system, raw)
    assert not oracles(run.rules())
    run.snakemake(f"results/cohort/{STUDIES[system]}.tsv")
    said = run.snakemake("--dry-run")
    assert f"results/{system}/metrics/mean_pet/" in said
    assert not re.search(r"results/\S*oracle|^rule \w*oracle|^\w*oracle\w* +\d", said, re.M)


def test_a_download_of_adni_has_none_of_its_rules(root, tmp_path):
    assert not oracles(Workflow(root, tmp_path, "gla_gan", adni_of(tmp_path / "raw")).rules())
