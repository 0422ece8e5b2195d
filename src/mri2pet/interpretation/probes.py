"""What a linear probe finds of age, sex and diagnosis in the codes of an MRI: part D6 of DUAL-GLOW.

Gradient reversal is to drive them out of the lower codes. Whether it has, a classifier that was
trained against them cannot say: a probe is fitted after training, on the people that the model was
trained on, and asked about those held out.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from mri2pet.datasets.brain_box import brain_box
from mri2pet.evaluation.probe_scores import PREDICTED
from mri2pet.models.blocks import block_means
from mri2pet.models.dual_glow import DualGlow
from mri2pet.models.side import ATTRIBUTES

LOWER, TOP, MRI = "lower codes of the MRI", "top code of the MRI", "MRI itself"
CONTROL = "only_mri"  # method of the last: it is of no model
BLOCKS = 4  # along each axis, over which means are taken, as in the classifiers of side information
PENALTY = 1.0  # of both probes, times the number of (standardised) features


@torch.inference_mode()
def probe_features(
    generator: DualGlow,
    mri: Sequence[NDArray],
    mask: NDArray[np.bool_],
    crop: int = 0,
    device: str | torch.device = "cpu",
) -> dict[str, NDArray[np.float32]]:
    """Return block means of the codes and of the MRI itself, (N, features) of each source.

    Parameters
    ----------
    generator
        Trained, in evaluation mode.
    mri
        N volumes (X, Y, Z), 0 to 1.
    mask, crop
        As for `synthesis.whole_volume.synthesise`.
    device
        Where to encode.
    """
    box = brain_box(mask, crop)
    generator = generator.to(device)
    rows: dict[str, list[NDArray[np.float32]]] = {LOWER: [], TOP: [], MRI: []}
    for image in mri:
        volume = torch.from_numpy(np.array(image[box], np.float32))[None, None].to(device)
        *lower, top = generator.encode_mri(volume + 0.5 / generator.bins)[0]
        for source, codes in ((LOWER, lower), (TOP, [top]), (MRI, [volume])):
            means = [block_means(code.float(), BLOCKS).flatten() for code in codes]
            rows[source].append(torch.cat(means).cpu().numpy())
    return {source: np.stack(found) for source, found in rows.items()}


def probe(
    train: NDArray, told: Sequence[object], test: NDArray, attribute: str
) -> NDArray[np.generic]:
    """Fit a regularised linear model to training people and ask it about others.

    Parameters
    ----------
    train, test
        (n, features) and (m, features).
    told
        (n,) age in years, or sex or diagnosis; what is missing is left out.
    attribute
        `age` for ridge regression, else logistic regression with balanced weights.

    Returns
    -------
    (m,) predictions; NaN or None where fewer than two people, or one class alone, are known.
    """
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    known = pd.notna(pd.Series(list(told), dtype=object)).to_numpy()
    values = np.array(list(told), dtype=object)[known]
    if len(set(values)) < 2:
        return np.full(len(test), np.nan if attribute == "age" else None)
    penalty = PENALTY * train.shape[1]
    if attribute == "age":
        values, model = values.astype(float), Ridge(alpha=penalty)
    else:
        values = values.astype(str)
        model = LogisticRegression(C=1 / penalty, class_weight="balanced", max_iter=1000)
    return make_pipeline(StandardScaler(), model).fit(train[known], values).predict(test)


def probe_fold(
    features: Mapping[str, NDArray], rows: pd.DataFrame, model: str, fold: int
) -> pd.DataFrame:
    """Probe all sources of one fold for all attributes.

    Parameters
    ----------
    features
        As `probe_features` makes them, of the rows.
    rows
        Visits: subject visit age sex group, and `role`: `training`, or `test` of those held out.
    model, fold
        Written into the table.

    Returns
    -------
    DataFrame
        One row a held-out visit, source and attribute, `PREDICTED`. Ages are less the mean of the
        training people's: a model that knows nothing then errs to neither side.
    """
    training, test = (rows["role"] == role for role in ("training", "test"))
    frames = []
    for attribute in ATTRIBUTES:
        column = rows["group" if attribute == "diagnosis" else attribute]
        told = column.astype(float) - column[training].mean() if attribute == "age" else column
        for source, values in features.items():
            parts = values[training], told[training].to_list(), values[test]
            frames.append(
                rows.loc[test, ["subject", "visit"]].assign(
                    method=CONTROL if source == MRI else model,
                    source=source,
                    attribute=attribute,
                    fold=fold,
                    truth=told[test],
                    predicted=probe(*parts, attribute),
                )
            )
    return pd.concat(frames, ignore_index=True)[list(PREDICTED)]
