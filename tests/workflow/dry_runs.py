"""Dry runs of the workflow in a folder of their own: which jobs a configuration lists."""

import re
import subprocess
import sys

import yaml


class DryRuns:
    """Calls Snakemake in a folder with the project's configuration and installed resources.

    Parameters
    ----------
    root
        The project's folder.
    folder
        To run in, empty.
    files
        Configuration files that every call lays over the default one, from the project's folder.
    without
        Parts of `resources/` that are not there.
    """

    def __init__(self, root, folder, *files, without=()):
        self.root, self.folder = root, folder
        self.files = [root / file for file in files]
        (folder / "config").symlink_to(root / "config")
        (folder / "resources").mkdir()
        for part in (root / "resources").iterdir():
            if part.name not in without:
                (folder / "resources" / part.name).symlink_to(part)

    def call(self, *arguments, changes=None):
        """Run it, with keys laid over the configuration files; return what came of it."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", self.root / "Snakefile"]
        command += ["--directory", self.folder, "--cores", "1", *arguments]
        files = list(self.files)
        if changes is not None:
            files.append(self.folder / "changes.yaml")
            files[-1].write_text(yaml.safe_dump(changes))
        command += ["--configfile", *files] if files else []
        return subprocess.run(list(map(str, command)), capture_output=True, text=True)

    def snakemake(self, *arguments, changes=None):
        """Run it to a good end and return what it says."""
        done = self.call(*arguments, changes=changes)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    def jobs(self, *settings, study="dementia", changes=None):
        """Make the cohort table, without which no job is known; return jobs by rule."""
        self.snakemake(f"results/cohort/{study}.tsv", *settings, changes=changes)
        return self.listed(*settings, changes=changes)

    def listed(self, *arguments, changes=None):
        """Return jobs by rule of a dry run, the cohort table being there."""
        return jobs_of(self.snakemake("--dry-run", *arguments, changes=changes))


def jobs_of(said):
    """Return jobs by rule of what a dry run says."""
    stats = said.split("Job stats:")[1]
    return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", stats, re.M)}
