"""The kernels compiled for the processor: values, gradients, and what happens without them."""

import ctypes
import shutil

import pytest
import torch
import torch.nn.functional as F

from mri2pet.models.native import grids, library, operations

COMPILER = next((c for c in ("g++", "clang++", "c++") if shutil.which(c)), None)
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")

# batch, channels in and out of a group, groups, grid, padding, dilation
SHAPES = [
    (2, 4, 4, 1, (9, 10, 56), 1, 1),
    (1, 1, 4, 1, (5, 6, 20), 1, 1),
    (2, 4, 1, 1, (5, 6, 33), 1, 1),
    (1, 8, 4, 1, (17, 6, 28), 1, 1),
    (1, 4, 8, 1, (5, 6, 28), 1, 1),
    (1, 16, 8, 1, (4, 5, 24), 1, 1),
    (1, 8, 16, 1, (4, 5, 14), 1, 1),
    (2, 8, 16, 1, (14, 14, 14), 1, 1),
    (2, 4, 4, 1, (5, 6, 12), 1, 1),
    (2, 16, 8, 1, (6, 5, 17), 1, 1),
    (2, 3, 5, 1, (4, 5, 31), 1, 1),
    (2, 4, 4, 4, (20, 5, 28), 1, 1),
    (2, 2, 6, 3, (4, 5, 21), 1, 1),
    (1, 4, 4, 1, (8, 9, 32), 2, 2),
    (1, 4, 2, 1, (9, 9, 40), 3, 3),
    (1, 4, 4, 1, (6, 7, 26), 0, 1),
    (1, 4, 4, 1, (6, 7, 26), 2, 1),
    (1, 2, 4, 1, (7, 8, 30), 1, 2),
]


@pytest.fixture(params=["native", "avx2"])
def compiled(request, monkeypatch, tmp_path_factory):
    """The kernels for this processor, and for one with narrower vectors."""
    if COMPILER is None:
        pytest.skip("no C++ compiler")
    if request.param == "avx2":
        if not torch.cpu._is_avx2_supported():
            pytest.skip("the processor has no AVX2")
        path = tmp_path_factory.getbasetemp() / "avx2.so"
        if not path.exists():
            library.build(COMPILER, path, "-mavx2", "-mfma")
        monkeypatch.setattr(operations, "kernels", lambda: ctypes.CDLL(str(path)))
    elif library.kernels() is None:
        pytest.skip("the kernels are switched off")
    return request.param


def leaves(*tensors):
    return [None if t is None else t.clone().requires_grad_() for t in tensors]


def close(found, right, bound=2e-6):
    """Compare with the same in double precision, relative to the largest value."""
    for a, b in zip(found, right, strict=True):
        assert a.shape == b.shape
        assert float((a - b).detach().abs().max()) <= bound * max(
            1.0, float(b.detach().abs().max())
        )


@pytest.mark.parametrize(("batch", "before", "after", "groups", "grid", "padding", "step"), SHAPES)
def test_convolution_and_its_gradients(compiled, batch, before, after, groups, grid, padding, step):
    torch.manual_seed(0)
    x = torch.randn(batch, before * groups, *grid)
    weight = torch.randn(after * groups, before, 3, 3, 3)
    bias = torch.randn(after * groups)
    own = leaves(x, weight, bias)
    y = operations.convolve(*own, groups=groups, padding=padding, dilation=step)
    exact = leaves(x.double(), weight.double(), bias.double())
    z = F.conv3d(*exact, padding=padding, dilation=step, groups=groups)
    gradient = torch.randn_like(y)
    found = torch.autograd.grad(y, own, gradient)
    right = torch.autograd.grad(z, exact, gradient.double())
    close([y, *found], [z, *right])


def test_any_number_of_threads_gives_the_same_bits(compiled):
    torch.manual_seed(0)
    x, weight = torch.randn(2, 4, 40, 9, 28), torch.randn(4, 4, 3, 3, 3)
    scale, shift = torch.rand(4), torch.randn(4)
    results = []
    before = torch.get_num_threads()
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            own = leaves(x, weight, scale, shift)
            y = operations.convolve(own[0], own[1])
            z = operations.normalise(y, own[2], own[3], slope=0.2)[0]
            results.append([z, *torch.autograd.grad(z.square().sum(), own)])
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results, strict=True))


@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("added", [False, True])
@pytest.mark.parametrize(
    ("grid", "each"), [((5, 6, 7), False), ((20, 21, 22), False), ((3, 4, 33), True)]
)
def test_normalisation_and_its_gradients(compiled, grid, each, added, slope):
    torch.manual_seed(0)
    x = torch.randn(2, 4, *grid) * 3 + 100  # far from zero: variances are small differences
    weight, bias = torch.rand(4) + 0.5, torch.randn(4)
    other = torch.randn_like(x) if added else None
    own = leaves(x, weight, bias, other)
    groups = len(x) if each else 1
    y, mean, variance = operations.normalise(*own, eps=1e-3, slope=slope, groups=groups)
    exact = leaves(*(t if t is None else t.double() for t in (x, weight, bias, other)))
    norm = F.instance_norm if each else F.batch_norm
    given = {"use_input_stats": True} if each else {"training": True}
    z = norm(exact[0], None, None, exact[1], exact[2], eps=1e-3, **given)
    z = F.leaky_relu(z + exact[3] if added else z, slope)
    gradient = torch.randn_like(y)
    inputs = [(a, b) for a, b in zip(own, exact, strict=True) if a is not None]
    found = torch.autograd.grad(y, [a for a, _ in inputs], gradient)
    right = torch.autograd.grad(z, [b for _, b in inputs], gradient.double())
    close([y, *found], [z, *right], bound=2e-5)
    axes = (2, 3, 4) if each else (0, 2, 3, 4)
    close([mean.squeeze()], [x.double().mean(dim=axes)], bound=1e-6)
    close([variance.squeeze()], [x.double().var(dim=axes, unbiased=False)], bound=1e-5)


