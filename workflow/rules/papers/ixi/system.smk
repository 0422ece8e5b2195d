"""T2 and PD of IXI from each other: its models, and what its rules share (parts X1 to X8)."""

IXI_MODELS = ENTRIES["ixi"]


include: "results.smk"
