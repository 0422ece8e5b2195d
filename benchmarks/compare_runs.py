"""Compare all results of two runs, byte by byte.

    python benchmarks/compare_runs.py FOLDER OTHER [--renames benchmarks/renames.tsv]

Each folder is one in which the workflow ran. Left out is what tells of the run itself: records, the
crate, the table of failures, seconds of epochs. Weights are the same if their tensors are, however
these lie in memory. The exit code is 1 if a result differs or is in one run alone.

--renames names a table of what another version calls its results, with the columns `old` and `new`,
a regular expression of paths below results/ and what `re.sub` puts in its place. The first row that
matches a whole path of the first run counts; paths inside its JSON files are renamed too. Where
`new` is `-`, the result is gone; where `old` is `-`, `new` is the expression of results that are
new. These are not compared. Further columns, such as `why`, are for the reader.
"""

import argparse
import csv
import hashlib
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

sys.path[:0] = [str(Path(__file__).parents[1] / "tests/faults")]

from fault_run import digest, results_of  # noqa: E402

from mri2pet.files import read_json  # noqa: E402
from mri2pet.training.checkpoint import state_digest  # noqa: E402

NOTHING = "-"


class Renames:
    """What the results of the first run are called in the second.

    Parameters
    ----------
    rows
        Of the table: `old` and `new`.
    """

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self.changed = [(re.compile(row["old"]), row["new"]) for row in rows if row["old"] != "-"]
        self.new = [re.compile(row["new"]) for row in rows if row["old"] == NOTHING]

    def __call__(self, name: str) -> str:
        """Return the name that a result of the first run has in the second, `-` if it is gone."""
        for old, new in self.changed:
            if old.fullmatch(name):
                return new if new == NOTHING else old.sub(new, name)
        return name

    def is_new(self, name: str) -> bool:
        """Tell whether a result of the second run is expected to be in it alone."""
        return any(pattern.fullmatch(name) for pattern in self.new)

    def in_text(self, text: str) -> str:
        """Return a text, renamed if it is the path of a result."""
        top, _, name = text.partition("/")
        renamed = self(name) if top == "results" else NOTHING
        return text if renamed == NOTHING else f"{top}/{renamed}"


def mapped(content: Any, change: Callable[[str], str]) -> Any:
    """Return JSON content with every text changed."""
    if isinstance(content, dict):
        return {key: mapped(value, change) for key, value in content.items()}
    if isinstance(content, list):
        return [mapped(value, change) for value in content]
    return change(content) if isinstance(content, str) else content


def hashed(path: Path, renames: Renames) -> str:
    """Hash a result of a run."""
    if path.suffix == ".pt":
        state = torch.load(path, map_location="cpu", weights_only=True)
        kinds = {name: f"{value.dtype} {tuple(value.shape)}" for name, value in state.items()}
        return f"{state_digest(state)} {json.dumps(kinds, sort_keys=True)}"
    if path.suffix == ".json" and path.stat().st_size:
        content = mapped(read_json(path), renames.in_text)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return digest(path)


def compare(first: Path, second: Path, renames: Renames) -> dict[str, list[str]]:
    """Return the names that both runs have, and those in which they differ, by a title."""
    ours = {name: (renames(name), path) for name, path in results_of(first).items()}
    kept = {new: path for new, path in ours.values() if new != NOTHING}
    if len(kept) != sum(new != NOTHING for new, _ in ours.values()):
        raise SystemExit("the table of renames gives two results one name")
    theirs = {
        n: path for n, path in results_of(second).items() if n in kept or not renames.is_new(n)
    }
    both = sorted(kept.keys() & theirs.keys())
    unchanged = Renames([])
    return {
        "both": both,
        "different": [
            name for name in both if hashed(kept[name], renames) != hashed(theirs[name], unchanged)
        ],
        "in the first alone": sorted(kept.keys() - theirs.keys()),
        "in the second alone": sorted(theirs.keys() - kept.keys()),
    }


def main(arguments: list[str] | None = None) -> int:
    """Print how many results there are, and which are not the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first", type=Path, metavar="FOLDER")
    parser.add_argument("second", type=Path, metavar="OTHER")
    parser.add_argument("--renames", type=Path, help="table of what is called otherwise")
    chosen = parser.parse_args(arguments)
    rows = []
    if chosen.renames:
        with open(chosen.renames, newline="") as handle:
            rows = list(csv.DictReader(handle, delimiter="\t"))
    found = compare(chosen.first, chosen.second, Renames(rows))
    both = len(found.pop("both"))
    sys.stdout.write(f"{both} results in both runs, {both - len(found['different'])} the same\n")
    for title, names in found.items():
        sys.stdout.write(f"{title}: {len(names)} {' '.join(names[:20])}\n")
    return int(any(found.values()))


if __name__ == "__main__":
    sys.exit(main())
