"""Write what another group needs to hand in PET: people, folds, names of files, grid, mask.

From the dataset's visits, folds, description and mask.
"""

import nibabel as nib
import numpy as np

from mri2pet.files import atomic, read_json, read_tsv, sha256, write_json, write_tsv
from mri2pet.provenance.record import recorded
from mri2pet.synthesis.handed_in import kit_table, with_folds
from mri2pet.synthesis.write import affine_of

with recorded(snakemake):
    given, output, params = snakemake.input, snakemake.output, snakemake.params
    text = {"subject": str, "visit": str}
    visits, folds = (read_tsv(path, dtype=text) for path in (given.visits, given.folds))
    write_tsv(output.people, kit_table(with_folds(visits, folds)))
    affine, mask = affine_of(read_json(given.description), 0), np.load(given.mask)
    about = {"shape": list(mask.shape), "affine": affine.tolist(), "seed": params.seed}
    about |= {"simulated": params.simulated, "people_sha256": sha256(output.people)}
    write_json(output.grid, about)
    with atomic(output.mask) as partial:
        nib.save(nib.Nifti1Image(mask.astype(np.uint8), affine), partial)
