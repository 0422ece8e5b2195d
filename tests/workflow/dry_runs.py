"""Dry runs of the workflow in a folder of their own: which jobs a configuration lists."""

import re
import subprocess
import sys


class DryRuns:
    """Calls Snakemake in a folder with the project's configuration and installed resources.

    Parameters
    ----------
    root
        The project's folder.
    folder
        To run in, empty.
    """

    def __init__(self, root, folder):
        self.root, self.folder = root, folder
        (folder / "config").symlink_to(root / "config")
        (folder / "resources").mkdir()
        for part in (root / "resources").iterdir():
            (folder / "resources" / part.name).symlink_to(part)

    def snakemake(self, *arguments):
        """Run it and return what it says."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", self.root / "Snakefile"]
        command += ["--directory", self.folder, "--cores", "1", *arguments]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    def jobs(self, *settings):
        """Make the cohort table, without which no job is known; return jobs by rule."""
        self.snakemake("results/cohort/dementia.tsv", *settings)
        listed = self.snakemake("--dry-run", *settings).split("Job stats:")[1]
        return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", listed, re.M)}
