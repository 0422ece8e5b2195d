import ctypes
import shutil

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist
from svm_fakes import assert_same, expected, features

from mri2pet.anomaly import compiled, dual, ocsvm, optimality
from mri2pet.anomaly import solve_chunk as chunk
from mri2pet.anomaly.ocsvm import fit_score, score_chunks
from mri2pet.errors import InputError
from mri2pet.models.native import library

COMPILER = next((c for c in ("g++", "clang++", "c++") if shutil.which(c)), None)


@pytest.fixture(autouse=True, params=["torch", "compiled", "avx2"])
def way(request, monkeypatch, tmp_path_factory):
    """Who solves: torch, or the kernel for this processor, or for one with narrower vectors."""
    if request.param == "torch":
        monkeypatch.setattr(compiled, "fits", lambda device, dtype: False)
    elif COMPILER is None:
        pytest.skip("no C++ compiler")
    elif request.param == "compiled":
        if library.kernels(compiled.SOURCES) is None:
            pytest.skip("the kernels are switched off")
    else:
        if not torch.cpu._is_avx2_supported():
            pytest.skip("the processor has no AVX2")
        path = tmp_path_factory.getbasetemp() / "one_class.so"
        if not path.exists():
            library.build(COMPILER, path, "-mavx2", "-mfma", sources=compiled.SOURCES)
        monkeypatch.setattr(library, "kernels", lambda sources: ctypes.CDLL(str(path)))
    return request.param


only_torch = pytest.mark.parametrize("way", ["torch"], indirect=True)


@pytest.mark.parametrize("decay", [0.0, 0.5, 1.5])
@pytest.mark.parametrize("samples, nu", [(35, 0.03), (35, 0.37), (75, 0.1), (75, 0.9)])
def test_values_are_those_of_scikit_learn(decay, samples, nu):
    assert assert_same(*features(40, samples, decay=decay), nu).rescued == 0


@pytest.mark.parametrize("gamma", [1e-4, 0.05, 5.0, 1e3])
def test_gamma_as_a_number(gamma):
    assert_same(*features(20, 40), 0.2, gamma)


@pytest.mark.parametrize("samples, nu", [(6, 0.1), (7, 0.3), (17, 0.2), (40, 0.1)])
def test_gamma_from_the_median_distance(samples, nu):
    controls, patients = features(12, samples, width=9)
    controls[:, :, 3] += 5  # apart from the others' mean, and the same for everybody
    patients[:, :, 3] += 5
    scores = fit_score(controls, patients, nu=nu, gamma="median", training=True)
    for voxel, (x, y) in enumerate(zip(controls, patients, strict=True)):
        gamma = 1 / (2 * np.median(pdist(x.astype(float), "sqeuclidean")))
        new, own = expected(x[None], y[None], nu, gamma)
        np.testing.assert_allclose(scores.patients[voxel], new[0], atol=3e-5, rtol=0)
        np.testing.assert_allclose(scores.controls[voxel], own[0], atol=3e-5, rtol=0)


@pytest.mark.parametrize("samples", [1, 5])
def test_controls_that_are_all_alike_have_a_width_of_one(samples):
    controls = np.full((2, samples, 4), 0.3, np.float32)
    patients = controls[:, :1] + np.float32(0.5)
    same = fit_score(controls, patients, nu=0.5, gamma=1.0).patients
    given = fit_score(controls, patients, nu=0.5, gamma="median").patients
    np.testing.assert_allclose(given, same, atol=1e-5)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_feature_that_is_no_number_has_no_median(wrong):
    controls, patients = features(5, 9)
    controls[3, 2, 1] = wrong
    with pytest.raises(InputError, match="voxel 3"):
        fit_score(controls, patients, nu=0.2, gamma="median")


@pytest.mark.parametrize("samples, nu", [(40, 0.1), (70, 0.1), (35, 0.2), (40, 0.5), (30, 1 / 3)])
def test_whole_nu_n_leaves_rho_where_libsvm_leaves_it(samples, nu):
    # with nu n whole, no variable need be free: rho is then an interval's middle, or the end that
    # libsvm's own rounding of nu n picks
    controls, patients = features(80, samples, decay=3.0, width=8)
    assert_same(controls, patients, nu)
    total, excess = optimality.mass(nu, samples)
    assert total == round(nu * samples) and abs(excess) < 1e-9


@only_torch
def test_margin_without_free_variables():
    alpha = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    gradient = torch.tensor([[1.0, 2.0, 4.0, 5.0]])
    assert [float(optimality.margin(alpha, gradient, x)) for x in (0, 1e-15, -1e-15)] == [3, 4, 2]


