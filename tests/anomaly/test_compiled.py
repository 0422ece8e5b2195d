"""The compiled one-class SVMs: what they take, sizes, and what happens without them."""

import numpy as np
import pytest
import torch
from svm_fakes import assert_same, features

from mri2pet.anomaly import compiled
from mri2pet.anomaly.ocsvm import fit_score
from mri2pet.models.native import library

pytestmark = pytest.mark.skipif(
    not compiled.fits(torch.device("cpu"), torch.float32), reason="no compiled kernels"
)


@pytest.mark.parametrize("device, dtype", [("cpu", "float64"), ("meta", "float32")])
def test_what_the_kernel_does_not_take(device, dtype):
    assert compiled.fits(torch.device("cpu"), torch.float32)
    assert not compiled.fits(torch.device(device), getattr(torch, dtype))


@pytest.mark.parametrize("samples", [1, 15, 16, 17, 75, 81, 97])
@pytest.mark.parametrize("patients", [1, 4, 5])
def test_sizes_about_a_vectors(samples, patients):
    controls, more = features(6, samples + 4, decay=1.5, width=7)
    both = np.concatenate([controls, more], 1)
    first, last = both[:, :samples].copy(), both[:, samples : samples + patients].copy()
    assert_same(first, last, 0.3)


def test_without_a_compiler_torch_does_the_work(monkeypatch):
    controls, patients = features(20, 40)
    fast = fit_score(controls, patients, nu=0.2).patients
    asked = []
    monkeypatch.setattr(library, "kernels", lambda sources: asked.append(sources))
    slow = assert_same(controls, patients, 0.2).patients
    assert asked == [compiled.SOURCES]
    np.testing.assert_allclose(fast, slow, atol=3e-5, rtol=0)


@pytest.mark.parametrize(
    "had, told",
    [
        ({}, None),
        ({"networks": True}, True),
        ({"networks": True, "SVMs": True}, True),
        ({"networks": True, "SVMs": False}, False),
        ({"SVMs": False}, False),
    ],
)
def test_the_record_says_whether_all_kernels_were_had(monkeypatch, had, told):
    monkeypatch.setattr(library, "_got", had)
    assert library.used() is told
