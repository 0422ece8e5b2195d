# The space "linear": an affine to the template; MRI, PET and tissues on the grid of the networks.

RES64 = f"results/preproc/{VISIT}/anat/{NAME}_space-MNI152_res-64"

from mri2pet.config.learnt import learnt_groups

PACKED["linear"] = {
    "space": "MNI152NLin6Asym by an affine",
    "arrays": {"mri": MRI_TEXT, "pet": PET_TEXT, "seen": SEEN_TEXT, **TISSUE_TEXT},
    "folds": {
        "n": config["folds"]["n"],
        "by": config["folds"].get("by", PERSON),
        "groups": list(STUDIES[space_study("linear")].groups),
        "learnt": learnt_groups(config, [s for s in SYSTEMS if not KNOWN_SYSTEMS[s].own_folds]),
        "spare": {
            f"{s}.validation.people": config[s].get("validation", {}).get("people", 0)
            for s in SYSTEMS
            if not KNOWN_SYSTEMS[s].own_folds
        },
    },
    "input": {
        **TEMPLATE_GRIDS,
        "cohort": COHORT.format(study=space_study("linear")),
        "mri": each_visit(f"{RES64}_desc-normalised_T1w.nii.gz", "linear"),
        **{
            name: each_visit(f"{RES64}_label-{name.upper()}_probseg.nii.gz", "linear")
            for name in TISSUE_TEXT
        },
        "mri_sidecar": each_visit(f"results/preproc/{VISIT}/anat/{NAME}_qc.json", "linear"),
        "pet": each_visit(
            f"results/preproc/{VISIT}/pet/{NAME}_space-MNI152_res-64_trc-{{tracer}}_pet.nii.gz",
            "linear",
            kind="paired",
        ),
        "seen": each_visit(
            f"results/preproc/{VISIT}/pet/"
            f"{NAME}_space-MNI152_res-64_trc-{{tracer}}_desc-seen_mask.nii.gz",
            "linear",
            kind="paired",
        ),
        "pet_sidecar": each_visit(
            f"results/preproc/{VISIT}/pet/{NAME}_space-MNI152_res-2_trc-{{tracer}}_pet.json",
            "linear",
            kind="paired",
        ),
    },
}
