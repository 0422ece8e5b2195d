import numpy as np
import pytest
import torch
from torch import nn

from mri2pet.errors import InputError
from mri2pet.models.registry import build
from mri2pet.synthesis.mean_pet import mean_volume
from mri2pet.synthesis.whole_volume import load_generator, synthesise

CONFIG = {"name": "unet3d", "filters": [2, 3]}


@pytest.fixture
def mask():
    mask = np.zeros((8, 8, 8), bool)
    mask[1:7, 1:7, 1:7] = True
    return mask


@pytest.fixture
def mri():
    return np.random.default_rng(0).random((5, 8, 8, 8), np.float32)


@pytest.fixture
def generator():
    torch.manual_seed(0)
    return build(CONFIG).eval()


@pytest.mark.parametrize("batch_size", [1, 2, 4, 9])
def test_identity_gives_the_masked_mri_in_order(mri, mask, batch_size):
    pet = synthesise(nn.Identity(), mri, mask, batch_size)
    assert pet.dtype == np.float32
    np.testing.assert_array_equal(pet, mri * mask)


def test_batches_do_not_change_a_volume(generator, mri, mask):
    together = synthesise(generator, mri, mask, 5)
    alone = np.concatenate([synthesise(generator, mri[i : i + 1], mask) for i in range(5)])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert together[:, mask].std() > 0


def test_a_single_volume_takes_the_fast_convolutions(mri, mask):
    sizes = []

    class Identity(nn.Module):
        def forward(self, x):
            sizes.append(len(x))
            return x

    for count in (1, 5):
        pet = synthesise(Identity(), mri[:count], mask, 4)
        np.testing.assert_array_equal(pet, mri[:count] * mask)
    assert sizes == [2, 3, 2]


def test_no_volume_is_no_fault(generator, mask):
    assert synthesise(generator, [], mask).shape == (0, 8, 8, 8)


def test_generator_is_loaded_with_its_weights(generator, tmp_path, mri):
    torch.save(generator.state_dict(), tmp_path / "generator.pt")
    loaded = load_generator(CONFIG, tmp_path / "generator.pt")
    assert not loaded.training
    volume = torch.from_numpy(mri[:2, None])
    assert torch.equal(loaded(volume), generator(volume))


@pytest.mark.parametrize("content", [b"", b"no weights"])
def test_a_file_without_weights_is_named(tmp_path, content):
    (tmp_path / "generator.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"generator\.pt: no weights of unet3d"):
        load_generator(CONFIG, tmp_path / "generator.pt")


def test_weights_of_another_network_are_refused(generator, tmp_path):
    torch.save(generator.state_dict(), tmp_path / "generator.pt")
    with pytest.raises(InputError, match=r"generator\.pt"):
        load_generator({**CONFIG, "filters": [2, 4]}, tmp_path / "generator.pt")


def test_mean_is_that_of_the_rows_alone(mri):
    mri[[0, 4]] = np.nan
    np.testing.assert_allclose(mean_volume(mri, np.array([1, 3])), (mri[1] + mri[3]) / 2)
    with pytest.raises(InputError, match="mean"):
        mean_volume(mri, np.array([], int))


def test_cropped_to_the_brain_all_is_in_its_place(mri, mask):
    mask[:] = False
    mask[4:8, 1:4, 2:6] = True
    shapes = []

    class Identity(nn.Module):
        def forward(self, x):
            shapes.append(tuple(x.shape[2:]))
            return x

    pet = synthesise(Identity(), mri, mask, crop=4)
    assert set(shapes) == {(4, 4, 4)}
    np.testing.assert_array_equal(pet, mri * mask)


@pytest.mark.parametrize("count", [1, 5])
def test_each_volume_is_told_its_own_side_information(mri, mask, count):
    class Older(nn.Module):
        def forward(self, x, side):
            return x * side["age"].view(-1, 1, 1, 1, 1)

    age = torch.arange(1.0, count + 1) / 10
    pet = synthesise(Older(), mri[:count], mask, 2, side={"age": age})
    np.testing.assert_allclose(pet, mri[:count] * mask * age.numpy()[:, None, None, None])
