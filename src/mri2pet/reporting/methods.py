"""A methods paragraph of what was run, for a paper, from configuration and cohort tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from mri2pet.config.systems import told
from mri2pet.datasets.together import PERSON, SCANNER, SITE
from mri2pet.reporting.references import Citations

TISSUES = {"gm": "grey matter", "wm": "white matter", "csf": "fluid"}

HEAD = """# Methods, in words

Made from the configuration that was run. You may use this text as it is or change it: it is
dedicated to the public domain (CC0 1.0). Read it before you use it; what the configuration cannot
know is left to you.
"""
NAMES = {
    "gla_gan": "GLA-GAN",
    "dual_glow": "DUAL-GLOW",
    "gan_anomaly": "the study of GAN-made PET for anomaly detection",
    "ixi": "the IXI system",
}
WARPED = ("dual_glow", "gan_anomaly")


@dataclass(frozen=True)
class Study:
    """People of one study.

    Attributes
    ----------
    name
        As in the configuration.
    simulated
        Whether its people are.
    cohort, excluded
        Its cohort table, and the rows of the table of excluded scans; a row a visit and a scan.
    """

    name: str
    simulated: bool
    cohort: pd.DataFrame
    excluded: pd.DataFrame


def methods_text(
    config: Mapping[str, Any], systems: Sequence[str], studies: Sequence[Study], versions: Mapping
) -> str:
    """Return the paragraph with its references, as Markdown.

    Parameters
    ----------
    config
        Of the run.
    systems
        That were run.
    studies
        Their people.
    versions
        Name of a package to its version.
    """
    cite = Citations()
    parts = [
        HEAD,
        "## People\n",
        *(people_in_words(study, config, cite) for study in studies),
        "\n## Preprocessing\n",
        preprocessing_in_words(config, systems, versions, cite),
        "\n## Models\n",
        *(models_in_words(config, system, versions, cite) for system in systems),
        "\n## Evaluation\n",
        evaluation_in_words(config, systems, versions, cite),
        "\n## References\n",
        *cite.listed(),
    ]
    return "\n".join(parts) + "\n"


def people_in_words(study: Study, config: Mapping[str, Any], cite: Citations) -> str:
    """Say who the people of a study are."""
    cohort = study.cohort
    people = cohort.drop_duplicates("subject")
    groups = ", ".join(f"{n} {name}" for name, n in people["group"].value_counts().items())
    age = pd.to_numeric(people.get("age", pd.Series(dtype=float)), errors="coerce").dropna()
    women = int((people.get("sex", pd.Series(dtype=str)) == "F").sum())
    years = f", {age.mean():.1f} ± {age.std():.1f} years old" if len(age) > 1 else ""
    kind = "simulated people" if study.simulated else "people"
    pairs = int((cohort["kind"] == "paired").sum()) if "kind" in cohort else 0
    paired = f" {pairs} visits had MRI and PET." if pairs else ""
    text = (
        f"*{study.name}*: {len(people)} {kind} ({groups}; {women} women{years}) with "
        f"{len(cohort)} visits.{paired}"
    )
    days = config["studies"].get(study.name, {}).get("max_days_apart")
    if days is not None:
        text += f" The PET of a visit was at most {days} days from its MRI."
    if not study.simulated and study.name == "dementia":
        text += (
            f" If your data are of ADNI, cite it {cite('adni')} and follow its data use agreement."
        )
    if study.name == "ixi":
        text += f" {'They imitate' if study.simulated else 'They are of'} IXI {cite('ixi')}."
    left = len(study.excluded)
    scans = {0: "No scan was excluded", 1: "One scan was excluded, with a recorded reason"}
    text += f" {scans.get(left, f'{left} scans were excluded, each with a recorded reason')}.\n"
    return text


def preprocessing_in_words(
    config: Mapping[str, Any], systems: Sequence[str], versions: Mapping, cite: Citations
) -> str:
    """Say what was done to the scans."""
    preproc = config["preproc"]
    strip = preproc["skullstrip"]
    text = (
        f"All steps were run by mri2pet {versions.get('mri2pet', '')} as one Snakemake workflow "
        f"{cite('snakemake')}. Scans were arranged as BIDS {cite('bids', 'petbids')}, DICOM series "
        f"converted by dcm2niix {cite('dcm2niix')}. "
    )
    if any(system != "ixi" for system in systems):
        text += (
            "T1-weighted MRIs were brought to AC-PC, corrected for the bias field with N4 "
            f"{cite('n4')}, skull-stripped with {'ROBEX' if strip == 'robex' else strip} "
            f"{cite(strip)} and registered to MNI152 by an affine transform (ANTs {cite('ants')}). "
            "The PET was registered rigidly to the MRI of the visit. Each image was interpolated "
            "once, from its native grid to its final one. PET was divided by its mean in the "
            f"reference region ({preproc['pet_reference']}), clipped at "
            f"{preproc['pet_ceiling']:g} times that mean, and scaled to 0..1. Regions are those of "
            f"AAL {cite('aal')}. "
        )
        limits = ", ".join(f"{key} {value:g}" for key, value in preproc.get("qc", {}).items())
        text += f"Scans outside of these limits were excluded: {limits}. "
    if any(system in WARPED for system in systems):
        warped = _listed([NAMES[system] for system in systems if system in WARPED])
        text += f"For {warped} the MRI was warped to MNI152 by SyN {cite('syn')}. "
    if "ixi" in systems:
        text += "T2 and PD of IXI stayed on their own grid, and were standardised. "
    return text.strip()


def models_in_words(
    config: Mapping[str, Any], system: str, versions: Mapping, cite: Citations
) -> str:
    """Say which models of a system were trained, and how."""
    block = config[system]
    lines = [
        f"Models of {NAMES[system]} {cite(system)}, in PyTorch "
        f"{versions.get('torch', '')} {cite('pytorch')}, from seed {config['seed']}:\n"
    ]
    for name, entry in block["models"].items():
        if not isinstance(entry, Mapping):
            continue
        losses = ", ".join(
            f"{key} {value:g}" for key, value in _numbers(entry.get("losses")).items()
        )
        training = ", ".join(f"{key} {value}" for key, value in entry.get("training", {}).items())
        lines.append(
            f"- {entry.get('label', name)}: network `{entry['generator']['name']}`, way of "
            f"training `{entry.get('recipe', 'regression')}`"
            + (f"; losses and their weights: {losses}" if losses else "")
            + (f"; {training}" if training else "")
            + _further(entry, block["models"])
            + "."
        )
    return "\n".join(lines) + "\n"


def _further(entry: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    """Say what a model is shown, goes on from and learnt from, and how often it was trained."""
    start, words = entry.get("start"), ""
    if maps := entry["generator"].get("maps"):
        words += f"; shown maps of {', '.join(TISSUES[name] for name in maps)} beside the MRI"
    if known := told(entry):
        words += f"; told {', '.join(known)}"
    if entry["generator"].get("told_mean"):
        words += "; it makes the difference from the mean PET of people of whom the same is told"
    if start:
        words += f"; it goes on from {models[start].get('label', start)}, trained before"
    if entry.get("people"):
        words += f"; {entry['people']} people of each fold to learn from"
    if entry.get("repeats", 1) > 1:
        words += f"; trained {entry['repeats']} times"
    return words


def evaluation_in_words(
    config: Mapping[str, Any], systems: Sequence[str], versions: Mapping, cite: Citations
) -> str:
    """Say how the models were tested."""
    text = "Settings that the run chose itself were chosen on people of the training folds. "
    if any(system != "ixi" for system in systems):
        text += (
            f"Folds were of {held_out_together(config)} ({config['folds']['n']} folds in the "
            "systems that share them): "
            "no generator made the PET of a person it was trained on, and no classifier was "
            "tested on a person it was trained on. Synthetic PET was compared with the real one "
            f"by mean absolute error, PSNR and SSIM {cite('ssim')}; intervals are 95% over people. "
            "Beside the models stands Mean PET, the mean image of the training people"
        )
        models = [entry for system in systems for entry in config[system]["models"].values()]
        if any(entry.get("recipe") == "local_regression" for entry in models if entry):
            text += ", and a local regression without a network"
        if any(study.get("raw") == "simulated" for study in config["studies"].values()):
            text += (
                "; for simulated people also the best PET that their MRI can tell, and the share "
                "of the way from Mean PET to it"
            )
        text += ". "
    if "ixi" in systems:
        text += "T2 and PD made of each other were compared with the real ones by MAE and PSNR. "
    if any("diagnosis" in config[system] for system in systems):
        text += (
            "Diagnoses are of support vector machines on regional means, whose settings were "
            f"chosen inside the training folds (scikit-learn {versions.get('scikit-learn', '')} "
            f"{cite('sklearn')}). "
        )
    if "gla_gan" in systems and config["gla_gan"]["diagnosis"].get("harmonise") is not None:
        text += (
            "Those of gla_gan were repeated on regional means that ComBat had harmonised between "
            "scanners; it was fitted on the training people, and for a scanner unknown to them on "
            "its own people, without their diagnosis. "
        )
    return text.strip()


def held_out_together(config: Mapping[str, Any]) -> str:
    """Say in words what the run's folds are of."""
    words = {SITE: "whole sites", SCANNER: "whole scanners (maker and model of the MRI's)"}
    return words.get(config["folds"].get("by", PERSON), "people")


def _numbers(losses: Any) -> dict[str, float]:
    """Return the losses that are a weight; others have settings of their own."""
    found = {}
    for key, value in (losses or {}).items():
        weight = value.get("weight") if isinstance(value, Mapping) else value
        if isinstance(weight, int | float):
            found[key] = float(weight)
    return found


def _listed(names: Sequence[str]) -> str:
    """Return names as a list in a sentence."""
    return " and ".join(names) if len(names) < 3 else f"{', '.join(names[:-1])} and {names[-1]}"
