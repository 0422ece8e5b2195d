"""mri2pet: from raw MRI and PET scans to synthetic PET, diagnosis and a report.

The entry; the workflow itself is workflow/Snakefile, where the workflow catalog looks for it.
"""


include: "workflow/Snakefile"


# Snakemake takes no default target from an included file.
if workflow.default_target is None:
    workflow.default_target = (rules.apply if BUNDLE else rules.all).rule.name
