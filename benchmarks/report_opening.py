"""Measure how soon the report of a finished run shows its first screen, in headless Chromium.

    python benchmarks/report_opening.py [results/report/report.html] [--times 5]

One JSON line, milliseconds from the start of loading, the middle of all times: "first paint" (first
text or picture), "largest paint" (largest part of the first screen), "parsed" (the whole page is
read), "loaded". The page is opened from the disk, by a Chromium started anew each time.
"""

import argparse
import json
import re
import statistics
import subprocess
import tempfile
from pathlib import Path

PROBE = """<script>
const paints = { "first-contentful-paint": "first paint", "": "largest paint" };
for (const type of ["paint", "largest-contentful-paint"])
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => {
    const name = paints[type === "paint" ? entry.name : ""];
    if (name) console.log(`took ${entry.startTime} ${name}`);
  })).observe({ type, buffered: true });
addEventListener("DOMContentLoaded", () => console.log(`took ${performance.now()} parsed`));
addEventListener("load", () => console.log(`took ${performance.now()} loaded`));
</script>"""
COMMAND = ("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr")


def opened(page: Path, width: int) -> dict[str, float]:
    """Return what one opening of a page took, milliseconds.

    Parameters
    ----------
    page
        With `PROBE` in it.
    width
        Of the window, pixels.
    """
    with tempfile.TemporaryDirectory() as folder:
        how = [f"--user-data-dir={folder}", f"--window-size={width},900", "--timeout=3000"]
        shot = f"--screenshot={folder}/page.png"
        done = subprocess.run(
            [*COMMAND, *how, shot, page.as_uri()], capture_output=True, text=True, check=True
        )
    told = re.findall(r'"took ([\d.]+) (first paint|largest paint|parsed|loaded)"', done.stderr)
    return {name: float(value) for value, name in told}  # the last of each: it grows


def main() -> None:
    """Open the page some times and print the middle."""
    parser = argparse.ArgumentParser("report_opening", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("page", nargs="?", default="results/report/report.html")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--width", type=int, default=1400)
    asked = parser.parse_args()
    text = Path(asked.page).read_text()
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_text(text.replace("<style>", f"{PROBE}<style>", 1))
        found = [opened(page, asked.width) for _ in range(asked.times)]
    middle = {name: statistics.median(each[name] for each in found) for name in found[0]}
    print(json.dumps({"MB": round(len(text.encode()) / 1e6, 2), **middle}))


if __name__ == "__main__":
    main()
