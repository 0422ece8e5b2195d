"""Figures and report sections of DUAL-GLOW."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import fakes
from mri2pet.errors import InputError
from mri2pet.evaluation.ageing import fit_line, slope_table
from mri2pet.evaluation.coverage_tables import coverage_table
from mri2pet.evaluation.regions import BRAIN, OWN_AGE, SET_AGE
from mri2pet.files import write_tsv
from mri2pet.reporting.age_figures import COLOURS, ages_figure, regions_figure
from mri2pet.reporting.cases import Case, drawn_row, typical_case
from mri2pet.reporting.dual_glow import sections
from mri2pet.reporting.figures import save
from mri2pet.reporting.html import SIMULATED_NOTE, Report, render
from mri2pet.reporting.uncertainty_figures import mae_figure, uncertainty_figure
from mri2pet.reporting.views import table_view

AFFINE = np.diag([11.25, 13.6, 11.25, 1])
AFFINE[:3, 3] = [-90, -126, -72]
AGES = [50, 70, 90]
LABELS = {"dual_glow": "DUAL-GLOW", "dual_glow_side": "With side information"}


@pytest.fixture(scope="module")
def anatomy():
    return fakes.atlas(16)


@pytest.fixture
def values():
    """Real PET falls by .02 a decade; told an age, the generator's falls by .01."""
    rows = []
    for number in range(8):
        person = {"subject": f"s{number}", "visit": "bl", "group": ("CN", "AD")[number % 2]}
        person |= {"fold": number % 2}
        age = 60.0 + 3 * number
        level = 0.6 - 0.1 * (number % 2) + 0.001 * (number % 3)
        for method, curve, at, value in (
            ("real_pet", OWN_AGE, age, level - 0.002 * age),
            ("dual_glow_side", OWN_AGE, age, level - 0.001 * age),
            *(("dual_glow_side", SET_AGE, told, level - 0.001 * told) for told in AGES),
        ):
            common = person | {"method": method, "curve": curve, "age": at}
            rows += [common | {"region": name, "value": value} for name in (BRAIN, "Precuneus_L")]
    return pd.DataFrame(rows)


