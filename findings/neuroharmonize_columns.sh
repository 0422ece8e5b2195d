#!/usr/bin/env bash
# neuroHarmonize 2.4.5: a fitted model takes covariates by their place in the table, not by their names.
# Behaviour: `harmonizationApply` looks for the column SITE by name, and for the others by their order alone. The
#   model keeps no names, so that a table with the same columns in another order is taken, without a word, as if
#   sex were age.
# Seen (2026-11-30): 60 people of two sites, ten features that fall by .01 a year, site B higher by .3. The people
#   learnt from, with columns in the same order: the same values to the digit. With SEX before AGE: values are off
#   by up to .16, half of what the sites differ by.
# Why it matters: a model is learnt from one cohort's table and applied to another's, whose columns nobody promised
#   in the same order. Order the columns by name before both calls.
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

rng = np.random.default_rng(0)
people, features = 60, 10
told = pd.DataFrame(
    {
        "SITE": np.repeat(["A", "B"], people // 2),
        "AGE": rng.uniform(55, 90, people),
        "SEX": rng.integers(0, 2, people),
    }
)
falls = -0.01 * (told["AGE"].to_numpy() - 70)[:, None]
data = 1 + falls + rng.normal(0, 0.05, (people, features))
data[told["SITE"] == "B"] += 0.3

model, learnt = harmonizationLearn(data, told)
same = np.abs(harmonizationApply(data, told, model) - learnt).max()
other = np.abs(harmonizationApply(data, told[["SITE", "SEX", "AGE"]], model) - learnt).max()
print(f"off by {same:.3f} in the same order, by {other:.2f} with sex before age")
sys.exit(not (same < 1e-9 and other > 0.1))
END
