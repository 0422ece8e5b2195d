import pandas as pd

from mri2pet.files import write_tsv
from mri2pet.reporting.html import Report, render
from mri2pet.reporting.parameters import sections


def test_every_model_has_its_label_and_count(tmp_path):
    path = tmp_path / "parameters.tsv"
    columns = ["system", "model", "network", "parameters"]
    rows = [("gla_gan", "unet", "unet3d", 1234567), ("ixi", "t2_pd_g1", "ixi_generator", 89)]
    write_tsv(path, pd.DataFrame(rows, columns=columns))
    (section,) = sections([path], {"gla_gan": {"unet": "U-Net"}})
    (listing,) = section.listings
    assert listing.table["Model"].tolist() == ["U-Net", "t2_pd_g1"]
    assert listing.table["Parameters"].tolist() == ["1,234,567", "89"]
    page = render(Report(title="T", lead="L", simulated={}, sections=[section]))
    assert "1,234,567" in page


def test_without_the_table_there_is_no_section():
    assert sections([], {}) == []
