"""Runs of the synthesis study with planted errors, diagnoses and intervals."""

import numpy as np
import pandas as pd

from mri2pet.evaluation.image_tables import COLUMNS
from mri2pet.files import write_tsv

PEOPLE, FOLDS = 24, 4
# mean error, sd of what each person differs in from the others' common part, trainings
ERRORS = {
    "mean_pet": (0.050, 0.0005, 1),
    "oracle": (0.020, 0.0005, 1),
    "local_regression": (0.030, 0.0005, 1),
    "unet": (0.028, 0.0005, 3),
    "gla_gan": (0.026, 0.0005, 3),
    "global_gan": (0.029, 0.0005, 1),  # worse than both paths together
    "local_gan": (0.0261, 0.004, 1),  # people differ by more
    "k2": (0.022, 0.0005, 1),  # better than K = 4
    "k8": (0.0264, 0.0002, 1),  # worse by less than trainings differ
    "rectified_flow": (0.060, 0.0005, 1),  # worse than the mean image
    "unet_12": (0.034, 0.0005, 1),
    "local_regression_12": (0.032, 0.0005, 1),
    "unet_s150": (0.0281, 0.003, 1),
}
APART = (0.0, 0.0006, -0.0006)  # of a model's trainings
AUC_SHIFT = {"only_mri": 1.0, "real_pet": 9.0, "oracle": 9.0, "unet": 2.0, "gla_gan": 1.0}
AUC_SHIFT["rectified_flow"] = 2.0


def people():
    subjects = [f"S{number:02}" for number in range(PEOPLE)]
    groups = ["AD" if number % 2 else "CN" for number in range(PEOPLE)]
    folds = [number // 2 % FOLDS for number in range(PEOPLE)]
    return pd.DataFrame({"subject": subjects, "visit": "bl", "group": groups, "fold": folds})


def write_folds(folder, rows):
    for fold, own in rows.groupby("fold"):
        write_tsv(folder / f"fold-{fold}.tsv", own)


def balanced(rng, sd):
    """Numbers of mean zero in every fold, so that planted means are exact."""
    noise = pd.Series(rng.normal(0, sd, PEOPLE))
    return (noise - noise.groupby(people()["fold"]).transform("mean")).to_numpy()


def write_run(results, errors=ERRORS, diagnoses=AUC_SHIFT):
    """Write what a run leaves: errors of every training, predictions, scores of intervals."""
    system, rows, rng = results / "gla_gan", people(), np.random.default_rng(0)
    common = balanced(rng, 0.004)
    for name, (mean, sd, trainings) in errors.items():
        own = mean + common + balanced(rng, sd)
        for number in range(trainings):
            made = {"MAE": own + APART[number], "SSIM": 100 - 100 * (own + APART[number])}
            units = {"MAE": "intensity in 0..1", "SSIM": "percent"}
            parts = [
                rows.assign(metric=metric, unit=units[metric], value=values)
                for metric, values in made.items()
            ]
            called = name if not number else f"{name}__{number + 1}"
            write_folds(system / f"metrics/{called}", pd.concat(parts))
    hidden = rng.normal(0, 1, PEOPLE)
    ill = (rows["group"] == "AD").to_numpy()
    for name, shift in diagnoses.items():
        score = hidden + shift * ill
        told = rows.assign(truth=rows["group"], score=score, probability=0.5)
        told["predicted"] = np.where(score > shift / 2, "AD", "CN")
        write_folds(system / f"diagnosis/paired/{name}", told)
    for name, level in {"rectified_flow": 0.02, "gla_gan": 0.03}.items():
        values = rows.assign(metric="CRPS", unit="x", value=level + balanced(rng, 0.001))
        for fold, own in values.groupby("fold"):
            write_tsv(system / f"uncertainty/{name}/fold-{fold}/scores.tsv", own)
    table = pd.DataFrame(
        [
            (name, f"coverage at {level}", level - off, level - off - 1, level - off + 1)
            for name, off in (("rectified_flow", 3.0), ("voxel_t", 8.0))
            for level in (50, 80, 90, 95)
        ],
        columns=["method", "metric", "mean", "low", "high"],
    )
    table = table.assign(dataset="Paired", unit="percent", n=PEOPLE, sd=np.nan)
    write_tsv(system / "tables/coverage.tsv", table.reindex(columns=list(COLUMNS)))
    return results


def claimed(page, claim):
    """Return the cells of the one row of the page that begins with a claim."""
    (row,) = [line for line in page.splitlines() if line.startswith(f"| {claim}")]
    return [cell.strip() for cell in row.strip("|").split("|")]
