"""The card of a detector's bundle: what a person should know before using it, or giving it away."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from mri2pet.bundles.card import FOR_SHOW, header, number, origin, trained_lines

PEOPLE = (
    "**This bundle holds PET volumes of single people: the controls that the detector learnt "
    "from, without a name or a date. A one-class SVM cannot do without them. Where these are real "
    "people, give it to nobody who may not have their scans.**"
)


def detector_card(content: Mapping[str, Any], table: pd.DataFrame) -> str:
    """Return the card as Markdown, with the header of Hugging Face's hub.

    Parameters
    ----------
    content
        Of the manifest.
    table
        What was measured: dataset method (its own, or chance) metric unit mean low high n.
    """
    simulated = [FOR_SHOW] if content["study"]["simulated"] else []
    parts = [
        *simulated,
        PEOPLE,
        f"# Anomaly detector: {content['label']}",
        _intended(content),
        _learnt(content),
        _scored(table),
        _limits(content),
        origin(content),
    ]
    return header(content, ["anomaly-detection", "pet"]) + "\n\n".join(parts) + "\n"


def _learnt(content: Mapping[str, Any]) -> str:
    counts, made = content["learnt"]["volumes"], content["learnt"]["synthetic"]
    lines = trained_lines(content, f"{len(counts)} encoders and sets of SVMs")
    more = ", those of people with an MRI alone synthetic" if made else ""
    lines.insert(2, f"- PET volumes in each set: {min(counts)} to {max(counts)}{more}")
    return "## Learnt from\n\n" + "\n".join(lines)


def _intended(content: Mapping[str, Any]) -> str:
    return (
        "## Use\n\n"
        "For research on methods alone: not for the diagnosis or treatment of a person. Of a "
        f"person's PET ({content['tracer']}) and T1-weighted MRI it makes a map of what is unlike "
        "the controls, and ranks the clusters in it.\n\n"
        "    snakemake --cores 2 apply --config bundle=FOLDER raw=BIDS_FOLDER"
    )


def _scored(table: pd.DataFrame) -> str:
    curve = table["metric"].str.match(r"sensitivity (of the first \d+ clusters|at )")
    table = table[~curve | table["metric"].str.endswith(" 1 false clusters a control")]
    lines = [
        "| people | of | metric | unit | mean | 95% interval | n |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in table.itertuples(index=False):
        both = f"{number(row.low)} to {number(row.high)}" if pd.notna(row.low) else "n/a"
        lines.append(
            f"| {row.dataset} | {'chance' if row.method == 'chance' else 'the detector'} | "
            f"{row.metric} | {row.unit} | {number(row.mean)} | {both} | {row.n} |"
        )
    return (
        "## How well it did\n\nOn patients with a known lesion and on controls that were held out. "
        "Chance: the same lesions moved to other places of grey matter. "
        "`scores.tsv` has the whole curves.\n\n" + "\n".join(lines)
    )


def _limits(content: Mapping[str, Any]) -> str:
    where = (
        "a threshold that held-out controls have set"
        if content["threshold"] is not None
        else "a quantile of the person's own map, so that everybody has clusters"
    )
    lines = [
        "Nothing is known of people unlike those above: another age, illness, tracer or scanner. "
        "`apply` compares each PET's intensities and each MRI's quality with theirs, and marks "
        "what is unlike.",
        f"Clusters are cut at {where}. Their order tells which to look at first, and no "
        "probability.",
        "Of a PET that does not cover the whole brain, what it has not measured is not judged.",
    ]
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in lines)
