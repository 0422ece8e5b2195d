"""A bundle of a flow draws as widely as the people held out of its training asked for."""

import bundle_fakes
import numpy as np
import pandas as pd
import pytest
import torch

from mri2pet.bundles import load_bundle
from mri2pet.bundles.make import _calibration
from mri2pet.bundles.manifest import write_manifest
from mri2pet.bundles.weights import save_arrays, save_weights
from mri2pet.files import write_tsv
from mri2pet.models.registry import build

SHAPE = (8, 8, 8)
FLOW = {"name": "dual_glow", "depth": [1, 1], "width": [4, 4], "relation": {"width": 4}}


def flow_bundle(folder, temperatures):
    """Write a bundle of two untrained flows, the second with other temperatures."""
    folder.mkdir()
    entry = {"generator": FLOW | {"grid": list(SHAPE)}, "recipe": "dual_glow"}
    mask = np.zeros(SHAPE, bool)
    mask[1:7, 1:7, 1:7] = True
    save_arrays(folder / "grid.safetensors", {"mask": mask})
    folds = []
    for fold, own in enumerate(temperatures):
        torch.manual_seed(0)
        network = build(entry["generator"])
        network.initialise(torch.rand(4, 1, *SHAPE), torch.rand(4, 1, *SHAPE))
        save_weights(folder / f"fold-{fold}.safetensors", network.state_dict())
        folds.append({"weights": f"fold-{fold}.safetensors", "smoothing_fwhm_mm": 0})
        folds[-1] |= {} if own is None else {"temperatures": own}
    space = {"affine": np.eye(4).tolist(), "shape": list(SHAPE), "intensity": "uptake"}
    content = bundle_fakes.about(entry=entry) | {"folds": folds, "templates": {}}
    content |= {"trained_on": {"people": 4}, "like": {}, "calibration": []}
    content["draws"] = {"draws": 40, "temperature": 1.0, "seed": 1}
    content["space"] |= space
    write_manifest(folder, content)
    return load_bundle(folder)


def test_each_generator_has_the_temperatures_of_its_fold(tmp_path):
    mri = np.random.default_rng(0).random((1, *SHAPE), np.float32)
    plain = flow_bundle(tmp_path / "plain", [None, None]).draws(mri)
    wide = flow_bundle(tmp_path / "wide", [[1.0, 1.0], [2.0, 2.0]]).draws(mri)
    assert plain.shape == wide.shape == (40, *SHAPE)
    np.testing.assert_array_equal(wide[:20], plain[:20])
    inside = wide.std(axis=0) > 0
    sds = [draws[20:, inside].std(axis=0).mean() for draws in (plain, wide)]
    assert sds[1] > 1.15 * sds[0]


def test_calibration_is_of_the_intervals_in_use(tmp_path):
    rows = [
        {"subject": subject, "nominal": 0.9, "factor": factor, "chosen": chosen, "coverage": held}
        for subject, far in (("s0", 0.0), ("s1", 0.04))
        for factor, chosen, held in ((0.5, 0, 0.4), (1.0, 1, 0.86 + far), (2.0, 0, 1.0))
    ]
    write_tsv(tmp_path / "coverage.tsv", pd.DataFrame(rows))
    [found] = _calibration([tmp_path / "coverage.tsv"])
    assert found == {"nominal": 0.9, "coverage": pytest.approx(0.88)}
