"""Regional bias and the contrast that is kept, from made-up features."""

import numpy as np
import pandas as pd
import pytest

from mri2pet.cohorts.sites import site_of
from mri2pet.errors import InputError
from mri2pet.evaluation.regional_bias import (
    BIAS,
    COLUMNS,
    CONTRAST,
    CORRELATION,
    EVERY,
    REAL,
    SLOPE,
    bias_table,
    kept,
    with_sites,
)

REGIONS = [f"R{number}" for number in range(1, 11)]
PATTERN = np.linspace(-0.2, 0.0, len(REGIONS))  # of the disease
PEOPLE = 16


def people():
    """Eight of each group, one of them with two visits; sites of four people but one."""
    site = [f"{number // 4 + 2:03d}" for number in range(PEOPLE - 1)] + ["099"]
    subjects = [f"{place}S{number:04d}" for number, place in enumerate(site)]
    groups = ["AD" if number % 2 else "CN" for number in range(PEOPLE)]
    sexes = ["F" if number % 4 < 2 else "M" for number in range(PEOPLE)]
    table = pd.DataFrame({"subject": subjects, "visit": "bl", "group": groups, "sex": sexes})
    table = pd.concat([table, table[:1].assign(visit="m12")], ignore_index=True)
    return table.assign(index=range(len(table)), kind="paired")


def features(visits, values, tissues=("GM", "WM")):
    """Turn (visits, regions) into a table of features; other tissues hold what must not be read."""
    frames = []
    for place, visit in enumerate(visits.to_dict("records")):
        for tissue in tissues:
            own = values[place] if tissue == tissues[0] else values[place] + 9
            names = {"region": np.arange(1, len(REGIONS) + 1), "name": REGIONS, "value": own}
            frames.append(pd.DataFrame({**visit, "modality": "PET", "tissue": tissue, **names}))
    return pd.concat(frames, ignore_index=True)


def uptakes(shrink=1.0, seed=0):
    """Uptake of each visit: the same in all people but for the disease, in part, and their "
    "scatter."""
    visits = people()
    ill = (visits["group"] == "AD").to_numpy(dtype=float)[:, None]
    scatter = np.random.default_rng(seed).normal(0, 0.01, (PEOPLE, len(REGIONS)))
    own = pd.factorize(visits["subject"])[0]
    return 0.6 + shrink * ill * PATTERN + scatter[own]


def table_of(made, told=(), tissues=("GM", "WM")):
    visits = with_sites(people(), None)
    real = features(people(), uptakes(), tissues)
    synthetic = {name: features(people(), values, tissues) for name, values in made.items()}
    return bias_table(visits, real, synthetic, ["AD"], ["CN"], told)


def of(table, method, metric, region=EVERY, by="all", level="all"):
    chosen = table[(table["method"] == method) & (table["metric"] == metric)]
    chosen = chosen[(chosen["region"] == region) & (chosen["by"] == by)]
    return chosen[chosen["level"] == level].iloc[0]


@pytest.mark.parametrize("offset", [0.05, -0.05])
@pytest.mark.parametrize("tissues", [("GM", "WM"), ("all",)])
def test_bias_is_synthetic_less_real(offset, tissues):
    made = uptakes()
    made[:, 3] += offset
    table = table_of({"unet": made}, tissues=tissues)
    assert tuple(table.columns) == COLUMNS
    assert of(table, "unet", BIAS, "R4")["mean"] == pytest.approx(offset)
    assert of(table, "unet", BIAS, "R5")["mean"] == pytest.approx(0, abs=1e-12)
    assert of(table, "unet", BIAS)["mean"] == pytest.approx(offset / len(REGIONS))


def test_bias_is_told_by_group_sex_and_site_over_people():
    visits, made = people(), uptakes()
    ill = (visits["group"] == "AD").to_numpy()
    made[ill] += 0.08
    made[-1] += 0.04  # the second visit of a person: half of it is that person's
    table = table_of({"unet": made})
    assert of(table, "unet", BIAS, "R1", "group", "AD")["mean"] == pytest.approx(0.08)
    healthy = of(table, "unet", BIAS, "R1", "group", "CN")
    assert healthy["mean"] == pytest.approx(0.04 / 2 / 8)
    assert healthy["n"] == 8
    assert healthy["low"] <= healthy["mean"] <= healthy["high"]
    assert set(table.loc[table["by"] == "sex", "level"]) == {"F", "M"}
    sites = table[table["by"] == "site"]
    assert set(sites["level"]) == {"002", "003", "004", "005", "099"}
    assert set(sites.loc[sites["level"] == "002", "region"]) == {EVERY, *REGIONS}
    alone = sites[sites["level"] == "099"]  # one person: neither regions nor an interval
    assert list(alone["region"]) == [EVERY]
    assert np.isnan(alone["low"].item())


