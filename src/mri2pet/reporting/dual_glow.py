"""Sections of the report on DUAL-GLOW: image quality, diagnosis, age, uncertainty, training."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from mri2pet.evaluation.image_metrics import DESCRIPTION
from mri2pet.files import read_tsv
from mri2pet.reporting import intervals, regional_bias, strata
from mri2pet.reporting.age_figures import slopes_listing
from mri2pet.reporting.captions import CONTROLS, CURVES, LEARNT, SYNTHESIS, THRESHOLD
from mri2pet.reporting.html import Listing, Picture, Section, filled
from mri2pet.reporting.pictures import data_uri, named_pictures
from mri2pet.reporting.side_tables import side_listings
from mri2pet.reporting.views import table_view

FOLDS = (
    "Mean and sd (ddof 1) are over folds. Mean PET predicts the mean image of the training folds "
    "for everybody. "
)
TABLE_1 = (
    DESCRIPTION + " CorCoef: Pearson's correlation over the same voxels. " + FOLDS + "p is "
    "of the paired two-tailed t-test over subjects (their visits averaged). The flow's PET is that "
    "of the mean code."
)
MACHINE = (
    "RBF support vector machine on the mean PET intensity of the 116 AAL regions, without "
    "MRI: imputation, scaling, C and gamma are set inside the training folds. "
)
RATES = (
    "Only MRI has the mean MRI intensity of the same regions in place of the PET's. False negative "
    "rate: share of the visits of the positive "
    "groups that are called negative; false positive rate: share of the others that are called "
    "positive. The three numbers that the paper prints for each row add up to 100%, so its "
    "rates can only be shares of all tests: the two columns 'of all' are those, and the ones "
    "to compare with it. " + FOLDS + "Intervals: subjects resampled class by class. p of the "
    "accuracy: McNemar's exact test over subjects; of the rest: the same resamples of subjects. "
    "AUC: of all pairs of a positive and a negative visit of one fold, the share whose scores are "
    "in the right order. It does not depend on the threshold. "
)
UNMOVED = (
    "Where synthetic PET differs less between people than real PET does, the threshold, learnt "
    "from real PET, does not move along: the accuracy can be low with an AUC of 1. "
)
TABLE_2 = (
    MACHINE + "Trained on real PET of the training folds; tested on real PET (Ground Truth) or a "
    "method's synthetic PET of the held-out fold. " + THRESHOLD + UNMOVED + CONTROLS + RATES
)
CROSS_FITTED = (
    MACHINE + LEARNT + "So the paper trains its machine, on generated images. " + CONTROLS + RATES
)
MAE = (
    "Mean absolute error inside the brain mask, a dot a held-out person (visits averaged). "
    "Box: quartiles and median; whiskers: the furthest dots within 1.5 interquartile ranges. "
    "The axis starts at zero."
)
AGES = (
    "The generator is told another age than the person's; the MRI, sex and diagnosis stay the "
    "same. PET of the mean code, without noise: pictures differ by the age alone. Right: the "
    "difference of each to the first, over the MNI152 template. The case is the first fold's "
    "held-out visit with the median error. A star marks ages outside those of the training "
    "people: nothing was learnt there, and what is shown goes on from within."
)
REGIONS = (
    "A dot a held-out person (visits averaged), the least-squares line of each diagnosis and "
    "the 95% confidence band of the line, t s sqrt(1/n + (age - mean age)² / Sxx): it says "
    "where the line may lie, not where people do. Left: real PET; middle: synthetic PET, told "
    "the person's own age; right: the same MRIs, told each age in turn, mean over people "
    "with its 95% interval, a thin line a visit. The right column alone separates what the "
    "generator was told from what it sees in the MRI. A group of fewer than three people has "
    "no line; bands that reach beyond the panel are cut. Dashed: ages outside those of the "
    "training people; of the mean, of any fold's."
)
SLOPES = (
    "Change of mean intensity a decade, in thousandths of the intensity range, with the 95% "
    "interval and the number of people. Own age: least-squares slope over people; of all "
    "groups together, with an intercept a group. Set: each MRI's own slope, averaged over people, "
    "then folds, with the interval over folds: people of one fold share a generator."
)
UNCERTAINTY = (
    "Mean and standard deviation over draws from the model's distribution of PETs given one "
    "MRI, and the absolute error of the mean, on one scale with the standard deviation. "
    "Right: of K draws the interval between the r-th smallest and the r-th largest holds a "
    "further one with probability 1 - 2r/(K + 1), whatever the distribution; measured is the "
    "share of the brain's voxels whose real PET lies in it. Below the dashed line a model is "
    "surer than it should be. Each level's sigma is multiplied by a temperature, estimated on "
    "people held out inside the training folds. The case is the held-out visit with the median "
    "error."
)


def sections(paths: Iterable[str | Path], labels: Mapping[str, str]) -> list[Section]:
    """Make the sections of what there is, from the files under results/dual_glow.

    Parameters
    ----------
    paths
        `tables/{table1,table2,cross_fitted,ages,counterfactual,probes,regional_bias,coverage,
        strata}.tsv`,
        `figures/{mae,regional_bias,regional_maps,synthesis_<group>,curves_<model>,
        uncertainty_<model>,ages_<model>,regions_<model>}.png`; any may be missing.
        None at all where DUAL-GLOW is not configured.
    labels
        Model to label.
    """
    found = [Path(path) for path in paths]
    made = [
        _results(found, labels),
        *regional_bias.sections(
            found, labels, "dual-glow-regional-bias", "DUAL-GLOW: regional bias"
        ),
        *strata.sections(
            found, labels, "dual-glow-strata", "DUAL-GLOW: by sex, age, group and scanner"
        ),
        _ages(found, labels),
        _uncertainty(found, labels),
        Section(
            "dual-glow-training",
            "DUAL-GLOW: training",
            _pictures(found, "curves", "Training of {}", CURVES, labels),
        ),
    ]
    return filled(made)


def _results(found: list[Path], labels: Mapping[str, str]) -> Section:
    """Show Tables 1 and 2, Figures 4 and 5."""
    figures = [
        Picture("Mean absolute error (Figure 4)", MAE, data_uri(path))
        for path in found
        if path.name == "mae.png"
    ]
    figures += _pictures(found, "synthesis", "Synthetic PET, {} case (Figure 5)", SYNTHESIS, labels)
    truth = {"real_pet": "Ground Truth"}
    titles = {
        "table1": ("Table 1: quality of the synthetic PET", TABLE_1, {}),
        "table2": ("Table 2: diagnosis by PET alone", TABLE_2, truth),
        "cross_fitted": ("Table 2, learnt from synthetic PET", CROSS_FITTED, truth),
    }
    tables = [
        table_view(f"dual-glow-{name}", f"DUAL-GLOW, {title}", caption, table, names)
        for name, (title, caption, further) in titles.items()
        for names in [{**labels, **further}]
        for path in found
        if path.stem == name
        for table in [read_tsv(path)]
    ]
    return Section("dual-glow", "DUAL-GLOW: images and diagnosis", figures, tables)


def _ages(found: list[Path], labels: Mapping[str, str]) -> Section:
    """Show Figures 6 and 7 and the slopes."""
    figures = _pictures(found, "ages", "{}: one MRI at several ages (Figure 6)", AGES, labels)
    figures += _pictures(found, "regions", "{}: regions over age (Figure 7)", REGIONS, labels)
    listings = []
    for path in found:
        if path.name == "ages.tsv":
            slopes = read_tsv(path)
            shown = slopes_listing(slopes, dict(labels), list(dict.fromkeys(slopes["region"])))
            listings.append(Listing("Change of regional PET a decade", SLOPES, shown))
    listings += side_listings(found, labels)
    return Section("dual-glow-ages", "DUAL-GLOW: age", figures, listings=listings)


def _uncertainty(found: list[Path], labels: Mapping[str, str]) -> Section:
    """Show maps of each model that draws, and what the intervals of all hold."""
    figures = _pictures(found, "uncertainty", "{}: uncertainty and coverage", UNCERTAINTY, labels)
    shown = intervals.listings(found, labels)
    return Section("dual-glow-uncertainty", "DUAL-GLOW: uncertainty", figures, listings=shown)


def _pictures(
    found: list[Path], kind: str, title: str, caption: str, labels: Mapping[str, str]
) -> list[Picture]:
    """Return the pictures `<kind>_<name>.png`; of a model, with its label."""
    return [
        Picture(title.format(labels.get(name, name)), caption, data_uri(path))
        for name, path in named_pictures(found, f"{kind}_")
    ]
