"""The model card of a bundle: what a person should know before using the model."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

FOR_SHOW = (
    "**These weights are for show: they were trained on simulated people and say nothing about "
    "patients.**"
)
SIMULATED = (
    ", simulated: how these people are made, and what is not realistic about them, is in "
    "docs/simulated_people.md of mri2pet"
)
UNSTATED = "not stated"


def card(content: Mapping[str, Any], table: pd.DataFrame) -> str:
    """Return the card as Markdown, with the header of Hugging Face's hub.

    Parameters
    ----------
    content
        Of the manifest.
    table
        As `people.scores` gives it.
    """
    study = content["study"]
    parts = [
        f"# {content['label']}: {_made(content)} from {_shown(content)}",
        *([FOR_SHOW] if study["simulated"] else []),
        _intended(content),
        _trained(content),
        _scored(content, table),
        _limits(content),
        origin(content),
    ]
    if study["simulated"]:  # its first line
        parts[0], parts[1] = parts[1], parts[0]
    tags = ["mri", *(["pet"] if content["target"] == "pet" else [])]
    return header(content, tags, "image-to-image") + "\n\n".join(parts) + "\n"


def header(content: Mapping[str, Any], tags: Sequence[str], task: str = "") -> str:
    """Return the header that Hugging Face's hub reads: licence, library, task, tags."""
    licence = str(content["study"]["licence"])
    plain = re.fullmatch(r"[a-z0-9.-]+", licence)
    named = f"license: {licence}" if plain else f"license: other\nlicense_name: {_quoted(licence)}"
    words = ", ".join(["mri2pet", "medical", "brain", *tags])
    pipeline = f"pipeline_tag: {task}\n" if task else ""
    return f"---\n{named}\nlibrary_name: mri2pet\n{pipeline}tags: [{words}]\n---\n\n"


def _quoted(text: str) -> str:
    return '"' + re.sub(r"[\"\\\s]+", " ", text).strip() + '"'


def _made(content: Mapping[str, Any]) -> str:
    if content["target"] == "pet":
        return f"synthetic PET ({content['tracer']})"
    return f"synthetic {content['target'].upper()}-weighted MRI"


def _shown(content: Mapping[str, Any]) -> str:
    if content["target"] == "pet":
        return "a T1-weighted MRI"
    return f"a {content['source'].upper()}-weighted MRI"


def _intended(content: Mapping[str, Any]) -> str:
    if content["target"] != "pet":
        return (
            "## Use\n\n"
            "For research on methods alone. From Python: `load_bundle(folder).volumes(maps)` makes "
            f"the {content['target'].upper()} of a {content['source'].upper()}, prepared as the "
            "run prepares it, on the same grid."
        )
    return (
        "## Use\n\n"
        "For research on methods alone: not for the diagnosis or treatment of a person. A "
        "synthetic PET shows what people with such an MRI have on average. What the MRI does not "
        "tell, it cannot show.\n\n"
        "    snakemake --cores 2 apply --config bundle=FOLDER raw=FOLDER_OF_T1\n\n"
        "or from Python:\n\n"
        "    from mri2pet.bundles import load_bundle\n\n"
        '    pet = load_bundle("FOLDER").pet("T1.nii.gz")'
    )


def _trained(content: Mapping[str, Any]) -> str:
    count = len(content["folds"])
    how = f"{count} generators, each trained without a part of them" if count > 1 else "a generator"
    return "## Trained on\n\n" + "\n".join(trained_lines(content, how))


def trained_lines(content: Mapping[str, Any], how: str) -> list[str]:
    """Return a list of what is told of the people behind a bundle; `how` they were learnt from."""
    told, study = content["trained_on"], content["study"]
    ages = told["age_years"]
    return [
        f"- study: {study['name']}{SIMULATED if study['simulated'] else ''}",
        f"- people: {told['people']} with {told['visits']} visits, in {how}",
        f"- groups: {_listed(told['people_by_group'])}",
        f"- sex: {_listed(told['people_by_sex'])}",
        f"- age: {f'{ages[0]:g} to {ages[1]:g} years' if ages else UNSTATED}",
        f"- visits by make of the MRI scanner: {_listed(told['visits_by_scanner_make'])}",
        f"- licence of the data, as stated by who trained: {study['licence']}",
    ]


def _scored(content: Mapping[str, Any], table: pd.DataFrame) -> str:
    """Show the table, and the calibration of a model that draws."""
    lines = [
        "| method | metric | unit | mean | sd | 95% interval | people |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in table.itertuples(index=False):
        name = content["label"] if row.method == content["model"] else "the training people's mean"
        both = f"{number(row.low)} to {number(row.high)}" if pd.notna(row.low) else "n/a"
        numbers = f"{number(row.mean)} | {number(row.sd)} | {both} | {row.n}"
        lines.append(f"| {name} | {row.metric} | {row.unit} | {numbers} |")
    text = (
        "## How well it did\n\nOn people whom the generator in question had not seen.\n\n"
        + "\n".join(lines)
    )
    if content["calibration"]:
        shares = ", ".join(
            f"{100 * each['coverage']:.0f}% in the {100 * each['nominal']:.0f}% interval"
            for each in content["calibration"]
        )
        text += f"\n\nCalibration, share of the brain's real PET in intervals of draws: {shares}."
    return text


def _limits(content: Mapping[str, Any]) -> str:
    lines = [
        "Nothing is known of people unlike those above: another age, illness, contrast or scanner."
    ]
    if content["target"] == "pet":
        lines[0] += " `apply` compares each MRI with those trained on, and marks what is unlike."
        lines += [
            "The spread between the generators says how far they differ. It is no interval in "
            "which the real PET lies.",
            "z-scores compare a synthetic PET with the synthetic PET of held-out controls "
            f"({', '.join(content['controls']) or 'none'}), never with real PET.",
        ]
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in lines)


def origin(content: Mapping[str, Any]) -> str:
    """Tell the commit, the versions and the records that a bundle was made with."""
    versions = ", ".join(f"{name} {value}" for name, value in content["versions"].items())
    commit = content["commit"] or {}
    state = " with changes" if commit.get("dirty") else ""
    records = "\n".join(f"- `{digest}`" for digest in content["records"])
    return (
        "## Where it comes from\n\n"
        f"mri2pet, commit {commit.get('id', 'unknown')}{state}; {versions}. "
        "`bundle.json` holds all settings, and the hash of every file.\n\n"
        f"Records of its trainings (sha256):\n\n{records}"
    )


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or UNSTATED


def number(value: float) -> str:
    """Write a number with four digits; n/a for none."""
    return "n/a" if pd.isna(value) else f"{value:.4g}"
