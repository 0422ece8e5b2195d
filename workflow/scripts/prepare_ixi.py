"""Bring T2 and PD of one person to the grid of the networks and standardise them.

Both are of one acquisition, which their headers must show. Writes the two volumes and one sidecar
with what was taken off and divided by; a pair that is none leaves empty files and the reason.
"""

from mri2pet.exclusion import run_stage
from mri2pet.imaging.dual_echo import ReducedGrid, prepare_pair
from mri2pet.imaging.volume import load_scan, save_volume
from mri2pet.provenance.record import recorded

source, made = snakemake.input, snakemake.output


def work():
    grid = ReducedGrid.from_config(snakemake.params.grid)
    volumes, measures = prepare_pair(load_scan(source.t2), load_scan(source.pd), grid)
    for name, volume in volumes.items():
        save_volume(made[name], volume)
    return measures | {"Grid": snakemake.params.grid}


with recorded(snakemake):
    run_stage(
        "prepare_ixi",
        work,
        sidecar=made.sidecar,
        outputs=[made.t2, made.pd],
        sources=[source.t2, source.pd],
        upstream=source.sidecars,
    )
