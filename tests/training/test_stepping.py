"""Steps that are compiled, replayed or fused: the same training as plain steps, within rounding."""

import logging
import shutil

import pytest
import torch
from torch import nn

import mri2pet.training.stepping as stepping
from mri2pet.training.data import PairBatches
from mri2pet.training.recipes import make_recipe
from mri2pet.training.run import train_model
from mri2pet.training.settings import Precision, TrainingSettings, set_up_torch
from mri2pet.training.stepping import (
    Stepper,
    can_compile,
    clone,
    compile_networks,
    copy_into,
    set_up_optimisers,
)

CPU = torch.device("cpu")
FP32 = Precision("fp32", CPU)


def make(entry, pairs, **training):
    torch.manual_seed(0)
    settings = TrainingSettings.from_config({**entry["training"], **training})
    return make_recipe(entry, settings, pairs).train(), settings


def steps(stepper, pairs, count=4):
    torch.manual_seed(1)
    batches = [batch for epoch in range(4) for batch in PairBatches(pairs, 2, 0, CPU).epoch(epoch)]
    return [{k: float(v) for k, v in stepper(batch).items()} for batch in batches[:count]]


def agree(one, other, rel):
    for a, b in zip(one, other, strict=True):
        assert a == {key: pytest.approx(value, rel=rel, abs=1e-6) for key, value in b.items()}


class Replayed:
    """Stands in for a CUDA graph: what is captured is computed anew from the same buffers."""

    made: list = []  # noqa: RUF012

    def __init__(self):
        self.made.append(self)
        self.replays = 0

    def replay(self):
        self.replays += 1
        self.losses.update(self.recipe.step(self.static, FP32))


def replaying(monkeypatch, recipe, settings):
    """Make a stepper that works as on CUDA, but for the recording."""
    stepper = Stepper(recipe, settings, FP32)

    def capture(batch):
        graph = Replayed()
        stepper.static, stepper.losses, stepper.graph = clone(batch), {}, graph
        graph.recipe, graph.static, graph.losses = recipe, stepper.static, stepper.losses

    monkeypatch.setattr(stepper, "_capture", capture)
    stepper.graphing = True
    return stepper


@pytest.mark.parametrize("name", ["gan", "cycle_gan", "lsgan", "dual_glow_side", "half_batch_gan"])
def test_replayed_steps_are_those_of_their_batches(entries, pairs, monkeypatch, name):
    recipe, settings = make(entries[name], pairs)
    expected = steps(Stepper(recipe, settings, FP32), pairs, 7)
    recipe, settings = make(entries[name], pairs)
    stepper = replaying(monkeypatch, recipe, settings)
    assert steps(stepper, pairs, 7) == expected
    assert stepper.graph.replays == 7 - stepping.WARM_UP


def test_pools_are_drawn_on_before_the_step_and_once(entries, pairs):
    """A replayed step cannot draw: with the pool full it must still show earlier volumes."""
    entry = {**entries["cycle_gan"], "pool": 2}
    recipe, _ = make(entry, pairs)
    batch = {"source": pairs.source[:2], "target": pairs.target[:2]}
    recipe.step(batch, FP32)
    state = torch.get_rng_state()
    drawn = recipe.drawn(batch)
    assert not torch.equal(torch.get_rng_state(), state)
    state = torch.get_rng_state()
    recipe.step(drawn, FP32)
    assert torch.equal(torch.get_rng_state(), state)
    assert recipe.drawn(drawn) is drawn


def test_buffers_take_the_values_of_nested_batches():
    batch = {"source": torch.rand(2, 3), "side": {"age": torch.rand(2)}}
    static = clone(batch)
    other = {"source": torch.rand(2, 3), "side": {"age": torch.rand(2)}}
    place = static["side"]["age"].data_ptr()
    copy_into(static, other)
    assert torch.equal(static["source"], other["source"])
    assert torch.equal(static["side"]["age"], other["side"]["age"])
    assert static["side"]["age"].data_ptr() == place
    assert not torch.equal(batch["source"], other["source"])


@pytest.mark.parametrize("name", ["gan", "dual_glow"])
def test_rates_that_a_graph_reads_are_those_of_plain_steps(entries, pairs, name):
    recipe, settings = make(entries[name], pairs)
    stepper = Stepper(recipe, settings, FP32)
    groups = [group for each in recipe.optimisers.values() for group in each.param_groups]
    for group in groups:
        group["lr"] = torch.tensor(0.5)
    stepper.set_rate(0.25)
    assert [float(group["lr"]) for group in groups] == [0.25 * group["share"] for group in groups]
    set_up_optimisers(recipe, CPU, graph=False)
    assert all(isinstance(group["lr"], float) for group in groups)


