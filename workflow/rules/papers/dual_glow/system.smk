"""DUAL-GLOW: its models and groups, and what its rules share (parts D5 to D10)."""

from mri2pet.config.dual_glow import example_groups
from mri2pet.config.systems import told

SETTINGS = config["dual_glow"]
FLOWS = ENTRIES["dual_glow"]  # the flow and its peers, name to entry
FLOW_LABELS = {model: entry["label"] for model, entry in FLOWS.items()}
DRAWN = [model for model, entry in FLOWS.items() if entry["generator"]["name"] == "dual_glow"]
AGED = [model for model in DRAWN if "age" in told(FLOWS[model])]
DIAGNOSING = [model for model in FLOWS if "diagnosis" not in told(FLOWS[model])]
FLOW_FOLDS = folds_of("dual_glow")
FLOW_GROUPS = SETTINGS.get("training_groups", [])
FLOW_EXAMPLES = example_groups(config)  # whose cases are drawn
PUBLISHED_FLOWS = source_file("resources/published/dual_glow.tsv")
FLOW_METRICS = expand(
    "results/dual_glow/metrics/{model}/fold-{fold}.tsv",
    model=[*FLOWS, *untrained("dual_glow")],
    fold=FLOW_FOLDS,
)


include: "uncertainty.smk"
include: "tables.smk"


if CROSS_FITTED["dual_glow"]:

    include: "cross_fitted.smk"


include: "probes.smk"


if AGED and "dual_glow" in ORACLE_SYSTEMS:

    include: "counterfactual.smk"


include: "ages.smk"
