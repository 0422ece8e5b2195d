"""Brain and tissues of a T2 and a PD, against the simulated truth."""

import nibabel as nib
import numpy as np
import pytest

from mri2pet.evaluation.tissues import overlap
from mri2pet.imaging.contrast_brain import brain_of, template_slab, tissues
from mri2pet.imaging.dual_echo import ReducedGrid, prepare_pair, reduce_volume
from mri2pet.imaging.volume import Volume, array, load_scan, load_volume
from mri2pet.simulation.ixi_people import plan_ixi, simulate_ixi_subject
from mri2pet.simulation.template import make_template

GRID = ReducedGrid((64, 64, 96), 240.0, 3)


@pytest.fixture(scope="module")
def person(atlases, tmp_path_factory):
    folder = tmp_path_factory.mktemp("person")
    images = {name: folder / f"{name}.nii.gz" for name in ("T2", "PD")}
    scanner = {"voxel_mm": [3.75, 3.75, 1.25], "t1_voxel_mm": None}
    template, t2 = make_template(atlases), atlases / "anatomy_t2.nii.gz"
    one = plan_ixi(1, 1)[0][0]
    simulate_ixi_subject(template, t2, one, scanner, images, folder / "t.nii.gz")
    volumes, _ = prepare_pair(load_scan(images["T2"]), load_scan(images["PD"]), GRID)
    truth = nib.as_closest_canonical(nib.load(folder / "t.nii.gz"))
    truth = Volume(np.asarray(truth.dataobj, np.float32), truth.affine)
    label = np.rint(array(reduce_volume(truth, GRID))).astype(int)
    template = [load_volume(atlases / f"anatomy_{name}.nii.gz") for name in ("t2", "brain_mask")]
    return volumes, label, brain_of(volumes["t2"], *template)


def test_the_brain_is_found_in_a_t2(person):
    _, truth, brain = person
    inside = array(brain) > 0
    assert (truth[inside] > 0).mean() > 0.96  # no skull
    assert inside[truth > 0].mean() > 0.85  # but for the rim


def test_tissues_are_those_that_were_put_in(person):
    volumes, truth, brain = person
    inside = array(brain) > 0
    truth = np.where(inside, truth, 0)
    made = tissues(volumes["t2"], brain, "t2")
    assert not made[~inside].any()
    scores = [overlap(made, truth, [label]) for label in (1, 2, 3)]
    assert min(scores) > 0.6
    assert scores[1] > 0.8
    pd = tissues(volumes["pd"], brain, "pd")
    assert set(np.unique(pd)) == {0, 1, 2}
    assert overlap(pd, truth, [2]) > 0.75
    assert overlap(pd, truth, [1, 3]) > 0.8


def test_the_slab_keeps_its_place():
    affine = np.diag([1.0, 1, 1, 1])
    affine[2, 3] = -78
    ramp = np.arange(193, dtype=np.float32) * np.ones((4, 4, 193), np.float32)
    slab = template_slab(Volume(ramp, affine))
    assert slab.shape[2] == 122
    assert array(slab)[0, 0, 0] - 78 == slab.affine[2, 3] == -52
