"""The report's section on training sets and injected lesions, on made-up results."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from mri2pet.anomaly.spread import RATIO, TOP, spread_table
from mri2pet.files import write_tsv
from mri2pet.reporting.detector_controls import sections
from mri2pet.reporting.figures import save

LABELS = {"placebo": "Copies", "more_real": "Further real", "semi_3d": "Semi-3D"}
FOUND = {
    "placebo": [{RATIO: 0.0, TOP: 0.98}, {RATIO: 0.0, TOP: 0.97}],
    "more_real": [{RATIO: 1.1}, {RATIO: 0.9}],
    "semi_3d": [{RATIO: np.nan, TOP: 0.9}, {RATIO: np.nan, TOP: 0.9}],
}


@pytest.fixture
def tables(tmp_path):
    table = spread_table(FOUND, {"placebo": 4, "more_real": 40, "semi_3d": 1})
    write_tsv(tmp_path / "spread.tsv", table)
    return [tmp_path / "spread.tsv"]


def test_a_row_a_training_set_in_their_order(tables):
    (section,) = sections(tables, LABELS)
    (listing,) = section.listings
    shown = listing.table
    assert shown["Training set"].tolist() == list(LABELS.values())
    assert shown["People added"].tolist() == ["4", "40", "1"]
    assert shown[RATIO].tolist() == ["0.000 ± 0.000", "1.000 ± 0.141", "n/a"]
    assert shown[TOP].tolist() == ["0.975 ± 0.007", "n/a", "0.900 ± 0.000"]


def test_injected_lesions_are_shown_where_there_are_some(tables, tmp_path):
    assert not sections([], LABELS)
    save(Figure(), tmp_path / "injection.png")
    (section,) = sections([*tables, tmp_path / "injection.png"], LABELS)
    assert len(section.figures) == 1 and len(section.listings) == 1
