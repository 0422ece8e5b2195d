"""Compare all results of two runs, byte by byte.

    python benchmarks/compare_runs.py FOLDER OTHER

Each folder is one in which the workflow ran. Left out is what tells of the run itself: records, the
crate, the table of failures, seconds of epochs. The exit code is 1 if a result differs.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "tests/faults")]

from fault_run import hash_all  # noqa: E402


def main() -> int:
    """Print how many results there are, and which are not the same."""
    first, second = (hash_all(Path(folder)) for folder in sys.argv[1:3])
    both = sorted(first.keys() & second.keys())
    different = [name for name in both if first[name] != second[name]]
    print(f"{len(both)} results in both runs, {len(both) - len(different)} the same")
    for title, names in (
        ("different", different),
        ("in the first alone", sorted(first.keys() - second.keys())),
        ("in the second alone", sorted(second.keys() - first.keys())),
    ):
        print(f"{title}: {len(names)} {' '.join(names[:20])}")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
