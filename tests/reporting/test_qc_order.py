import numpy as np
import pandas as pd
import pytest

from mri2pet.reporting.qc_order import margins, nearest, worst_of_visits

COLUMNS = ["subject", "visit", "modality", "space", "measure", "value", "lowest", "highest"]
NAN = np.nan


def table(*rows):
    return pd.DataFrame(rows, columns=COLUMNS)


def test_margins_are_in_sd_from_the_nearer_limit():
    found = margins(
        table(
            ("A", "bl", "MRI", "s", "ml", 900.0, 800.0, 2200.0),
            ("B", "bl", "MRI", "s", "ml", 1100.0, 800.0, 2200.0),
            ("C", "bl", "MRI", "s", "ml", 2300.0, 800.0, 2200.0),
            ("C", "bl", "MRI", "s", "unjudged", 5.0, NAN, NAN),
        )
    )
    sd = np.std([900, 1100, 2300], ddof=1)
    assert found["margin"].to_list() == pytest.approx([100 / sd, 300 / sd, -100 / sd])
    assert found["limit"].to_list() == ["at least 800", "at least 800", "at most 2200"]


def test_a_measure_that_all_scans_share_is_near_nothing():
    seen = [(name, "bl", "PET", "s", "seen", 1.0, 0.98, NAN) for name in "AB"]
    own = [
        ("A", "bl", "PET", "s", "fit", 0.5, 0.1, NAN),
        ("B", "bl", "PET", "s", "fit", 0.3, 0.1, NAN),
    ]
    measures = table(*seen, *own)
    assert nearest(measures) == "B bl, PET fit 0.3 (at least 0.1)"
    worst = worst_of_visits(measures)
    assert worst["B", "bl"][0] < worst["A", "bl"][0] < np.inf
    alone = margins(table(("A", "bl", "PET", "s", "seen", 0.5, 0.98, NAN)))
    assert alone["margin"].to_list() == [-np.inf]  # beyond the limit it is the worst there is


def test_of_nothing_nothing_is_said():
    assert worst_of_visits(table()) == {}
    assert worst_of_visits(pd.DataFrame()) == {}
