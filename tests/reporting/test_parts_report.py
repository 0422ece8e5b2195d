"""Parts of a table and the cross-fitted one in the report."""

import pandas as pd
import pytest

from mri2pet.files import write_tsv
from mri2pet.reporting import dual_glow, gla_gan

PARTS = {"Complete": ["unet", "only_mri"], "Complete, visits with PET": ["unet", "real_pet"]}


def write(path, parts, n=(11, 8)):
    rows = [
        (name, method, "AUC", "fraction", 0.8, 0.1, count, 0.5, None, None, 0.6, 0.9, 0.5, 0.5)
        for (name, methods), count in zip(parts.items(), n, strict=False)
        for method in methods
    ]
    columns = ["dataset", "method", "metric", "unit", "mean", "sd", "n", "p_value"]
    columns += ["published_mean", "published_sd", "low", "high", "p_holm", "p_folds"]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_tsv(path, pd.DataFrame(rows, columns=columns))
    return path


def shown(view):
    return {row.label: row.n for row in view.rows}


def test_each_part_of_table_3_is_a_table_of_its_own(tmp_path):
    first, second = gla_gan.tables([write(tmp_path / "table3.tsv", PARTS)], {"unet": "U-Net"})
    assert first.title == "Table III: diagnosis on the Complete dataset"
    assert second.title == f"{first.title}: visits with PET"
    assert first.anchor != second.anchor
    assert shown(first) == {"U-Net": 11, "Only MRI": 11}
    assert shown(second) == {"U-Net": 8, "Real PET": 8}
    assert "No p compares rows of different visits" in first.caption


def test_the_cross_fitted_table_has_a_section_that_says_what_it_is(tmp_path):
    parts = {f"{name}, cross-fitted": ["unet", "mri_age_sex"] for name in ("Paired", "Complete")}
    path = write(tmp_path / "cross_fitted.tsv", parts)
    (section,) = gla_gan.further([path], {}, {}, ["AD", "CN"])
    assert section.title == "GLA-GAN: diagnosis learnt from synthetic PET"
    assert [view.title for view in section.tables] == [
        "Diagnosis learnt from synthetic PET: Paired, cross-fitted",
        "Diagnosis learnt from synthetic PET: Complete, cross-fitted",
    ]
    assert "MRI, age and sex" in shown(section.tables[0])
    words = section.tables[0].caption
    assert "saw neither this person's fold nor the fold tested" in words
    assert "adds no information" in words
    assert gla_gan.further([], {}, {}, ["AD", "CN"]) == []


def test_dual_glow_s_tables_of_both_protocols_stand_together(tmp_path):
    files = [
        write(tmp_path / f"{name}.tsv", {"Paired": ["ucgan", "real_pet"]})
        for name in ("table2", "cross_fitted")
    ]
    (section,) = dual_glow.sections(files, {"ucgan": "UcGAN"})
    assert [view.title for view in section.tables] == [
        "DUAL-GLOW, Table 2: diagnosis by PET alone",
        "DUAL-GLOW, Table 2, learnt from synthetic PET",
    ]
    assert all("Ground Truth" in shown(view) for view in section.tables)


@pytest.mark.parametrize("number", ["2", "3"])
def test_the_threshold_and_the_rows_to_beat_are_named_in_both_reports(root, tmp_path, number):
    caption = (root / f"workflow/report/table{number}.rst").read_text()
    assert "no\ninformation" in caption or "no information" in caption
    assert ("threshold" in caption) == (number == "2")
    (view,) = gla_gan.tables([write(tmp_path / f"table{number}.tsv", {"Paired": ["unet"]})], {})
    assert "adds no information" in view.caption
    assert ("sensitivity can be .17 and specificity 1.0" in view.caption) == (number == "2")
