"""Time the batched one-class SVMs against a joblib loop over scikit-learn; compare their values.

    python benchmarks/one_class_svm.py [--voxels 32768] [--nu 0.1] [--repeats 3] [--out table.md]
    python benchmarks/one_class_svm.py --scale 1500000 --device cuda

Features are those of a patch autoencoder (15 x 15, 64 features, similarity of pairs), trained for a
moment on smooth simulated volumes, and Gaussian ones with a covariance of its own at each voxel
whose spectrum decays as 1/k. The loop is `joblib.Parallel(n_jobs=-1)`, one thread a process, over
`OneClassSVM(nu=nu).fit(...).decision_function(...)`, a call a voxel, which joblib batches as it
sees fit; a second one hands over 64 voxels a call. The values to compare with come from tol 1e-8,
times from the default 1e-3. Loops and batched solver take turns; times are medians, and so are the
ratios, whose ranges are those of the turns. With --scale the same
voxels are repeated, as float16, and only the batched solver runs. The exit status is 1 if a value
differs by more than 1e-4 or a sign beyond that.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from joblib import Parallel, delayed
from scipy.ndimage import gaussian_filter
from torch import nn

from mri2pet.anomaly.chunks import one_thread_each
from mri2pet.anomaly.ocsvm import fit_score
from mri2pet.anomaly.solve_chunk import reference

PATCH, WIDTH, PATIENTS = 15, 64, 4
LIMIT = 1e-4
LOOPS = {1: "loop", 64: "loop, 64 voxels a call"}
T = TypeVar("T")
COLUMNS = (
    "features",
    "voxels",
    "n",
    "d",
    "nu",
    "method",
    "seconds",
    "voxels/s",
    "times the loop (range)",
    "times the loop of 64",
    "largest difference",
    "from the loop's default tol",
    "same sign",
)


def volumes(count: int, voxels: int, rng: np.random.Generator) -> np.ndarray:
    """Simulate slices of a common pattern, each with smooth and fine differences of its own."""
    side = int(np.ceil(np.sqrt(voxels))) + PATCH - 1

    def field(width: float) -> np.ndarray:
        values = gaussian_filter(rng.normal(size=(side, side)), width, mode="wrap")
        return values / values.std()

    common = field(3)
    parts = ((0.25, 5), (0.2, 2), (0.1, 0.7))
    made = [
        common * (1 + 0.1 * field(6)) + sum(size * field(width) for size, width in parts)
        for _ in range(count)
    ]
    stack = np.stack(made).astype(np.float32)
    low, high = (f(stack, axis=(1, 2), keepdims=True) for f in (np.min, np.max))
    return (stack - low) / (high - low)


def autoencoder_features(
    samples: int, voxels: int, rng: np.random.Generator, steps: int = 80
) -> tuple[np.ndarray, np.ndarray]:
    """Train a small siamese patch autoencoder and return controls' and patients' features."""
    windows = np.lib.stride_tricks.sliding_window_view(
        volumes(samples + PATIENTS, voxels, rng), (PATCH, PATCH), axis=(1, 2)
    )
    patches = windows.reshape(samples + PATIENTS, -1, 1, PATCH, PATCH)[:, :voxels]
    encoder = nn.Sequential(
        nn.Conv2d(1, 16, 3),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, stride=2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(512, WIDTH),
    )
    decoder = nn.Sequential(nn.Linear(WIDTH, 256), nn.ReLU(), nn.Linear(256, PATCH**2))
    optimiser = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 1e-3)
    for _ in range(steps):
        where = rng.integers(voxels, size=64)
        pairs = [patches[rng.integers(samples, size=64), where] for _ in range(2)]
        x = torch.from_numpy(np.concatenate(pairs))
        features = encoder(x)
        alike = torch.cosine_similarity(*features.chunk(2)).mean()
        loss = (decoder(features) - x.flatten(1)).square().sum(1).mean() - 0.5 * alike
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        made = [encoder(torch.from_numpy(np.array(one))).numpy() for one in patches]
    features = np.stack(made, 1)
    return features[:, :samples], features[:, samples:]


def gaussian_features(
    samples: int, voxels: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw Gaussian features; at each voxel a mean and principal axes of its own."""
    axes = np.linalg.qr(rng.normal(size=(voxels, WIDTH, WIDTH)))[0]
    axes *= (1 / np.arange(1, WIDTH + 1))[:, None]
    mean = 0.3 * rng.normal(size=(voxels, 1, WIDTH))
    both = mean + rng.normal(size=(voxels, samples + PATIENTS, WIDTH)) @ axes
    both = both.astype(np.float32)
    return both[:, :samples], both[:, samples:]


def loop_some(x: np.ndarray, y: np.ndarray, nu: float, tol: float) -> np.ndarray:
    """Do some voxels with scikit-learn."""
    return np.stack(
        [reference(nu, tol=tol).fit(a).decision_function(b) for a, b in zip(x, y, strict=True)]
    )


