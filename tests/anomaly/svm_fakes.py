"""Features of simulated voxels, and scikit-learn's decision values for them."""

import numpy as np
from sklearn.svm import OneClassSVM

from mri2pet.anomaly.ocsvm import fit_score


def features(voxels, samples, *, decay=1.0, seed=0, width=64):
    """Gaussian features, mean and axes of their own at each voxel; 3 patients."""
    rng = np.random.default_rng(seed)
    axes = np.linalg.qr(rng.normal(size=(voxels, width, width)))[0]
    axes *= (np.arange(1.0, width + 1) ** -decay)[:, None]
    mean = 0.3 * rng.normal(size=(voxels, 1, width))
    both = (mean + rng.normal(size=(voxels, samples + 3, width)) @ axes).astype(np.float32)
    return np.ascontiguousarray(both[:, :samples]), np.ascontiguousarray(both[:, samples:])


def expected(controls, patients, nu, gamma="scale"):
    both = []
    for x, y in zip(controls, patients, strict=True):
        model = OneClassSVM(nu=nu, gamma=gamma, tol=1e-9).fit(x)
        both.append((model.decision_function(y), model.decision_function(x)))
    return [np.stack(one) for one in zip(*both, strict=True)]


def assert_same(controls, patients, nu, gamma="scale", atol=3e-5, **kwargs):
    scores = fit_score(controls, patients, nu=nu, gamma=gamma, training=True, **kwargs)
    new, own = expected(controls, patients, nu, gamma)
    np.testing.assert_allclose(scores.patients, new, atol=atol, rtol=0)
    np.testing.assert_allclose(scores.controls, own, atol=atol, rtol=0)
    far = np.abs(new) > 1e-4
    assert (np.sign(scores.patients) == np.sign(new))[far].all()
    return scores
