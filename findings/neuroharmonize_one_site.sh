#!/usr/bin/env bash
# neuroHarmonize 2.4.5: a model of several sites is applied to people of all its sites at once, or not at all.
# Behaviour: `harmonizationApply` builds its design from the sites that stand in the table it is given, and
#   multiplies it by the coefficients of all sites learnt. With a site missing, the shapes differ.
# Seen (2026-11-30): learnt from 60 people of sites A and B. All 60 again: harmonised. The 30 of B, or one person:
#   ValueError, "shapes (30,3) and (4,10) not aligned", (1,3) for one. With a person of A beside them: B's values
#   are the same as among all 60.
# Why it matters: a fitted model is there for the people who come later, one after another. Give one person of each
#   learnt site along, and drop their rows.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet neuroHarmonize==2.4.5 neuroCombat==0.2.12 numpy==2.4.6 pandas==3.1.1 statsmodels==0.15.0 nibabel==5.4.2 scipy==1.17.1
cd "$work"
venv/bin/python - <<'END'
import sys

import numpy as np
import pandas as pd
from neuroHarmonize import harmonizationApply, harmonizationLearn

rng = np.random.default_rng(1)
people, features = 60, 10
told = pd.DataFrame(
    {
        "SITE": np.repeat(["A", "B"], people // 2),
        "AGE": rng.uniform(55, 90, people),
        "SEX": rng.integers(0, 2, people),
    }
)
data = rng.normal(1, 0.05, (people, features))
data[told["SITE"] == "B"] += 0.3
model, learnt = harmonizationLearn(data, told)


def applied(rows):
    """The harmonised values of some people, or what the library says."""
    try:
        return harmonizationApply(data[rows], told.iloc[rows].reset_index(drop=True), model)
    except ValueError as error:
        return str(error)


of_b, one, beside = (applied(rows) for rows in (range(30, 60), [45], [0, *range(30, 60)]))
print("people of B:", of_b)
print("one person:", one)
off = np.abs(beside[1:] - learnt[30:]).max()
print(f"people of B beside one of A: off by {off:.3f}")
refused = all("not aligned" in str(found) for found in (of_b, one))
sys.exit(not (refused and off < 1e-9))
END
