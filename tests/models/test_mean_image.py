"""A network that begins at the mean PET makes differences of differences."""

import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.models.registry import build
from mri2pet.synthesis.whole_volume import load_generator

GRID = [8, 16, 8]
NETWORKS = {
    "unet3d": {"filters": [2, 3]},
    "without skips": {"name": "unet3d", "filters": [2, 3], "skips": False},
    "dropout": {"name": "unet3d", "filters": [2, 3, 3], "dropout": 0.5},
    "cvae": {"filters": [2, 3], "code": 2},
}
EACH = pytest.mark.parametrize("kind", NETWORKS)


def settings(kind, **further):
    return {"name": kind, **NETWORKS[kind], "standardise": True, "grid": GRID, **further}


@pytest.fixture
def people():
    """MRI and PET of five people, whose PET follows their MRI."""
    generator = torch.Generator().manual_seed(0)
    mri = torch.rand(5, 1, *GRID, generator=generator)
    return mri, 0.2 + 0.5 * mri.flip(2)


def begun(kind, people):
    torch.manual_seed(0)
    network = build(settings(kind))
    network.start_at_mean_image(*people)
    return network


def spoilt(network):
    """Give all weights other values, as a training does."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return network


@EACH
def test_it_begins_at_the_mean_pet_of_the_training_people(kind, people):
    network = begun(kind, people).eval()
    with torch.no_grad():
        made = network(torch.rand(2, 1, *GRID))
    mean = people[1].mean(0, keepdim=True)
    torch.testing.assert_close(made, mean.expand_as(made), atol=1e-6, rtol=0)


@EACH
@pytest.mark.parametrize("training", [True, False])
def test_the_mean_mri_gives_the_mean_pet_whatever_was_learnt(kind, people, training):
    network = spoilt(begun(kind, people)).train(training)
    mri, pet = people
    mean = mri.mean(0, keepdim=True)
    with torch.no_grad():
        network.from_mean.mri_norm.mean.copy_(mean + 0.5 / 256)  # to the last digit
        made = network(mean.expand(2, -1, -1, -1, -1))
        other = network(mri[:2])
    if kind == "cvae":  # a code says more than the MRI
        assert made.shape == other.shape
    else:
        torch.testing.assert_close(made, pet.mean(0).expand_as(made), atol=1e-5, rtol=0)
    assert (other - pet.mean(0)).abs().max() > 0.01


@pytest.mark.parametrize("kind", ["unet3d", "without skips"])
def test_who_differs_the_other_way_gets_the_other_difference(kind, people):
    network = spoilt(begun(kind, people)).eval()
    mri, pet = people
    with torch.no_grad():
        network.from_mean.pet_norm.log_sd.fill_(-5)  # so that no PET leaves 0..1
        mean = network.from_mean.mri_norm.mean - 0.5 / 256
        one, other = (network(mean + sign * (mri - mean)) - pet.mean(0) for sign in (1, -1))
    assert one.abs().max() > 0.001
    torch.testing.assert_close(one, -other, atol=1e-5, rtol=0)


@EACH
def test_weights_carry_all_that_synthesis_needs(kind, people, tmp_path):
    network = spoilt(begun(kind, people)).eval()
    torch.save(network.state_dict(), tmp_path / "generator.pt")
    again = load_generator(settings(kind), tmp_path / "generator.pt")
    with torch.no_grad():
        torch.testing.assert_close(again(people[0]), network(people[0]), atol=0, rtol=0)


@EACH
def test_a_network_without_it_has_nothing_of_it(kind):
    plain = build({"name": kind, **NETWORKS[kind]})
    state = plain.state_dict()
    told = [*state, *state._metadata]
    assert not [name for name in told if "mean_image" in name or "from_mean" in name]
    assert plain.first[0].in_channels == 1
    plain.start_at_mean_image(torch.rand(2, 1, *GRID), torch.rand(2, 1, *GRID))  # does nothing
    for name, values in state.items():
        torch.testing.assert_close(plain.state_dict()[name], values, atol=0, rtol=0)


@EACH
def test_a_grid_is_needed_and_another_one_refused(kind, people):
    with pytest.raises(InputError, match="standardise needs the volumes' grid"):
        build(settings(kind, grid=None))
    network = build(settings(kind))
    with pytest.raises(InputError, match=r"unet3d: grid is \[8, 16, 8\] and .* is \[8, 8, 8\]"):
        network(torch.rand(1, 1, 8, 8, 8))
    with pytest.raises(InputError, match=r"unet3d: grid is"):
        network.start_at_mean_image(torch.rand(2, 1, 8, 8, 8), torch.rand(2, 1, 8, 8, 8))


def test_dropout_leaves_out_the_same_of_both_halves(people):
    network = begun("dropout", people).train()
    features = torch.ones(4, 3, 4, 4, 4)
    torch.manual_seed(0)
    own, of_mirrored = network._left_out(features).chunk(2)
    assert set(own.unique().tolist()) == {0.0, 2.0}
    torch.testing.assert_close(own, of_mirrored, atol=0, rtol=0)
    torch.testing.assert_close(network.eval()._left_out(features), features, atol=0, rtol=0)
