"""Training curves as TensorBoard reads them."""

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from mri2pet.training.event_files import run_name, write_events


def test_every_column_is_a_curve_over_the_epochs(tmp_path):
    history = [
        {"epoch": 1, "l1": 0.5, "mae": float("nan"), "seconds": 2},
        {"epoch": 2, "l1": 0.25, "mae": 0.1, "seconds": 3, "remark": "n/a"},
    ]
    write_events(history, tmp_path / "a/b")
    read = EventAccumulator(str(tmp_path / "a/b")).Reload()
    assert sorted(read.Tags()["scalars"]) == ["l1", "mae", "seconds"]
    assert [(each.step, each.value) for each in read.Scalars("l1")] == [(1, 0.5), (2, 0.25)]
    assert [each.step for each in read.Scalars("mae")] == [2]


def test_a_training_is_named_by_its_place():
    path = "results/gla_gan/models/unet/fold-2/history.tsv"
    assert run_name(path) == "gla_gan/unet/fold-2"
