"""Print the chain of one file back to what no job made: `--config file=results/...`.

From the sidecars: a tree of jobs with their code, parameters, hashes and environment, or with
`short=true` a line a rule; the same in full as JSON, results/provenance/trace.json.
"""

from mri2pet.errors import InputError
from mri2pet.files import write_json
from mri2pet.provenance.record import recorded
from mri2pet.provenance.records import read_records
from mri2pet.provenance.trace import chain, short, tree

with recorded(snakemake):
    params = snakemake.params
    if not params.file:
        raise InputError("say which file: snakemake --cores 1 trace --config file=results/...")
    records = read_records(params.records)
    write_json(params.chain, chain(records, params.file))
    print((short if params.short else tree)(records, params.file), end="")