def test_a_whole_contrast_has_slope_one_and_a_shrunken_one_less():
    made = {"whole": uptakes() + 0.1, "shrunken": uptakes(0.4), "mean_pet": uptakes(0.0)}
    table = table_of(made)
    assert of(table, "whole", SLOPE)["mean"] == pytest.approx(1)
    assert of(table, "whole", CORRELATION)["mean"] == pytest.approx(1)
    shrunken = of(table, "shrunken", SLOPE)
    assert shrunken["mean"] == pytest.approx(0.4, abs=0.05)
    assert shrunken["low"] <= shrunken["mean"] <= shrunken["high"] < 1
    assert of(table, "shrunken", CORRELATION)["mean"] > 0.95
    assert abs(of(table, "mean_pet", SLOPE)["mean"]) < 0.15
    assert of(table, "whole", SLOPE)["n"] == PEOPLE


def test_contrasts_by_region_are_positive_less_negative_of_the_same_people():
    table = table_of({"shrunken": uptakes(0.5)})
    for region, expected in zip(REGIONS, PATTERN, strict=True):
        assert of(table, REAL, CONTRAST, region)["mean"] == pytest.approx(expected, abs=0.02)
        made = of(table, "shrunken", CONTRAST, region)
        assert made["mean"] == pytest.approx(expected / 2, abs=0.02)
    assert len(table[(table["method"] == REAL)]) == len(REGIONS)


def test_who_is_told_the_diagnosis_has_a_bias_and_no_contrast():
    table = table_of({"unet": uptakes(), "told": uptakes()}, told=["told"])
    assert BIAS in set(table.loc[table["method"] == "told", "metric"])
    assert not {SLOPE, CONTRAST} & set(table.loc[table["method"] == "told", "metric"])


def test_visits_of_a_person_do_not_narrow_the_intervals():
    once = of(table_of({"unet": uptakes(0.4, seed=1)}), "unet", SLOPE)
    visits = pd.concat([people().assign(visit=visit) for visit in ("bl", "m12", "m24")])
    visits = visits[visits["index"] < PEOPLE].assign(index=range(3 * PEOPLE))
    real, made = (
        features(visits, np.tile(values[:PEOPLE], (3, 1)))
        for values in (uptakes(), uptakes(0.4, seed=1))
    )
    table = bias_table(with_sites(visits, None), real, {"unet": made}, ["AD"], ["CN"])
    often = of(table, "unet", SLOPE)
    assert [often[name] for name in ("mean", "low", "high", "n")] == pytest.approx(
        [once[name] for name in ("mean", "low", "high", "n")]
    )


def test_a_region_without_tissue_is_left_out():
    real = np.array([[-0.2, np.nan, -0.1, 0.0]])
    made = np.array([[-0.1, 5.0, -0.05, 0.0]])
    found = kept(real, made)
    assert found[SLOPE][0] == pytest.approx(0.5)
    assert found[CORRELATION][0] == pytest.approx(1)
    assert np.isnan(kept(real[:, :3], made[:, :3])[SLOPE]).all()  # two regions are left
    assert np.isnan(kept(np.zeros((1, 4)), made)[CORRELATION]).all()


def test_one_group_alone_has_no_contrast():
    visits = people()
    own = visits["group"] == "CN"
    chosen, values = visits[own], uptakes()[own.to_numpy()]
    both = features(chosen, values)
    table = bias_table(with_sites(chosen, None), both, {"unet": both}, ["AD"], ["CN"])
    assert set(table["metric"]) == {BIAS}


def test_methods_on_other_people_are_refused():
    real = features(people(), uptakes())
    fewer = real[real["subject"] != people()["subject"][3]]
    with pytest.raises(InputError, match=r"unet was measured on subject 002S0003, visit bl, and "
                       r"cycle was not"):  # fmt: skip
        bias_table(people(), real, {"unet": real, "cycle": fewer}, ["AD"], ["CN"])


@pytest.mark.parametrize(
    "subject, site", [("011S0005", "011"), ("011_S_0005", "011"), ("01", None), ("S0005", None)]
)
def test_the_site_is_read_off_an_adni_label(subject, site):
    assert site_of(subject) == site


def test_the_site_of_a_bids_dataset_is_its_own_column_or_none():
    visits = pd.DataFrame({"subject": ["01", "011S0005"]})
    table = pd.DataFrame({"participant_id": ["sub-01", "sub-02"], "site": ["Lyon", "Nice"]})
    assert with_sites(visits, table)["site"].to_list()[0] == "Lyon"
    assert with_sites(visits, table)["site"].isna().to_list() == [False, True]
    assert with_sites(visits, table.drop(columns="site"))["site"].isna().all()
