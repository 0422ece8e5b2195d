"""CLAIM and TRIPOD+AI checklists, filled where the run knows the answer.

CLAIM: Mongan, Moy, Kahn, Radiology: Artificial Intelligence 2020;2:e200029. TRIPOD+AI: Collins et
al., BMJ 2024;385:e078378. Topics are in words of our own: read the items in the papers.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mri2pet.reporting.methods import NAMES, Study, held_out_together

ITEMS = Path(__file__).with_name("checklist.tsv")
ANSWERS = Path(__file__).with_name("checklist_answers.tsv")
OPEN = "to be filled by the authors"
Answers = dict[str, tuple[str, str]]  # what, and where it stands


def checklist(answers: Answers) -> pd.DataFrame:
    """Return `checklist`, `item`, `topic`, `answer`, `source`, `state`, a row an item."""
    table = pd.read_csv(ITEMS, sep="\t", dtype=str, keep_default_na=False)
    known = [answers.get(key, (OPEN, "")) for key in table["answer"]]
    state = ["open" if answer == OPEN else "filled, to be checked" for answer, _ in known]
    return table.assign(
        answer=[answer for answer, _ in known],
        source=[source or "n/a" for _, source in known],
        state=state,
    )


def answers_of(
    config: Mapping[str, Any],
    systems: Sequence[str],
    studies: Sequence[Study],
    versions: Mapping[str, str],
    code: str,
) -> Answers:
    """Return what a run knows of the items of both checklists.

    Parameters
    ----------
    config, systems, studies, versions
        As for `methods.methods_text`.
    code
        Commit of the sources, or what else tells them.
    """
    people = {study.name: study.cohort.drop_duplicates("subject") for study in studies}
    counts = {name: rows["group"].value_counts().items() for name, rows in people.items()}
    made = {study.name: " (simulated)" if study.simulated else "" for study in studies}
    known = {
        "names": ", ".join(NAMES[system] for system in systems),
        "sources": "; ".join(
            f"{name}: {'simulated by the workflow' if own else 'as the cohort table says'}"
            for name, own in made.items()
        ),
        "sizes": "; ".join(
            f"{study.name}: {len(people[study.name])} people, {len(study.cohort)} visits"
            f"{made[study.name]}"
            for study in studies
        ),
        "groups": "; ".join(
            f"{name}: {', '.join(f'{n} {group}' for group, n in rows)}"
            for name, rows in counts.items()
        ),
        "left": "; ".join(
            f"{study.name}: {len(study.excluded)} scans excluded" for study in studies
        ),
        "models": "; ".join(
            f"{system}: {', '.join(config[system]['models'])}" for system in systems
        ),
        "tables": "; ".join(f"results/{system}/tables/" for system in systems),
        "ensembles": (
            "Trainings repeated with other seeds"
            if any(config[system].get("repeats", 1) > 1 for system in systems)
            else "None"
        ),
        "software": ", ".join(f"{name} {version}" for name, version in versions.items()),
        "n": config["folds"]["n"],
        "together": held_out_together(config),
        "seed": config["seed"],
        "code": code,
    }
    table = pd.read_csv(ANSWERS, sep="\t", dtype=str).set_index("key")
    return {
        key: (row["answer"].format(**known), row["source"].format(**known))
        for key, row in table.iterrows()
    }