@only_torch
def test_double_precision_is_closer():
    controls, patients = features(20, 50)
    assert_same(controls, patients, 0.2, atol=2e-6, dtype="float64")


def test_duplicates_and_constants():
    controls, patients = features(12, 30)
    controls[0] = controls[0, :1]  # one point thirty times
    controls[1, 10:20] = controls[1, :10]
    controls[2] = 0.3  # no variance at all: gamma is 1
    controls[3, :, 5:] = 0  # constant features
    controls[4] += 1e3  # far from the origin
    patients[4] += 1e3
    controls[5, :, 1:] = controls[5, :, :1]  # one dimension
    assert_same(controls, patients, 0.17, atol=1e-4)


@pytest.mark.parametrize("samples, nu", [(1, 0.5), (2, 0.5), (3, 0.2), (20, 0.01), (20, 0.999)])
def test_few_controls_and_extreme_nu(samples, nu):
    assert_same(*features(10, samples), nu)


def test_chunks_memmaps_and_half_precision_change_nothing(tmp_path, monkeypatch):
    controls, patients = (x.astype(np.float16) for x in features(50, 20))
    whole = fit_score(controls.astype(np.float32), patients.astype(np.float32), nu=0.2)
    np.save(tmp_path / "x.npy", controls)
    stored = np.load(tmp_path / "x.npy", mmap_mode="r")
    monkeypatch.setattr(ocsvm, "CPU_CHUNK", 7)
    monkeypatch.setattr(ocsvm, "CPU_NUMBERS", 1)
    out = np.lib.format.open_memmap(tmp_path / "f.npy", "w+", np.float32, (50, 3))
    fit_score(stored, patients, nu=0.2, out=out)
    np.testing.assert_allclose(np.load(tmp_path / "f.npy"), whole.patients, atol=2e-5)
    pieces = list(score_chunks(stored, patients, nu=0.2))
    assert [x.start for x, _ in pieces] == list(range(0, 50, 7))
    assert pieces[-1][0].stop == 50


def test_memory_bounds_the_chunk():
    controls, patients = features(9, 20)
    need = ocsvm.voxel_bytes(20, 3, 64, 4) * torch.get_num_threads()
    pieces = list(score_chunks(controls, patients, nu=0.2, memory=2 * need))
    assert [x.stop - x.start for x, _ in pieces] == [2, 2, 2, 2, 1]
    with pytest.raises(InputError, match="memory"):
        fit_score(controls, patients, nu=0.2, memory=need - 1)


@only_torch
def test_unsolved_voxels_go_to_scikit_learn(monkeypatch):
    monkeypatch.setattr(dual, "ROUNDS", ((1, 0),))
    monkeypatch.setattr(chunk, "FIRST", ((1, 0),))
    assert assert_same(*features(6, 40), 0.2).rescued == 6


@pytest.mark.parametrize("samples, nu", [(35, 0.97), (75, 0.9), (150, 0.75)])
@pytest.mark.parametrize("decay", [0.5, 1.5, 3.0])
def test_what_rounding_leaves_unsolved_is_solved_in_float64(monkeypatch, samples, nu, decay):
    seen, again = [], chunk.score_again

    def spy(scores, x, y, voxels, *args):
        seen.extend(voxels.tolist())
        again(scores, x, y, voxels, *args)

    monkeypatch.setattr(chunk, "score_again", spy)
    monkeypatch.setitem(chunk.TOLERANCE, torch.float32, -1e-3)  # so that nothing counts as solved
    controls, patients = features(20, samples, decay=decay)
    assert assert_same(controls, patients, nu, atol=5e-6).rescued == 0
    assert seen == list(range(20))


@pytest.mark.parametrize("samples, nu", [(35, 0.97), (75, 0.9), (150, 0.9)])
def test_no_order_of_the_controls_sends_a_voxel_to_scikit_learn(samples, nu):
    # another order of a sum rounds as another processor does
    controls, patients = features(100, samples, decay=1.5, seed=2)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(samples)
        assert fit_score(controls[:, order], patients, nu=nu).rescued == 0


