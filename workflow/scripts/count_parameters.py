"""Count the parameters of the generator of every model of the run.

From the weights of each model's first fold: a table with a row a model.
"""

import pandas as pd
import torch

from mri2pet.files import write_tsv
from mri2pet.models.parameters import count_parameters
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    rows = []
    for weights, model in zip(snakemake.input, snakemake.params.models, strict=True):
        state = torch.load(weights, weights_only=True, map_location="cpu")
        count = count_parameters(model["generator"], state)
        own = {key: model[key] for key in ("system", "model")}
        rows.append(own | {"network": model["generator"]["name"], "parameters": count})
    write_tsv(snakemake.output[0], pd.DataFrame(rows))
