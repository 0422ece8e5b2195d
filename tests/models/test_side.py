import math

import pandas as pd
import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.models.blocks import block_means
from mri2pet.models.side import SideHead, SideInformation, reverse_gradient

INFORMATION = SideInformation(groups=("CN", "AD"), age_mean=70, age_sd=5)


def rows(**columns):
    return pd.DataFrame({"age": [65.0, 80.0], "sex": ["M", "F"], "group": ["CN", "AD"]} | columns)


def test_encoding():
    side = INFORMATION.tensors(rows())
    expected = torch.tensor([[-1.0, 0, 1, 1, 0], [2.0, 1, 0, 0, 1]])
    assert torch.equal(INFORMATION.encode(side), expected)
    assert INFORMATION.width == 5
    assert SideInformation(["age"]).width == 1


def test_what_is_unknown_is_zero_and_does_not_count():
    missing = INFORMATION.tensors(
        rows(age=[math.nan, 80.0], sex=[None, "F"], group=[math.nan, "AD"])
    )
    assert torch.equal(INFORMATION.encode(missing)[0], torch.zeros(5))
    outputs = torch.randn(2, 5)
    alone = {name: value[1:] for name, value in missing.items()}
    assert torch.isclose(INFORMATION.loss(outputs, missing), INFORMATION.loss(outputs[1:], alone))
    nobody = {name: value[:1] for name, value in missing.items()}
    assert INFORMATION.loss(outputs[:1], nobody) == 0


def test_loss_is_small_where_the_outputs_are_right():
    side = INFORMATION.tensors(rows())
    right = torch.tensor([[-1.0, -9, 9, 9, -9], [2.0, 9, -9, -9, 9]])
    assert INFORMATION.loss(right, side) < 1e-6
    guess = torch.zeros(2, 5)
    age = (0.5 + 1.5) / 2 / math.log(2)  # smooth L1 of 1 and 2 standard deviations
    assert math.isclose(INFORMATION.loss(guess, side), (age + 1 + 1) / 3, rel_tol=1e-5)


def test_reversal_flips_the_sign_of_the_gradient_alone():
    x = torch.randn(3, requires_grad=True)
    y = reverse_gradient(x)
    assert torch.equal(y, x)
    y.backward(torch.tensor([1.0, -2, 3]))
    assert torch.equal(x.grad, torch.tensor([-1.0, 2, -3]))


def test_block_means_of_grids_that_divide_and_that_do_not():
    x = torch.rand(2, 3, 8, 4, 12)
    assert torch.allclose(
        block_means(x, 4), torch.nn.functional.avg_pool3d(x, (2, 1, 3)), atol=1e-6
    )
    line = torch.tensor([1.0, 2, 4]).view(1, 1, 3, 1, 1)
    halves = block_means(line, 2)[0, 0, :, 0, 0]
    assert torch.allclose(halves, torch.tensor([(1 + 0.5 * 2) / 1.5, (0.5 * 2 + 4) / 1.5]))
    assert block_means(torch.ones(1, 1, 1, 3, 5), 4).allclose(torch.ones(1, 1, 4, 4, 4))


@pytest.mark.parametrize("grid", [(8, 8, 8), (3, 4, 3), (1, 1, 1)])
def test_head_takes_any_grid(grid):
    head = SideHead(4, 5, width=3)
    assert head(torch.rand(2, 4, *grid)).shape == (2, 5)


def test_head_sees_where_something_is():
    torch.manual_seed(0)
    head = SideHead(1, 1, width=3)
    left, right = torch.zeros(2, 1, 1, 16, 16, 16).unbind()
    left[:, :, 4, 8, 8] = right[:, :, 12, 8, 8] = 5
    assert not torch.allclose(head(left), head(right), atol=1e-5)


def test_faults_are_named():
    with pytest.raises(InputError, match="attributes"):
        SideInformation(["height"])
    with pytest.raises(InputError, match="two diagnoses"):
        SideInformation(groups=["AD"])
    with pytest.raises(InputError, match="age_sd"):
        SideInformation(["age"], age_sd=0)
    with pytest.raises(InputError, match="group is 'FTD'; known are CN, AD"):
        INFORMATION.tensors(rows(group=["CN", "FTD"]))