def test_what_does_not_fit_is_left_to_torch(compiled):
    x = torch.randn(1, 4, 6, 6, 24)
    assert operations.fits(x)
    assert not operations.fits(x.double())
    assert not operations.fits(x.contiguous(memory_format=torch.channels_last_3d))
    assert not operations.fits(x.to("meta"))
    with torch.autocast("cpu", torch.bfloat16):
        assert not operations.fits(x)


@needs_compiler
@pytest.mark.parametrize("why", ["switch", "no compiler", "compiler fails"])
def test_without_kernels_the_log_says_why(why, monkeypatch, tmp_path, caplog):
    caplog.set_level("INFO")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("MRI2PET_NATIVE", "0" if why == "switch" else "1")
    if why == "no compiler":
        monkeypatch.setenv("CXX", "no-such-compiler")
    if why == "compiler fails":
        broken = tmp_path / "broken"
        broken.write_text(
            "#!/bin/sh\ntest \"$1\" = --version && exit 0\necho 'no room' >&2\nexit 1\n"
        )
        broken.chmod(0o755)
        monkeypatch.setenv("CXX", str(broken))
    assert library.kernels.__wrapped__() is None
    told = {"switch": "MRI2PET_NATIVE=0", "no compiler": "CXX", "compiler fails": "no room"}
    assert told[why] in caplog.text
    assert not list(tmp_path.rglob("*.so"))


@needs_compiler
def test_kernels_are_compiled_once_and_kept(monkeypatch, tmp_path, caplog):
    caplog.set_level("INFO")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("MRI2PET_NATIVE", "1")
    first, second = library.kernels.__wrapped__(), library.kernels.__wrapped__()
    assert first is not None and second is not None
    assert caplog.text.count("compiled for this processor") == 1
    assert [path.suffix for path in (tmp_path / "mri2pet").iterdir()] == [".so"]


@needs_compiler
def test_a_cache_that_cannot_be_written_is_no_fault(monkeypatch, tmp_path):
    (tmp_path / "mri2pet").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("MRI2PET_NATIVE", "1")
    assert library.kernels.__wrapped__() is not None


@pytest.mark.parametrize(
    "shape", [(2, 4, 8, 6, 28), (1, 3, 4, 2, 34), (1, 1, 2, 2, 2), (1, 2, 5, 4, 6)]
)
def test_maxima_and_their_gradients_are_torchs(compiled_grids, shape):
    torch.manual_seed(0)
    x = torch.randn(*shape).round(decimals=1).requires_grad_()  # with ties
    (same, y), z = grids.max_pool(x), F.max_pool3d(x, 2)
    gradient, other = torch.randn_like(y), torch.randn(shape[0], shape[1] + 3, *shape[2:])[:, 2:-1]
    assert torch.equal(y, z)
    assert torch.equal(same, x)
    assert torch.equal(*(torch.autograd.grad(v, x, gradient, retain_graph=True)[0] for v in (y, z)))
    both = torch.autograd.grad([y, same], x, [gradient, other], retain_graph=True)[0]
    assert torch.equal(both, torch.autograd.grad(z, x, gradient)[0] + other)
    assert torch.equal(torch.autograd.grad(same, x, other)[0], other)


@pytest.mark.parametrize(
    ("shape", "after"), [((2, 8, 4, 5, 28), 4), ((1, 3, 4, 6, 10), 5), ((1, 1, 2, 2, 33), 1)]
)
def test_a_doubling_convolution_and_its_gradients(compiled_grids, shape, after):
    torch.manual_seed(0)
    layer = grids.DoublingConv(shape[1], after)
    own = [torch.randn(*shape, requires_grad=True), layer.weight, layer.bias]
    exact = [t.detach().double().requires_grad_() for t in own]
    y, z = layer(own[0]), F.conv_transpose3d(*exact, stride=2)
    gradient = torch.randn_like(y)
    found = torch.autograd.grad(y, own, gradient)
    close([y, *found], [z, *torch.autograd.grad(z, exact, gradient.double())])
    assert type(y.grad_fn).__name__ == "_DoubledBackward"


@pytest.mark.parametrize("others", [1, 3, 4])
def test_a_doubling_convolution_writes_beside_what_it_is_joined_with(compiled_grids, others):
    torch.manual_seed(0)
    layer = grids.DoublingConv(8, 4)
    x = torch.randn(2, 8, 3, 4, 28, requires_grad=True)
    skip = torch.randn(2, others, 6, 8, 56, requires_grad=True)
    own = [x, layer.weight, layer.bias, skip]
    y, z = layer.joined(x, skip), torch.cat([layer(x), skip], dim=1)
    gradient = torch.randn_like(y)
    found, right = (torch.autograd.grad(v, own, gradient) for v in (y, z))
    assert torch.equal(y, z)
    assert all(torch.equal(a, b) for a, b in zip(found, right, strict=True))
    assert len(y.grad_fn.next_functions) == 4  # in one


@pytest.fixture
def compiled_grids(compiled, monkeypatch):
    monkeypatch.setattr(grids, "kernels", operations.kernels)
    return compiled
