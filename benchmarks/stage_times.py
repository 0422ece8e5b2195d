"""Print how long each rule took in a run, from Snakemake's own log.

    python benchmarks/stage_times.py [.snakemake/log/<run>.snakemake.log]

Without a log, the newest one of this folder. Seconds are wall-clock, of jobs that ran side by side.
"""

import re
import sys
from collections import defaultdict
from datetime import datetime
from pathlib import Path

STAMP = re.compile(r"^\[(\w+ \w+ +\d+ [\d:]+ \d+)\]$")
START = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):$")
JOB = re.compile(r"^ +jobid: (\d+)$")
END = re.compile(r"^Finished jobid: (\d+) ")


def durations(log: Path) -> tuple[dict[str, list[float]], float]:
    """Return the seconds of every finished job by rule, and the wall-clock time of the run."""
    started: dict[str, tuple[str, datetime]] = {}
    seconds: dict[str, list[float]] = defaultdict(list)
    now, rule, first = None, None, None
    for line in log.read_text().splitlines():
        if found := STAMP.match(line):
            now = datetime.strptime(found[1], "%a %b %d %H:%M:%S %Y")
            first = first or now
        elif found := START.match(line):
            rule = found[1]
        elif (found := JOB.match(line)) and rule and now:
            started[found[1]] = (rule, now)
            rule = None
        elif (found := END.match(line)) and found[1] in started and now:
            name, start = started[found[1]]
            seconds[name].append((now - start).total_seconds())
    return seconds, (now - first).total_seconds() if now and first else 0.0


def main() -> None:
    """Print the table, longest rule first."""
    logs = sorted(Path(".snakemake/log").glob("*.snakemake.log"))
    log = Path(sys.argv[1]) if len(sys.argv) > 1 else logs[-1]
    seconds, wall = durations(log)
    print("| rule | jobs | mean s | sum s |\n|---|---|---|---|")
    for rule, values in sorted(seconds.items(), key=lambda item: -sum(item[1])):
        print(f"| {rule} | {len(values)} | {sum(values) / len(values):.1f} | {sum(values):.0f} |")
    total = sum(map(sum, seconds.values()))
    print(f"| all | {sum(map(len, seconds.values()))} | | {total:.0f}; wall clock {wall:.0f} |")


if __name__ == "__main__":
    main()