def loop_all(
    x: np.ndarray, y: np.ndarray, nu: float, tol: float, pool: Parallel, each: int = 64
) -> np.ndarray:
    """Do all voxels with scikit-learn, `each` a call, calls side by side."""
    parts = [slice(i, i + each) for i in range(0, len(x), each)]
    return np.concatenate(pool(delayed(loop_some)(x[i], y[i], nu, tol) for i in parts))


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what `work` returns, and the seconds it took."""
    start = time.perf_counter()
    made = work()
    return made, time.perf_counter() - start


def compare(
    name: str,
    controls: np.ndarray,
    patients: np.ndarray,
    nu: float,
    device: str,
    repeats: int,
    pool: Parallel,
) -> tuple[list[list[str]], bool]:
    """Time and compare one set of features; returns its rows, and whether the values agree."""
    voxels, samples, width = controls.shape
    fit_score(controls[:256], patients[:256], nu=nu, device=device)  # libraries load
    loop_all(controls[:256], patients[:256], nu, 1e-3, pool)
    slow, fast = {each: [] for each in LOOPS}, []
    for _ in range(repeats):
        some = []
        for each in (0, 1, 0, 64, 0):
            if each:
                work = partial(loop_all, controls, patients, nu, 1e-3, pool, each)
                default, seconds = timed(work)
                slow[each].append(seconds)
            else:
                scores, seconds = timed(
                    partial(fit_score, controls, patients, nu=nu, device=device)
                )
                some.append(seconds)
        fast.append(float(np.mean(some)))
    if scores.rescued:
        print(f"{name}: {scores.rescued} voxels went to scikit-learn", file=sys.stderr)
    values = scores.patients
    exact = loop_all(controls, patients, nu, 1e-8, pool)
    error = np.abs(values - exact).max()
    far = np.abs(exact) > LIMIT
    same = float((np.sign(values) == np.sign(exact))[far].mean())
    off = f"{np.abs(default - exact).max():.1e}"
    lines = [(LOOPS[each], slow[each], ["", off, ""]) for each in LOOPS]
    mine = [f"{error:.1e}", f"{np.abs(values - default).max():.1e}", f"{100 * same:g}%"]
    lines.append((f"batched, {device}", fast, mine))
    rows = []
    for method, times, extra in lines:
        took = float(np.median(times))
        against = [np.divide(slow[each], times) for each in LOOPS]
        ratios = [f"{np.median(r):.1f} ({r.min():.1f} to {r.max():.1f})" for r in against]
        shown = [name, str(voxels), str(samples), str(width), f"{nu:g}", method]
        rows.append([*shown, f"{took:.3f}", f"{voxels / took:.0f}", *ratios, *extra])
    return rows, bool(error <= LIMIT and same == 1)


def main() -> int:
    """Print the table; return 1 if values differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--voxels", type=int, default=32768)
    parser.add_argument("--nu", type=float, default=0.1)
    parser.add_argument("--repeats", type=int, default=3, help="turns of loop and batched solver")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--scale", type=int, help="only the batched solver, on so many voxels")
    parser.add_argument("--out", type=Path, help="write the table here too")
    options = parser.parse_args()
    rng = np.random.default_rng(5)
    torch.manual_seed(5)
    with one_thread_each():
        learnt = autoencoder_features(75, options.voxels, rng)
    if options.scale:
        repeat = -(-options.scale // options.voxels)
        x, y = (np.tile(one.astype(np.float16), (repeat, 1, 1))[: options.scale] for one in learnt)
        fit_score(x[:1024], y[:1024], nu=options.nu, device=options.device)
        start = time.perf_counter()
        made = fit_score(x, y, nu=options.nu, device=options.device, memory=16 * 2**30)
        took = time.perf_counter() - start
        print(
            f"{options.scale} voxels x 75 on {options.device}: {took:.1f} s, {made.rescued} rescued"
        )
        return 0
    print("features made", file=sys.stderr)
    drawn = gaussian_features(75, options.voxels, rng)
    lines, agree = [list(COLUMNS), ["---"] * len(COLUMNS)], True
    with Parallel(n_jobs=-1) as pool:
        load = os.getloadavg()[0]
        for name, (controls, patients), samples in (
            ("autoencoder", learnt, 35),
            ("autoencoder", learnt, 75),
            ("Gaussian", drawn, 35),
            ("Gaussian", drawn, 75),
        ):
            some = np.ascontiguousarray(controls[:, :samples])
            rows, good = compare(
                name, some, patients, options.nu, options.device, options.repeats, pool
            )
            lines += rows
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
            agree &= good
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    print(f"{os.cpu_count()} processors, load {load:.1f} before\n\n{text}")
    if options.out:
        options.out.write_text(text + "\n")
    return int(not agree)


if __name__ == "__main__":
    sys.exit(main())
