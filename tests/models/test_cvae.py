import pytest
import torch

from mri2pet.errors import InputError
from mri2pet.models.cvae import CVae, GaussianHead, Recognition
from mri2pet.models.relation import LOG_SIGMA_LIMIT
from mri2pet.models.unet3d import UNet3d


@pytest.fixture
def network():
    torch.manual_seed(0)
    return CVae((2, 3, 4), code=2)


def count(network):
    return sum(p.numel() for p in network.parameters())


def test_parameters_follow_filters_and_code():
    a, b, c, code = 4, 8, 16, 3

    def double(x, y):
        return 27 * x * y + 27 * y * y + 4 * y

    head = (c + 1) * 2 * code
    network = CVae((a, b, c), code)
    assert count(network) == count(UNet3d((a, b, c))) + head + (code + 1) * c
    recognition = double(2, a) + double(a, b) + double(b, c) + head
    assert count(network.make_recognition()) == recognition


def test_synthesis_is_the_decoding_of_the_priors_mean(network):
    mri = torch.rand(2, 1, 8, 12, 16)
    network.eval()
    pet = network(mri)
    _, (mean, log_sigma) = network.reconstruct(mri, torch.zeros(2, 2, 2, 3, 4))
    assert mean.shape == log_sigma.shape == (2, 2, 2, 3, 4)
    assert pet.shape == mri.shape
    assert 0 < pet.min() < pet.max() < 1
    torch.testing.assert_close(network.reconstruct(mri, mean)[0], pet)
    assert torch.equal(network(mri), pet)  # nothing is drawn


def test_code_and_mri_both_reach_the_image(network):
    network.eval()
    mri, code = torch.rand(1, 1, 8, 8, 8), torch.randn(1, 2, 2, 2, 2)
    pet = network.reconstruct(mri, code)[0]
    assert not torch.allclose(pet, network.reconstruct(mri, -code)[0], atol=1e-4)
    assert not torch.allclose(pet, network.reconstruct(1 - mri, code)[0], atol=1e-4)


def test_recognition_sees_both_scans_and_gives_a_code_of_the_coarsest_grid(network):
    recognition = network.make_recognition().eval()
    assert isinstance(recognition, Recognition)
    mri, pet = torch.rand(2, 1, 1, 8, 12, 16).unbind()
    mean, _ = recognition(mri, pet)
    assert mean.shape == (1, 2, 2, 3, 4)
    assert not torch.allclose(mean, recognition(1 - mri, pet)[0], atol=1e-5)
    assert not torch.allclose(mean, recognition(mri, 1 - pet)[0], atol=1e-5)


def test_codes_start_near_the_standard_normal_and_their_sigma_is_bounded(network):
    recognition = network.make_recognition()
    mean, log_sigma = recognition(*torch.rand(2, 1, 1, 16, 16, 16).unbind())
    assert max(mean.abs().max(), log_sigma.abs().max()) < 0.5
    head = GaussianHead(3, 2)
    _, log_sigma = head(1e6 * torch.randn(1, 3, 4, 4, 4))
    assert log_sigma.abs().max() <= LOG_SIGMA_LIMIT


def test_impossible_settings_are_refused(network):
    with pytest.raises(InputError, match="code 0"):
        CVae((2, 3), code=0)
    with pytest.raises(InputError, match=r"multiples of 4, found \(8, 8, 6\)"):
        network(torch.rand(1, 1, 8, 8, 6))
