"""The configuration's block `interpretation`: checked, and left out at will."""

import re
import subprocess
import sys

import pytest
import yaml

from mri2pet.config.check import check_config
from mri2pet.errors import InputError

RULES = {
    "dissection": {
        "dissect",
        "dissection_table",
        "dissection_composites",
        "figure_dissection",
    },
    "interpolation": {"interpolate", "interpolation_table", "figure_interpolation"},
}


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ({"model": "nobody"}, r"interpretation\.model: there is no model 'nobody'"),
        ({"model": "gla_gan", "disection": {}}, "did you mean 'dissection'"),
        ({"model": "gla_gan", "dissection": {"top": 0.7, "rows": 6}}, r"dissection\.top"),
        ({"model": "gla_gan", "interpolation": {"steps": 2}}, r"interpolation\.steps"),
        ({"dissection": {"top": "region", "rows": 6}}, "'model' is a required property"),
    ],
)
def test_what_cannot_be_run_is_named(config, root, block, message):
    config["gla_gan"]["interpretation"] = block
    with pytest.raises(InputError, match=message):
        check_config(config, root / "workflow/schemas/config.schema.yaml")


def test_a_part_that_is_left_out_is_not_run(config, root, tmp_path):
    del config["gla_gan"]["interpretation"]["dissection"]
    listed = dry_run(config, root, tmp_path)
    assert RULES["interpolation"] <= listed
    assert not RULES["dissection"] & listed


def test_without_the_block_nothing_of_it_is_run(config, root, tmp_path):
    del config["gla_gan"]["interpretation"]
    listed = dry_run(config, root, tmp_path)
    assert {"report_page", "train"} <= listed
    assert not set.union(*RULES.values()) & listed


def dry_run(config, root, folder):
    """Return the names of the rules that a first run of one model would use for the report."""
    config["gla_gan"]["models"] = {"gla_gan": config["gla_gan"]["models"]["gla_gan"]}
    config["gla_gan"].pop("ablations", None)
    config["gla_gan"]["diagnosis"] |= {"three_way": [], "cross_fitted": []}
    (folder / "config").mkdir()
    (folder / "resources").symlink_to(root / "resources")
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", "--cores", "1"]
    command += ["--snakefile", str(root / "Snakefile"), "--directory", str(folder)]
    done = subprocess.run(
        [*command, "results/report/report.html"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return set(re.findall(r"^(\w+)\s+\d+$", done.stdout + done.stderr, re.M))