@pytest.fixture
def coverage():
    rows = [
        {
            "fold": 0, "subject": subject, "visit": "bl", "group": "CN", "nominal": nominal,
            "factor": factor, "chosen": int(factor == 1.0), "coverage": share * nominal * factor,
            "average": int(factor == 1.0), "mean_width": 0.1 * nominal * factor,
        }
        for subject, share in (("s0", 0.5), ("s2", 0.7))
        for nominal in (0.95, 0.5)
        for factor in (0.5, 1.0)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_ages_stand_in_order_each_with_its_difference_to_the_first(anatomy):
    _, mask = anatomy
    volumes = np.stack([np.where(mask, level, 0.7) for level in (0.5, 0.4, 0.2)])
    figure = ages_figure(volumes, AGES, mask, np.ones(mask.shape), AFFINE, "title")
    words = fakes.words_in(figure)
    assert [word for word in words if word.startswith("age ")] == ["age 50", "age 70", "age 90"]
    planes = fakes.planes_of(figure)
    pet = [plane[0].get_array() for plane in planes if plane[0].get_cmap().name == "magma"]
    assert [float(each[each < 0.6].max()) for each in pet[::3]] == pytest.approx([0.5, 0.4, 0.2])
    changes = [plane[1] for plane in planes if len(plane) == 2]  # over the template
    assert len(changes) == 2 * 3  # none of the first age
    values = [np.unique(np.ma.compressed(each.get_array())) for each in changes[::3]]
    np.testing.assert_allclose(values, [[-0.1], [-0.3]], rtol=1e-6)  # outside the mask nothing
    (limits,) = {each.get_clim() for each in changes}
    assert limits[0] == -limits[1]


def test_ages_and_volumes_that_do_not_belong_together_are_refused(anatomy):
    _, mask = anatomy
    with pytest.raises(InputError, match="2 volumes for 3 ages"):
        ages_figure(np.zeros((2, *mask.shape)), AGES, mask, mask, AFFINE, "title")


def test_regions_have_each_groups_own_line_and_band(values):
    figure = regions_figure(values, ["Precuneus_L"], ["CN", "MCI", "AD"], "Model")
    real, own, told = figure.axes
    from matplotlib.colors import to_hex

    lines = {to_hex(line.get_color()): line for line in real.lines if len(line.get_xdata()) == 50}
    assert set(lines) == {COLOURS["CN"], COLOURS["AD"]}
    chosen = values[(values["method"] == "real_pet") & (values["region"] == "Precuneus_L")]
    for group in ("CN", "AD"):
        people = chosen[chosen["group"] == group]
        line = lines[COLOURS[group]]
        ages, drawn = line.get_xdata(), line.get_ydata()
        expected = fit_line(people["age"], people["value"])
        np.testing.assert_allclose(drawn, expected.at(ages))
        band = (
            next(
                band
                for band in real.collections
                if to_hex(band.get_facecolor()[0]) == COLOURS[group]
            )
            .get_paths()[0]
            .vertices
        )
        at_end = band[np.isclose(band[:, 0], ages[-1]), 1]
        assert np.ptp(at_end) == pytest.approx(2 * expected.half_width(ages[-1]))
    assert real.get_ylim() == own.get_ylim()
    thin = [line for line in told.lines if line.get_linewidth() < 1]
    assert len(thin) == 8
    assert all(list(line.get_xdata()) == AGES for line in thin)
    assert all(np.all(np.diff(line.get_ydata()) < 0) for line in thin)


def test_a_region_without_values_is_named(values):
    with pytest.raises(InputError, match="Cuneus_L"):
        regions_figure(values, ["Cuneus_L"], ["CN"], "Model")


def errors():
    rows = [
        (method, f"s{person}", visit, "CN", person % 2, "MAE", error + 0.001 * person)
        for method, error in {"dual_glow": 0.02, "mean_pet": 0.05}.items()
        for person in range(5)
        for visit in (("bl", "m12") if person == 0 else ("bl",))
    ]
    return pd.DataFrame(
        rows, columns=["method", "subject", "visit", "group", "fold", "metric", "value"]
    )


def test_boxes_stand_under_their_own_methods_a_dot_a_person():
    figure = mae_figure(errors(), {"mean_pet": "Mean PET", "dual_glow": "DUAL-GLOW"})
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.get_xticklabels()] == ["Mean PET", "DUAL-GLOW"]
    medians = sorted(
        (np.mean(line.get_xdata()), line.get_ydata()[0])
        for line in axis.lines
        if line.get_linewidth() == 2
    )
    assert [value for _, value in medians] == pytest.approx([0.052, 0.022])
    dots = [line for line in axis.lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [5, 5]
    with pytest.raises(InputError, match="cgan"):
        mae_figure(errors(), {"cgan": "cGAN"})


def test_median_case_of_all_groups_and_its_row_among_the_draws(coverage):
    case = typical_case(errors(), ["dual_glow"])
    assert case == Case("s1", "bl", "CN", 1)
    assert drawn_row(coverage, Case("s2", "bl", "CN", 0)) == 1
    with pytest.raises(InputError, match="fold 1: no s1 bl"):
        drawn_row(coverage, case)


def test_coverage_is_drawn_nominal_across_measured_up(anatomy, coverage, tmp_path):
    _, mask = anatomy
    rng = np.random.default_rng(0)
    real, mean, sd = rng.random((3, *mask.shape))
    figure = uncertainty_figure(real, mean, sd, mask, AFFINE, coverage, "title", "note")
    axis = next(axis for axis in figure.axes if axis.get_title(loc="left").startswith("Coverage"))
    mean_line = next(line for line in axis.lines if "mean of 2" in str(line.get_label()))
    assert list(mean_line.get_xdata()) == [0.5, 0.95]
    assert list(mean_line.get_ydata()) == pytest.approx([0.6 * 0.5, 0.6 * 0.95])
    spread = [
        plane[0] for plane in fakes.planes_of(figure) if plane[0].get_cmap().name == "viridis"
    ]
    assert len(spread) == 2 * 3
    assert len({image.get_clim() for image in spread}) == 1  # sd and error on one scale
    assert {"real", "mean of draws", "sd of draws", "absolute error"} <= set(fakes.words_in(figure))
    save(figure, tmp_path / "figure.png")
    assert Image.open(tmp_path / "figure.png").size[0] > 1200


def test_lower_rates_are_best_and_a_value_without_sd_stands_alone():
    rows = [
        ("real_pet", "false negative rate", 0.0, 0.06),
        ("dual_glow", "false negative rate", 0.3, 0.06),
        ("cgan", "false negative rate", 0.1, np.nan),
    ]
    table = pd.DataFrame(rows, columns=["method", "metric", "mean", "published_mean"])
    table = table.assign(unit="fraction", sd=0.1, n=8, p_value=np.nan, published_sd=np.nan)
    table = table.assign(low=np.nan, high=np.nan, p_holm=np.nan)
    view = table_view("a", "t", "c", table, {"real_pet": "Ground Truth"})
    assert view.heads[0][2] == "↓"
    assert [row.cells[0].best for row in view.rows] == [False, False, True]
    assert view.rows[1].cells[0].published == "0.06"
    assert view.rows[0].label == "Ground Truth"


def test_report_has_the_sections_of_what_there_is(tmp_path, values, coverage):
    names = ["mae", "synthesis_AD", "curves_dual_glow", "uncertainty_dual_glow"]
    names += ["ages_dual_glow_side", "regions_dual_glow_side"]
    paths = [tmp_path / f"figures/{name}.png" for name in names]
    (tmp_path / "figures").mkdir()
    for path in paths:
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(path)
    paths.append(tmp_path / "tables/coverage.tsv")
    coverage = pd.concat(coverage.assign(subject=f"s{number}") for number in range(6))
    scores = coverage.assign(metric="CRPS", unit="intensity in 0..1", value=0.012)
    named = [table.assign(method="dual_glow") for table in (coverage, scores)]
    write_tsv(paths[-1], coverage_table(*named, ["dual_glow"]))
    slopes = slope_table(values, [BRAIN, "Precuneus_L"], ["CN", "AD"])
    paths.append(tmp_path / "tables/ages.tsv")
    write_tsv(paths[-1], slopes)
    made = sections(paths, LABELS)
    assert [section.anchor for section in made] == [
        "dual-glow", "dual-glow-ages", "dual-glow-uncertainty", "dual-glow-training",
    ]  # fmt: skip
    assert len(made[0].figures) == 2
    titles = [picture.title for picture in made[1].figures]
    assert titles == [
        "With side information: one MRI at several ages (Figure 6)",
        "With side information: regions over age (Figure 7)",
    ]
    shown = made[1].listings[0].table
    told = shown[(shown["Age"] == "set, all else the same") & (shown["Region"] == BRAIN)]
    assert told["All"].item() == "-10.0 [-10.0, -10.0] (8)"
    held, scored = (listing.table.set_index("Method") for listing in made[2].listings)
    assert held.loc["DUAL-GLOW", ["50%", "95%"]].to_list() == ["30.0", "57.0"]
    assert scored.loc["DUAL-GLOW", "CRPS"] == "12.00"
    page = render(Report(title="T", lead="L", simulated={"adni": True}, sections=made))
    assert "Intervals: share that they hold" in page
    assert sections([], {}) == []


def test_captions_of_dual_glow_say_that_the_cohort_is_simulated(root):
    captions = sorted((root / "workflow/report").glob("dual_glow_*.rst"))
    assert len(captions) == 10
    assert all(SIMULATED_NOTE in path.read_text() for path in captions)
