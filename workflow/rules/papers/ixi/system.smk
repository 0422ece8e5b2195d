"""T2 and PD of IXI from each other: its models, and what its rules share (parts X1 to X8)."""

IXI = config["ixi"]
IXI_MODELS = ENTRIES["ixi"]
IXI_PATCHES = IXI["patches"]


def ixi_entry(model):
    """Return a model's entry without what only names it."""
    return {key: value for key, value in IXI_MODELS[model].items() if key != "label"}


include: "volumes.smk"
include: "results.smk"
