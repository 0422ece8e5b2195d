"""The detectors of a small whole run: beside chance, and tried on controls held out."""

from mri2pet.files import read_tsv

TEXT = {"subject": str, "visit": str}


def test_every_detector_stands_beside_chance_and_is_tried_on_controls(finished):
    folder = finished.folder / "results/gan_anomaly"
    table = read_tsv(folder / "tables/detection.tsv")
    names = {path.parent.name for path in folder.glob("detector/*/visits.tsv")}
    sets = {"real", "semi_3d", "patch_3d", "placebo", "with_oracle"}
    assert names == sets | {"z_pet", "z_difference", "reconstruction"}
    assert set(table["method"]) == {
        f"{before}{name}" for before in ("", "chance_", "shuffled_") for name in names
    }
    for name in names:
        visits = read_tsv(folder / f"detector/{name}/visits.tsv", dtype=TEXT)
        controls = read_tsv(folder / f"detector/{name}/controls.tsv", dtype=TEXT)
        held_out = set(visits.loc[visits["role"] == "control", "subject"])
        assert set(controls["subject"]) == held_out and len(held_out) == 4
        chance = read_tsv(folder / f"detector/{name}/chance.tsv", dtype=TEXT)
        assert set(chance.loc[chance["among"] == "controls", "other"]) == held_out
        assert (chance["places"] > 0).all()
    page = (finished.folder / "results/report/report.html").read_text()
    assert "Too few people to tell whether above chance in space: Real PET" in page