def test_fused_adam_takes_adams_steps(entry, pairs):
    """What CUDA uses, compared where it can be: torch has the fused kernel on a CPU, too."""
    results = []
    for fused in (False, True):
        recipe, settings = make(entry, pairs, learning_rate=0.001)
        stepper = Stepper(recipe, settings, FP32)
        for optimiser in recipe.optimisers.values():
            for group in optimiser.param_groups:
                group["fused"] = fused
        results.append((steps(stepper, pairs), recipe))
    agree(results[1][0], results[0][0], rel=1e-4)
    for a, b in zip(results[1][1].parameters(), results[0][1].parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=2e-4)


def test_step_counts_of_a_checkpoint_go_where_the_optimiser_wants_them(entry, pairs):
    recipe, settings = make(entry, pairs)
    stepper = Stepper(recipe, settings, FP32)
    steps(stepper, pairs, 1)
    for group in recipe.optimisers["generator"].param_groups:
        group |= {"fused": True, "capturable": True, "lr": torch.tensor(0.1)}  # as left by CUDA
    again = Stepper(recipe, settings, FP32)
    group = recipe.optimisers["generator"].param_groups[0]
    assert (group["fused"], group["capturable"]) == (True, False)
    steps(again, pairs, 2)


def test_compiled_networks_take_the_same_steps(entry, pairs, monkeypatch):
    """Traced and differentiated as torch.compile does; making machine code of it takes minutes."""
    compile_it = nn.Module.compile
    monkeypatch.setattr(
        nn.Module, "compile", lambda self, **kw: compile_it(self, backend="aot_eager", **kw)
    )
    monkeypatch.setattr(stepping, "can_compile", lambda _: True)
    entry = {**entry, "generator": {"name": "gla_gan", "filters": [2], "patches": 0}}
    recipe, settings = make(entry, pairs, learning_rate=0.001)
    expected = steps(Stepper(recipe, settings, FP32), pairs, 3)
    recipe, settings = make(entry, pairs, learning_rate=0.001, compile=True)
    names = list(recipe.state_dict())
    agree(steps(Stepper(recipe, settings, FP32), pairs, 3), expected, rel=1e-3)
    stepper = Stepper(recipe, settings, FP32)
    stepper.compiling = True
    assert recipe.generator._compiled_call_impl is not None
    stepper.close()
    assert recipe.generator._compiled_call_impl is None
    assert list(recipe.state_dict()) == names


def test_a_flow_is_compiled_step_by_step(entries, pairs, monkeypatch):
    compiled = []
    monkeypatch.setattr(nn.Module, "compile", lambda self, **_: compiled.append(self))
    recipe, _ = make(entries["dual_glow"], pairs)
    compile_networks(recipe)
    flows = (recipe.generator.mri_flow, recipe.generator.pet_flow)
    assert {s for flow in flows for level in flow.levels for s in level.steps} <= set(compiled)
    assert recipe.generator not in compiled


@pytest.mark.parametrize(("device", "needed"), [("cpu", "g\\+\\+"), ("cuda", "triton")])
def test_a_missing_compiler_is_named_and_training_goes_on(
    entry, pairs, monkeypatch, caplog, device, needed
):
    monkeypatch.setattr(shutil, "which", lambda *_: None)
    with caplog.at_level(logging.WARNING):
        assert not can_compile(torch.device(device))
    assert "going on without" in caplog.text
    assert needed.replace("\\", "") in caplog.text
    if device == "cpu":
        entry["training"] |= {"compile": True, "epochs": 1}
        _, history = train_model(entry, pairs, "tiny", 0, 1, device="cpu")
        assert len(history) == 1


def test_a_graph_is_only_for_cuda_and_not_for_fp16(entry, pairs):
    recipe, settings = make(entry, pairs, cuda_graph=True)
    assert not Stepper(recipe, settings, FP32).graphing
    precision = Precision("fp16", CPU, on_cpu=True)
    precision.device = torch.device("cuda")
    assert not stepping._can_graph(precision)


@pytest.mark.parametrize(
    ("repeatable", "device", "expected"),
    [(None, "cpu", True), (None, "cuda", False), (True, "cuda", True), (False, "cpu", False)],
)
def test_repeatable_algorithms_by_device(repeatable, device, expected):
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32
    try:
        settings = TrainingSettings(1, 1, 0.1, repeatable=repeatable, tf32=False)
        set_up_torch(settings, torch.device(device), 1)
        assert (torch.get_deterministic_debug_mode() == 1) == expected
        assert torch.backends.cudnn.benchmark != expected
        assert not torch.backends.cudnn.allow_tf32
        assert not torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32 = before
