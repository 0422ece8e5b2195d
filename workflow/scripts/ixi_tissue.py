"""Compare the tissues of the real and the synthesised volumes of one person to test on.

The template's T2 is registered to the person's; inside its brain T2, PD and every model's volume
are segmented alike. Writes the Dice of grey matter, white matter and CSF between synthesised and
real volumes (`copy`: between the source and the target), and the labels. A person whom a stage has
left out has an empty table.
"""

import numpy as np

from mri2pet.datasets.selection import of_split
from mri2pet.evaluation.tissues import COLUMNS, compare_tissues
from mri2pet.files import atomic, read_json, read_tsv, write_tsv
from mri2pet.imaging.contrast_brain import brain_of, tissues
from mri2pet.imaging.volume import Volume, load_volume
from mri2pet.provenance.record import recorded

with recorded(snakemake):
    import pandas as pd

    given, output = snakemake.input, snakemake.output
    subject, directions = snakemake.wildcards.subject, snakemake.params.directions
    visits = read_tsv(given.dataset, dtype={"subject": str})
    table, labels = pd.DataFrame(columns=list(COLUMNS)), {}
    if (own := visits["subject"] == subject).any():
        index = int(visits.loc[own, "index"].item())
        affine = np.array(read_json(given.description)["affines"][index])
        place = int(np.flatnonzero(of_split(visits, "val", "test")["subject"] == subject)[0])
        volumes = {name: np.load(given[name], mmap_mode="r")[index] for name in ("t2", "pd")}
        made = {
            model: np.load(path, mmap_mode="r")[place]
            for model, path in zip(directions, given.made, strict=True)
        }
        t2 = Volume(np.array(volumes["t2"]), affine)
        brain = brain_of(t2, load_volume(given.template), load_volume(given.mask))
        labels = {
            name: tissues(Volume(np.array(each), affine), brain, directions.get(name, [0, name])[1])
            for name, each in {**volumes, **made}.items()
        }
        table = compare_tissues(labels, directions, subject)
    write_tsv(output.table, table)
    with atomic(output.labels) as partial:
        np.savez_compressed(partial, **labels)
