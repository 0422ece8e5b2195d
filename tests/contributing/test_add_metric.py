"""A metric is added by CONTRIBUTING's list: one entry of one table."""

import os
import subprocess
import sys

import pytest

from mri2pet.evaluation import image_metrics

FILE = "src/mri2pet/evaluation/image_metrics.py"
FUNCTION = '''

def worst(real: NDArray, synthetic: NDArray, mask: NDArray, data_range: float) -> float:
    """Largest absolute error inside the mask, as a share of the data range."""
    return float(np.abs(synthetic - real)[mask].max() / data_range)


@dataclass(frozen=True)
class Metric:
'''
ENTRY = '        Metric("Worst", worst, "share of the range", False, digits=2),\n'
SHOWS = """
import numpy as np, pandas as pd
from mri2pet.evaluation.image_metrics import measure_visits
from mri2pet.evaluation.image_tables import image_table
rng = np.random.default_rng(0)
real = rng.random((4, 12, 12, 12))
visits = pd.DataFrame({"index": range(4), "subject": list("abcd"), "visit": "bl", "group": "CN",
                       "role": "test"})
mask = np.ones(real.shape[1:], bool)
tables = [
    measure_visits(visits, real, real + offset, mask, 0).assign(method=name)
    for name, offset in (("good", 0.1), ("poor", 0.4))
]
nobody = pd.DataFrame(columns=["dataset", "model", "metric", "unit", "mean", "sd"])
values = pd.concat(tables, ignore_index=True)
for system in ("gla_gan", "dual_glow"):
    table = image_table(values, ["good", "poor"], nobody, system=system)
    for row in table[table["metric"] == "Worst"].to_dict("records"):
        print(system, row["method"], row["unit"], round(row["mean"], 6))
"""


@pytest.mark.skipif(  # the table of metrics comes with the branch of IXI on the common path
    not hasattr(image_metrics, "Metric"), reason="there is no table of metrics yet"
)
def test_a_metric_is_one_entry_of_one_table(copy):
    copy.replace(FILE, "\n\n@dataclass(frozen=True)\nclass Metric:\n", FUNCTION)
    copy.insert(FILE, '        Metric("PSNR", psnr, "dB", True),', ENTRY)
    copy.held_by("metric")
    command = [sys.executable, "-c", SHOWS]
    environment = {**os.environ, "PYTHONPATH": str(copy.root / "src")}
    said = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    lines = [f"{system} {name} share of the range {value}"
             for system in ("gla_gan", "dual_glow")
             for name, value in (("good", 0.1), ("poor", 0.4))]  # fmt: skip
    assert said.stdout.splitlines() == lines
