"""Write the training curves of a run as TensorBoard's event files, a folder a training.

From the history of each training.
"""

from pathlib import Path

from mri2pet.files import folder_beside, read_tsv
from mri2pet.provenance.record import recorded
from mri2pet.training.event_files import run_name, write_events

with recorded(snakemake):
    out = Path(snakemake.output[0])
    with folder_beside(out) as folder:
        made = folder / out.name
        for path in snakemake.input:
            write_events(read_tsv(path).to_dict("records"), made / run_name(path))
        made.rename(out)
