"""Generator and discriminator of the IXI report: as printed, layer by layer, and in all."""

import pytest
import torch
from torch import nn

from mri2pet.errors import InputError
from mri2pet.models.ixi import IxiDiscriminator, IxiGenerator, statistics
from mri2pet.models.registry import build

# "Param #" of the report's tables; a batch norm's four numbers a channel, two of them statistics
GENERATOR = [
    *(23328, 128, 27648, 128, 27648, 128, 55296, 256, 2985984, 256),
    *(110592, 256, 55296, 128, 351232, 128, 864),
]
DISCRIMINATOR = [
    *(1760, 128, 55360, 256, 221312, 512, 884992, 1024),
    *(1049088, 65664, 129),
]


def trainable(network):
    return sum(p.numel() for p in network.parameters())


def by_layer(network):
    counts = [trainable(layer) + statistics(layer) for layer in network.layers]
    return [count for count in counts if count]


def test_the_generator_has_the_printed_parameters():
    network = build({"name": "ixi_generator"})
    assert by_layer(network) == GENERATOR
    assert trainable(network) == 3_638_592
    assert statistics(network) == 704
    assert trainable(network) + statistics(network) == 3_639_296


def test_the_discriminator_has_the_printed_parameters():
    network = build({"name": "ixi_discriminator"})
    assert by_layer(network) == DISCRIMINATOR
    assert trainable(network) + statistics(network) == 2_280_225
    assert statistics(network) == 2 * (32 + 64 + 128 + 256)


def test_together_they_have_the_printed_gan():
    networks = IxiGenerator(), IxiDiscriminator()
    assert sum(trainable(n) + statistics(n) for n in networks) == 5_919_521
    # "Non-trainable": the frozen discriminator and the generator's statistics
    assert trainable(networks[1]) + statistics(networks[1]) + 704 == 2_280_929


def test_all_convolutions_but_the_first_and_the_last_are_dilated():
    layers = [m for m in IxiGenerator().modules() if isinstance(m, nn.Conv3d)]
    assert [m.dilation[0] for m in layers] == [1, 2, 2, 2, 2, 2, 2, 2, 1]
    assert [m.kernel_size[0] for m in layers] == [9, 3, 3, 3, 9, 3, 3, 7, 3]
    assert [m.out_channels for m in layers] == [32, 32, 32, 64, 64, 64, 32, 32, 1]
    assert all(m.bias is None for m in layers)


def narrow(**kwargs):
    return IxiGenerator(filters=[2, 3, 2, 1], kernels=[5, 3, 7, 3], **kwargs)


def test_the_generator_keeps_the_resolution_and_sees_as_far_as_it_should():
    network = narrow().eval()
    source = torch.zeros(1, 1, 33, 33, 33)
    source[..., 16, 16, 16] = 1
    with torch.no_grad():
        made = network(source) - network(torch.zeros_like(source))
    assert made.shape == source.shape
    reach = 2 + 2 * 1 + 2 * 3 + 1  # half a kernel times its dilation, layer by layer
    touched = made[0, 0].abs().nonzero()
    assert (touched.min(0).values == 16 - reach).all()
    assert (touched.max(0).values == 16 + reach).all()


def test_the_long_residual_adds_the_input_and_begins_as_a_copy():
    torch.manual_seed(0)
    source = torch.randn(2, 1, 8, 8, 8)
    network = narrow(residual=True)
    assert torch.equal(network(source), source)
    nn.init.normal_(network.layers[-1].weight)
    network.eval()
    torch.testing.assert_close(network(source) - source, network.layers(source))
    assert trainable(network) == trainable(narrow())


def test_the_discriminator_sees_source_and_target():
    torch.manual_seed(0)
    network = IxiDiscriminator([2, 2], [4], patch=8).eval()
    source, target = torch.randn(2, 1, 8, 8, 8), torch.randn(2, 1, 8, 8, 8)
    pair = torch.cat([source, target], dim=1).requires_grad_()
    network(pair).sum().backward()
    assert network(pair).shape == (2, 1)
    assert (pair.grad.abs().sum(dim=(0, 2, 3, 4)) > 0).all()


@pytest.mark.parametrize("name", ["ixi_generator", "ixi_discriminator"])
def test_every_parameter_gets_a_gradient(name):
    torch.manual_seed(0)
    small = {
        "ixi_generator": {"filters": [2] * 8 + [1], "kernels": [3] * 9},
        "ixi_discriminator": {"filters": [2, 2], "dense": [4, 3], "patch": 16},
    }
    network = build({"name": name, **small[name]})
    network(torch.randn(3, 1 + (name == "ixi_discriminator"), 16, 16, 16)).square().sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in network.parameters())


@pytest.mark.parametrize(
    ("make", "fault"),
    [
        (lambda: IxiGenerator([2, 1], [3, 3, 3]), "2 filters for 3 kernels"),
        (lambda: IxiGenerator([2, 1], [3, 4]), "odd"),
        (lambda: IxiGenerator([2, 2], [3, 3]), "the last filter is 1"),
        (lambda: IxiDiscriminator(patch=24), "do not divide a patch of 24"),
    ],
)
def test_networks_that_cannot_be_are_refused(make, fault):
    with pytest.raises(InputError, match=fault):
        make()


def test_near_the_identity_detail_passes_through_all_layers():
    torch.manual_seed(0)
    source = torch.randn(2, 1, 12, 12, 12)
    plain, near = (
        IxiGenerator([4] * 8 + [1], [3] * 9, identity=identity)(source).flatten().detach()
        for identity in (False, True)
    )
    alike = [float(torch.corrcoef(torch.stack([made, source.flatten()]))[0, 1].abs())
             for made in (plain, near)]  # fmt: skip
    assert alike[0] < 0.3
    assert alike[1] > 0.5
