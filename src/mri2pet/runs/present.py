"""What a configuration has: failures and exclusions of what it no longer has are forgotten."""

import csv
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Present:
    """Rules, models, folds and studies of a run.

    Attributes
    ----------
    rules
        Names of all rules.
    models
        System to the models that its jobs may be of.
    folds
        System to its number of folds.
    studies
        Names, as their cohort tables have them.
    rule_of
        Gives the name that a rule of this workflow has where another workflow imports it.
    """

    rules: Set[str]
    models: Mapping[str, Set[str]]
    folds: Mapping[str, int]
    studies: Sequence[str]
    rule_of: Callable[[str], str] = str

    def has_stage(self, stage: str) -> bool:
        """Tell whether a stage that excludes scans, named like its rule, is one of the run."""
        return self.rule_of(stage) in self.rules

    def has(self, row: Mapping[str, str], visits: Set[tuple[str, str]]) -> bool:
        """Tell whether the job of a row of failures.tsv can still be one of the run.

        Parameters
        ----------
        row
            With `subject`, `visit`, `stage` and `job`.
        visits
            Of the run's studies; empty where they are not known yet.
        """
        told = dict(part.split("=", 1) for part in row["job"].split() if "=" in part)
        system = told.get("system")
        if row["stage"] not in self.rules or (system and system not in self.models):
            return False
        systems = [system] if system else list(self.models)
        models = {model for each in systems for model in self.models[each]}
        if "model" in told and told["model"] not in models:
            return False
        most = max((self.folds[each] for each in systems), default=0)
        if told.get("fold", "").isdigit() and int(told["fold"]) >= most:
            return False
        whose = row["subject"], row["visit"]
        return not visits or "n/a" in whose or whose in visits


def visits_of(results: str | Path, studies: Sequence[str] | None = None) -> set[tuple[str, str]]:
    """Return subject and visit of all rows of cohort tables.

    Parameters
    ----------
    results
        The folder `results`.
    studies
        Whose tables; all that there are if None. Nothing is returned if one is not there yet.
    """
    folder = Path(results) / "cohort"
    if studies is None:
        tables = sorted(folder.glob("*.tsv"))
    else:
        tables = [folder / f"{study}.tsv" for study in studies]
    if not all(table.is_file() for table in tables):
        return set()
    return {
        (row["subject"], row["visit"])
        for table in tables
        for row in read_table(table)
        if "kind" in row
    }


def read_table(path: Path) -> list[dict[str, str]]:
    """Read a table; one that is not there has no rows."""
    if not path.is_file():
        return []
    with open(path, newline="") as handle:
        return list(csv.DictReader(handle, delimiter="\t"))
