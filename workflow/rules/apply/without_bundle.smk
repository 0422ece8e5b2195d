"""What `apply` says where no bundle is named."""

from mri2pet.config.applied import CALL


def no_bundle(wildcards):
    """Refuse to apply nothing."""
    raise WorkflowError(
        f"bundle: name the trained model that is to be applied, and the folder of MRIs: {CALL}. A "
        "run leaves its bundles at results/SYSTEM/bundles/MODEL."
    )
