"""DUAL-GLOW's configurations at paper size, and whose cases Figure 5 shows."""

import sys

import pytest
import yaml
from snakemake.utils import update_config

from mri2pet.config.dual_glow import example_groups
from mri2pet.config.systems import system_models


def laid_over(root, paper):
    config = yaml.safe_load((root / "config/config.yaml").read_text())
    if paper:
        update_config(config, yaml.safe_load((root / f"config/paper/{paper}.yaml").read_text()))
    return config


def test_the_reference_code_s_configuration_differs_in_its_depths_alone(root):
    printed, code = (laid_over(root, name) for name in ("dual_glow", "dual_glow_code"))
    for name in ("dual_glow", "dual_glow_side"):
        generators = [each["dual_glow"]["models"][name]["generator"] for each in (printed, code)]
        assert [each.pop("depth") for each in generators] == [[16] * 4, [1, 4, 8, 4]]
    assert code == printed


@pytest.mark.parametrize(("paper", "millions"), [("dual_glow", 526.4), ("dual_glow_code", 175.0)])
def test_parameters_are_as_the_docs_say(root, paper, millions, monkeypatch):
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    import dual_glow_size

    network = dual_glow_size.network(False, paper)
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.05)
    sys.modules.pop("dual_glow_size")
    assert f"{millions:.0f} million" in (root / "docs/reproduction.md").read_text()


@pytest.mark.parametrize("paper", [None, "dual_glow", "dual_glow_code"])
def test_side_information_interacts_in_every_configuration_that_ships(root, paper):
    generator = system_models(laid_over(root, paper), "dual_glow")["dual_glow_side"]["generator"]
    assert generator["side"]["products"] > 0
    assert generator["relation"]["side_channels"]


@pytest.mark.parametrize(
    ("groups", "positive", "negative", "shown"),
    [
        (["CN", "SMC", "EMCI", "MCI", "LMCI", "AD"], ["MCI", "LMCI", "AD"], ["CN", "SMC"],
         ["AD", "MCI", "CN"]),
        (["CN", "MCI", "AD"], ["MCI", "LMCI", "AD"], ["CN", "SMC", "EMCI"], ["AD", "MCI", "CN"]),
        (["CN", "AD"], ["AD", "MCI"], ["CN"], ["AD", "CN"]),
        (["CN", "MCI"], ["MCI"], ["CN"], ["MCI", "CN"]),
    ],
)  # fmt: skip
def test_figure_5_shows_the_groups_of_the_paper(root, groups, positive, negative, shown):
    config = laid_over(root, None)
    config["studies"]["dementia"]["groups"] = groups
    config["dual_glow"]["diagnosis"] |= {"positive": positive, "negative": negative}
    assert example_groups(config) == shown
