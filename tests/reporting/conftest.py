"""What tests of the report share."""

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def pictures(tmp_path):
    """QC pictures of two visits, one of them excluded with an empty picture."""
    paths = []
    for subject, stage in (("011S0005", "n4"), ("011S0005", "acpc"), ("002S0001", "acpc")):
        path = tmp_path / f"sub-{subject}_ses-bl_{stage}_qc.png"
        Image.fromarray(np.full((90, 900, 3), 128, dtype=np.uint8)).save(path)
        paths.append(path)
    empty = tmp_path / "sub-002S0001_ses-bl_n4_qc.png"
    empty.touch()
    return [*paths, empty, tmp_path / "sub-002S0001_ses-bl_segment_qc.png"]