@only_torch
@pytest.mark.parametrize("more", [0, 4, 20])
def test_a_few_rows_of_the_kernel_give_the_answer_of_all(monkeypatch, more):
    controls, patients = features(48, 60, decay=1.5, seed=3)
    monkeypatch.setattr(chunk, "MORE_ROWS", more)
    monkeypatch.setattr(chunk, "WORTH", 0.9)
    rounds, solve = [], dual.solve

    def spy(kernel, *args):
        rounds.append(kernel.shape[:2])
        return solve(kernel, *args)

    monkeypatch.setattr(dual, "solve", spy)
    assert assert_same(controls, patients, 0.1).rescued == 0
    many, rows = zip(*rounds, strict=True)
    assert rounds[0] == (48, 10 + more) and list(many) == sorted(many, reverse=True)
    assert list(rows) == sorted(set(rows)) and rows[-1] < 60
    assert len(rounds) > 1 or more == 20  # or nothing was tried of what follows the first round


@only_torch
def test_rows_that_do_not_suffice_are_noticed(monkeypatch):
    controls, patients = features(30, 60, decay=0.0)  # nearly all are support vectors
    monkeypatch.setattr(chunk, "WORTH", 1.0)
    assert_same(controls, patients, 0.1)


def test_the_answer_does_not_depend_on_the_order_of_chunks(monkeypatch):
    controls, patients = features(40, 60, decay=1.0)
    monkeypatch.setattr(ocsvm, "CPU_CHUNK", 10)
    monkeypatch.setattr(ocsvm, "CPU_NUMBERS", 1)
    whole = fit_score(controls, patients, nu=0.1).patients
    back = fit_score(controls[::-1].copy(), patients[::-1].copy(), nu=0.1).patients[::-1]
    again = fit_score(controls, patients, nu=0.1).patients
    np.testing.assert_array_equal(again, whole)
    np.testing.assert_allclose(back, whole, atol=2e-5)


@only_torch
def test_optimality_of_every_problem():
    controls, _ = features(64, 50, decay=0.5)
    x = torch.from_numpy(controls)
    kernel = torch.exp(-torch.cdist(x, x).square() / 3)
    answer = dual.solve(kernel, torch.zeros(64), 7.5)
    assert answer.solved.all()
    assert (answer.alpha >= 0).all() and (answer.alpha <= 1).all()
    torch.testing.assert_close(answer.alpha.sum(1), torch.full((64,), 7.5), atol=1e-5, rtol=0)
    assert (optimality.violation(answer.alpha, dual.product(kernel, answer.alpha)) <= 2e-5).all()


def test_settings_of_torch_are_put_back():
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    fit_score(*features(4, 5), nu=0.2)
    chunks = score_chunks(*features(4, 5), nu=0.2)
    next(chunks)
    chunks.close()
    assert (torch.get_num_threads(), torch.get_float32_matmul_precision()) == (threads, precision)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"nu": 0.0}, "nu is"),
        ({"nu": 1.0}, "nu is"),
        ({"gamma": -1.0}, "gamma"),
        ({"gamma": "auto"}, "gamma"),
        ({"controls": np.zeros((4, 5), np.float32)}, "controls"),
        ({"controls": np.zeros((3, 5, 64), np.float32)}, "same voxels"),
        ({"controls": np.zeros((4, 0, 64), np.float32)}, "train"),
        ({"controls": np.zeros((4, 5, 64), int)}, "floating"),
        ({"out": np.zeros((4, 1))}, "out has"),
        ({"dtype": "float16"}, "dtype"),
    ],
)
def test_bad_input(change, message):
    controls, patients = features(4, 5)
    given = {"controls": controls, "patients": patients, "nu": 0.2} | change
    with pytest.raises(InputError, match=message):
        fit_score(given.pop("controls"), given.pop("patients"), **given)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_voxel_that_is_not_finite_is_named(monkeypatch, which, bad):
    monkeypatch.setattr(ocsvm, "CPU_CHUNK", 4)
    both = features(9, 5)
    both[which][6, 1, 3] = bad
    with pytest.raises(InputError, match="voxel 6"):
        fit_score(*both, nu=0.2)


def test_no_voxels_and_no_patients():
    controls, patients = features(4, 5)
    assert fit_score(controls[:0], patients[:0], nu=0.2).patients.shape[0] == 0
    scores = fit_score(controls, patients[:, :0], nu=0.2, training=True)
    assert scores.patients.shape == (4, 0) and scores.controls.shape == (4, 5)


@only_torch
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_missing_device_is_said():
    with pytest.raises(InputError, match="CUDA"):
        fit_score(*features(2, 5), nu=0.2, device="cuda")


@only_torch
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cuda_gives_the_same(dtype):
    assert_same(*features(500, 75), 0.1, device="cuda", dtype=dtype)
