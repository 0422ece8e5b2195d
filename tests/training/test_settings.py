import logging

import pytest
import torch
from torch import nn
from torch.utils import deterministic

from mri2pet.errors import InputError
from mri2pet.training.settings import (
    Precision,
    TrainingSettings,
    choose_device,
    make_deterministic,
)

BASE = {"epochs": 10, "batch_size": 4, "learning_rate": 0.1}
CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("constant", [0.1, 0.1, 0.1, 0.1]),
        ("linear", [0.1, 0.1, 0.05, 0.0]),
        ("cosine", [0.1, 0.05, 0.1 * 0.1464466, 0.0]),
    ],
)
def test_learning_rate_schedules(schedule, rates):
    settings = TrainingSettings.from_config({**BASE, "schedule": schedule})
    assert [settings.rate(p) for p in (0, 0.5, 0.75, 1)] == pytest.approx(rates, abs=1e-6)


def test_warm_up_lets_the_rate_grow_over_its_epochs_and_then_leaves_the_schedule():
    settings = TrainingSettings.from_config({**BASE, "warm_up": 4})
    assert [settings.rate(p) for p in (0, 0.1, 0.4, 1)] == pytest.approx([0, 0.025, 0.1, 0.1])
    bent = TrainingSettings.from_config({**BASE, "warm_up": 4, "schedule": "cosine"})
    plain = TrainingSettings.from_config({**BASE, "schedule": "cosine"})
    assert bent.rate(0.2) == pytest.approx(plain.rate(0.2) / 2)
    assert bent.rate(0.6) == plain.rate(0.6)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("warm_up", -1),
        ("epochs", 0),
        ("batch_size", 0),
        ("learning_rate", -1),
        ("beta1", 1.0),
        ("schedule", "steps"),
        ("precision", "fp8"),
    ],
)
def test_impossible_settings_are_named(key, value):
    with pytest.raises(InputError, match=rf"training\.{key}: {value}"):
        TrainingSettings.from_config({**BASE, key: value})


def test_misspelt_and_missing_settings_are_named():
    with pytest.raises(InputError, match="epoch_count"):
        TrainingSettings.from_config({**BASE, "epoch_count": 3})
    with pytest.raises(InputError, match="learning_rate"):
        TrainingSettings.from_config({"epochs": 1, "batch_size": 1})


def test_half_precision_on_a_cpu_becomes_fp32_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        precision = Precision("bf16", CPU)
    assert precision.name == "fp32"
    assert "bf16 is slow on a CPU" in caplog.text


@pytest.mark.parametrize(
    ("name", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_each_precision_autocasts_and_steps(name, dtype):
    torch.manual_seed(0)
    precision = Precision(name, CPU, on_cpu=True)
    layer = nn.Linear(4, 1)
    optimiser = torch.optim.SGD(layer.parameters(), lr=0.1)
    losses = []
    for _ in range(5):
        with precision.autocast():
            out = layer(torch.ones(2, 4))
        assert out.dtype == dtype
        loss = (out.float() - 1).square().mean()
        losses.append(loss.item())
        precision.step(loss, optimiser)
        precision.end_batch()
    assert losses[-1] < 0.5 * losses[0]
    assert layer.weight.dtype == torch.float32


def test_fp16_skips_a_step_whose_gradient_overflows():
    precision = Precision("fp16", CPU, on_cpu=True)
    layer = nn.Linear(1, 1)
    before = layer.weight.clone()
    precision.step(layer(torch.tensor([[float("inf")]])).sum(), torch.optim.SGD(layer.parameters()))
    scale = precision.scaler.get_scale()
    precision.end_batch()
    assert torch.equal(layer.weight, before)
    assert precision.scaler.get_scale() < scale


def test_device():
    assert choose_device("cpu") == CPU
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="cuda"):
            choose_device("cuda")


def test_new_memory_is_not_filled_before_it_is_written():
    before = deterministic.fill_uninitialized_memory
    try:
        make_deterministic(1)
        assert torch.are_deterministic_algorithms_enabled()
        assert not deterministic.fill_uninitialized_memory
    finally:
        torch.use_deterministic_algorithms(False)
        deterministic.fill_uninitialized_memory = before


@pytest.mark.parametrize(
    ("epochs", "steps", "batches", "length"),
    [(3, None, 5, (3, 15)), (3, 12, 5, (3, 12)), (3, 10, 5, (2, 10)), (3, 99, 5, (3, 15))],
)
def test_steps_cut_the_epochs_and_never_lengthen_them(epochs, steps, batches, length):
    settings = TrainingSettings(epochs=epochs, batch_size=1, learning_rate=0.1, steps=steps)
    assert settings.length(batches) == length


def test_warming_up_is_counted_in_the_epochs_that_are_trained():
    settings = TrainingSettings(epochs=10, batch_size=1, learning_rate=1.0, warm_up=2.0)
    assert settings.rate(0.5, 2.0) == pytest.approx(0.5)
    assert settings.rate(0.5) == pytest.approx(1.0)
