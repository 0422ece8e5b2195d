"""Names of what stands in the tables of diagnosis beside the trained models, and of scales."""

MEAN_PET, REAL_PET, ORACLE = "mean_pet", "real_pet", "oracle"
ONLY_MRI, MRI_AGE_SEX = "only_mri", "mri_age_sex"

WITHOUT_PET = (ONLY_MRI, MRI_AGE_SEX)  # the classifier sees no PET, real or synthetic
NOTHING_MADE = (*WITHOUT_PET, REAL_PET)  # no PET is synthesised for these
NOT_LEARNT = (ORACLE,)  # of a person's own truth: the same PET whichever folds are held out

# Scales of uptake (`scaling`): the dataset's own, each image's mean of a region, or corrected.
AS_MADE, PONS, BRAIN, CORRECTED = "as it is", "pons", "brain", "partial volume corrected"
REFERENCE_LABELS = {  # labels of AAL, from and to
    "cerebellum": (91, 116),
    "cerebellar grey matter": (91, 116),
    "vermis": (109, 116),
}
SCALES = (AS_MADE, *REFERENCE_LABELS, PONS, BRAIN, CORRECTED)
