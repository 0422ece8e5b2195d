"""One head in all 48 orientations is one head: axes permuted and flipped, sform and qform told."""

import itertools

import nibabel as nib
import numpy as np
import pytest
from heads import head, take, write

from mri2pet.imaging import acpc
from mri2pet.imaging.intensity import normalise
from mri2pet.imaging.register import brain_to_template
from mri2pet.imaging.resample import res2_grid, resample_brain, resize
from mri2pet.imaging.volume import array, like, load_volume

CODES = [
    "".join(code)
    for axes in itertools.permutations(("LR", "PA", "IS"))
    for code in itertools.product(*axes)
]
# oblique, of three voxel sizes: nothing in it is alike along two axes
OBLIQUE = nib.affines.from_matvec(
    nib.eulerangles.euler2mat(0.2, -0.15, 0.1) @ np.diag([4, 3.5, 5]), [-80, -95, -100]
)


def turned(data: np.ndarray, affine: np.ndarray, codes: str) -> nib.Nifti1Image:
    """Store a volume along other axes; the world stays where it is."""
    turn = nib.orientations.ornt_transform(
        nib.io_orientation(affine), nib.orientations.axcodes2ornt(codes)
    )
    return nib.Nifti1Image(data, affine).as_reoriented(turn)


def test_there_are_48_orientations():
    assert len(set(CODES)) == 48


@pytest.mark.parametrize("ending", [".nii", ".nii.gz"])
@pytest.mark.parametrize("codes", CODES)
def test_conversion_and_loading_bring_every_orientation_to_one_volume(tmp_path, codes, ending):
    image = turned(head(), OBLIQUE, codes)
    assert "".join(nib.aff2axcodes(image.affine)) == codes
    loaded = take(write(tmp_path / f"scan{ending}", np.asarray(image.dataobj), image.affine))
    np.testing.assert_array_equal(array(loaded), head())
    np.testing.assert_allclose(loaded.affine, OBLIQUE, atol=1e-4)  # mm; headers hold float32


@pytest.fixture(scope="module")
def network_input(atlases, tmp_path_factory):
    """Return a function: the 64x64x64 array of the template's head, posed, in one orientation."""
    template = load_volume(atlases / "mni152_t1.nii.gz")
    brain = load_volume(atlases / "mni152_brain_mask.nii.gz")
    pose = nib.affines.from_matvec(nib.eulerangles.euler2mat(0.1, -0.12, 0.14), [12, -15, 9])
    affine = pose @ template.affine
    scan = np.rint(array(template) / array(template).max() * 4000).astype(np.int16)

    def run(codes: str) -> np.ndarray:
        image = turned(scan, affine, codes)
        folder = tmp_path_factory.mktemp(codes)
        loaded = take(write(folder / "scan.nii", np.asarray(image.dataobj), image.affine))
        marks = acpc.find_landmarks(loaded, template, brain)
        matrix = acpc.acpc_transform(marks)
        aligned = acpc.apply_acpc(loaded, matrix)
        inside = array(brain) > 0  # the scan's voxels are the template's
        stripped = like(aligned, normalise(array(aligned), inside))
        start = marks.affine @ np.linalg.inv(matrix)
        found = brain_to_template(stripped, template, brain, start)
        placed, _ = resample_brain(stripped, like(aligned, inside), found, res2_grid(template))
        return array(resize(placed))

    return run


def test_preprocessing_gives_the_same_array_whatever_the_orientation(network_input):
    reference = network_input("RAS")
    assert reference.shape == (64, 64, 64)
    mirrored = np.abs(reference - reference[::-1]).max()
    assert mirrored > 0.2  # a swap of left and right would be seen
    for codes in ("PIR", "LSP"):
        difference = np.abs(network_input(codes) - reference)
        assert difference.max() < 0.01, (codes, difference.max())  # of a range of 0 to 1
        assert difference.mean() < 1e-4, (codes, difference.mean())
