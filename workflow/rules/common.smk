"""What all rules share: the checked configuration, paths, fingerprints of code, resources."""

from functools import cache

from mri2pet.bundles.manifest import read_manifest
from mri2pet.config.applied import FOLDER, applied_config, applied_name, check_applied
from mri2pet.config.check import check_config, run_systems
from mri2pet.config.left_out import without_left_out
from mri2pet.config.schema import load_schema
from mri2pet.config.studies import with_raw
from mri2pet.config.systems import SPACES, SYSTEMS as KNOWN_SYSTEMS
from mri2pet.config.typed import typed
from mri2pet.errors import InputError
from mri2pet.provenance.fingerprint import forget_sources
from mri2pet.provenance.kept_fingerprints import KeptFingerprints
from mri2pet.starts.listing import FOR_ALL

GIVEN = config  # as the user gave it, before anything is taken out
SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
VISIT = "sub-{subject}/ses-{visit}"
NAME = "sub-{subject}_ses-{visit}"

config = typed(config, load_schema(SCHEMA))
# A trained model that is applied to the MRIs in `raw` (rules/apply/); else what lies in `raw` is
# trained on.
BUNDLE = config.pop("bundle", "")
APPLIED_RAW = config.pop("raw", "") if BUNDLE else ""
config = with_raw(config, [name for name, known in KNOWN_SYSTEMS.items() if known.raw])
# A system or a model of `null`, as a configuration laid over another says it, is like one not there.
config = without_left_out(config, KNOWN_SYSTEMS)

try:
    check_config(config, SCHEMA)
    # PET that others have made, and models it is judged beside (papers/gla_gan/contest.smk).
    SUBMISSION, BESIDE = config.pop("submission", ""), config.pop("beside", [])
    if BUNDLE:
        check_applied(BUNDLE, APPLIED_RAW)
        MANIFEST = read_manifest(BUNDLE, whole=workflow.is_main_process)
        wanted = config.get("apply", {}).get("name", "")
        RESULTS = f"{FOLDER}/{applied_name(MANIFEST, APPLIED_RAW, wanted)}"
        config = applied_config(config, MANIFEST, APPLIED_RAW)
    else:
        RESULTS = "results"
except InputError as error:
    raise WorkflowError(str(error)) from None
# Questions to `trace`, not settings.
TRACED, SHORT = config.pop("file", ""), config.pop("short", False)

# What this run makes, what each system of it works on, and what these spaces stand on.
SYSTEMS = run_systems(config)
SPACE = {system: KNOWN_SYSTEMS[system].space for system in SYSTEMS}
USED_SPACES = [
    space
    for space in SPACES
    if space in SPACE.values() or any(SPACES[own].after == space for own in SPACE.values())
]


def more(amount):
    """Return a resource that is `amount`, and as much again at each further attempt."""

    def amount_at(wildcards, attempt):
        return amount * attempt

    setattr(amount_at, FOR_ALL, True)
    return amount_at


FINGERPRINTS = KeptFingerprints(
    ROOT / "workflow/scripts", ROOT / "src/mri2pet", Path(".snakemake/mri2pet/fingerprints.json")
)


@cache
def code(script, *symbols):
    """Return the fingerprint of a script and of all that it reaches, and what it is of.

    The audit of a record computes the fingerprint again from the names.
    """
    return " ".join([FINGERPRINTS.of(script, symbols), script, *symbols])


# What the rules of a system add for those that show it.
FURTHER_LABELS = {}  # labels of what a system's tables and figures have beside its models
SECTION_OPTIONS = {}  # what the functions that make its sections of the report need
SHOWN = {}  # the files that the report shows of each system
