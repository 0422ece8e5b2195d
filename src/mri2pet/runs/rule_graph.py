"""Pictures of the workflow's rules, gathered by step: docs/images/rules.svg and one a system.

    python -m mri2pet.runs.rule_graph --directory DIR [--out .]

DIR is a folder in which the cohort tables are made (before that nobody knows which jobs there are)
and nothing after them (Snakemake does not ask what a file needs that is there). Graphviz's `dot`
draws them. A box is a file of `workflow/rules/` with its rules; an arrow says that some job of one
needs a file of the other; what follows from other arrows is left out. Those of one system,
`workflow/report/rules-<system>.svg`, are of a run of it alone; the report shows them.
"""

import argparse
import contextlib
import html
import io
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ASKED = {"all", "apply", "preproc"}  # they name what is to be made, and make nothing
COLOURS = {
    "studies": "#dbe9f6",
    "visit": "#d9f0e3",
    "spaces": "#e7f0d0",
    "models": "#fdf0cf",
    "papers/gla_gan": "#fbdfd0",
    "papers/dual_glow": "#f6d9e3",
    "papers/gan_anomaly": "#e6dcf2",
    "papers/ixi": "#d6e4e8",
    "": "#eeeeee",
}
TITLES = {
    "studies": "atlases, raw scans, cohort",
    "visit": "each visit",
    "spaces": "datasets",
    "models": "all models",
    "papers/gla_gan": "GLA-GAN",
    "papers/dual_glow": "DUAL-GLOW",
    "papers/gan_anomaly": "GAN-made PET for anomaly detection",
    "papers/ixi": "IXI",
    "": "report and provenance",
}
SYSTEMS = [folder.removeprefix("papers/") for folder in TITLES if folder.startswith("papers/")]
Edges = set[tuple[str, str]]


def read_workflow(
    snakefile: str | Path, directory: str | Path | None, systems: Sequence[str] = ()
) -> Any:
    """Return Snakemake's workflow object; with the graph of its jobs if a folder is given.

    Parameters
    ----------
    snakefile, directory
        What is read, and where the cohort tables lie.
    systems
        Those that are run; those of the configuration if none is named.
    """
    from snakemake.api import (
        ConfigSettings,
        DAGSettings,
        OutputSettings,
        ResourceSettings,
        SnakemakeApi,
    )
    from snakemake.settings.enums import Quietness

    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        read = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(config={"systems": list(systems)} if systems else {}),
            snakefile=Path(snakefile),
            workdir=None if directory is None else Path(directory),
        )
        with contextlib.redirect_stdout(io.StringIO()):
            if directory is None:
                read.list_rules()
            else:
                read.dag(dag_settings=DAGSettings()).printrulegraph()
        return read._workflow


def rules_of(workflow: Any) -> dict[str, list[str]]:
    """Return the files below `workflow/rules`, without suffix, to the names of their rules."""
    found: dict[str, list[str]] = defaultdict(list)
    for rule in workflow.rules:
        if rule.name not in ASKED:
            found[_step(rule)].append(rule.name)
    return {step: sorted(names) for step, names in sorted(found.items())}


def needs(workflow: Any) -> Edges:
    """Return which step needs files of which other one."""
    edges = set()
    for job in workflow.dag.jobs:
        for other in workflow.dag.dependencies[job]:
            if job.rule.name not in ASKED and _step(other.rule) != _step(job.rule):
                edges.add((_step(other.rule), _step(job.rule)))
    return edges


def reduced(edges: Edges) -> Edges:
    """Leave out what follows from other arrows, as far as that can be said without a circle."""
    after = defaultdict(set)
    for start, end in edges:
        after[start].add(end)

    def reached(start: str, end: str) -> bool:
        waiting, seen = [each for each in after[start] if each != end], {start}
        while waiting:
            here = waiting.pop()
            if here == end:
                return True
            if here not in seen:
                seen.add(here)
                waiting += after[here]
        return False

    kept = set(edges)
    for start, end in sorted(edges):
        back = reached(end, start) or start in after[end]  # a circle: both arrows stay
        if not back and reached(start, end):
            kept.discard((start, end))
    return kept


def of_system(rules: Mapping[str, list[str]], system: str) -> dict[str, list[str]]:
    """Leave out what is of another system's paper: a rule there may stand in every workflow."""
    return {
        step: names
        for step, names in rules.items()
        if not step.startswith("papers/") or step.startswith(f"papers/{system}/")
    }


def as_dot(rules: Mapping[str, Iterable[str]], edges: Edges, across: bool = False) -> str:
    """Return the graph in Graphviz's language, a frame around the steps of each folder.

    Parameters
    ----------
    rules, edges
        Step to the names of its rules; arrows between steps.
    across
        From left to right, as a page that scrolls shows it, and not from top to bottom.
    """
    folders: dict[str, list[str]] = defaultdict(list)
    for step in rules:
        folders["studies" if step == "resources" else step.rpartition("/")[0]].append(step)
    drawn = {step for edge in edges for step in edge}
    form = "rankdir=LR; ranksep=0.3; nodesep=0.1;" if across else "ranksep=0.45; nodesep=0.18;"
    lines = ["digraph rules {", f"{form} newrank=true;"]
    lines += ['fontname="Helvetica"; edge [color="#666666", arrowsize=0.6];']
    lines += ['node [shape=box, style="filled,rounded", fontname="Helvetica", fontsize=11];']
    for number, (folder, steps) in enumerate(sorted(folders.items())):
        title = html.escape(TITLES.get(folder, folder))
        lines.append(f'subgraph cluster_{number} {{ label=<<b>{title}</b>>; color="#bbbbbb";')
        for step in steps:
            names = "".join(f'<br align="left"/>{name}' for name in rules[step])
            label = f'<b>{step.rpartition("/")[2]}</b>{names}<br align="left"/>'
            lines.append(
                f'"{step}" [label=<{label}>, fillcolor="{COLOURS.get(folder, "#ffffff")}"];'
            )
        lines.append("}")
    lines += [f'"{start}" -> "{end}";' for start, end in sorted(edges)]
    # Rules of which this configuration has no job stand beside those of the same paper.
    idle = [step for step in rules if step not in drawn]
    lines += [f'"models/metrics" -> "{step}" [style=invis];' for step in idle]
    return "\n".join([*lines, "}"])


def rules_in(svg: str | Path) -> set[str]:
    """Return the names of the rules that a picture shows."""
    text = Path(svg).read_text()
    regular = re.findall(r"<text [^>]*>([^<]+)</text>", text)
    bold = re.findall(r'<text [^>]*font-weight="bold"[^>]*>([^<]+)</text>', text)
    for title in bold:
        regular.remove(title)
    return {name.strip() for name in regular if name.strip()}


def _step(rule: Any) -> str:
    """Return the file of a rule, below `workflow/rules` and without its suffix."""
    parts = Path(rule.snakefile).with_suffix("").parts
    return "/".join(parts[len(parts) - parts[::-1].index("rules") :])


def picture_of(system: str = "") -> str:
    """Return where the picture of a system lies among the sources, or that of all systems."""
    return f"workflow/report/rules-{system}.svg" if system else "docs/images/rules.svg"


def main() -> None:
    """Draw the pictures, each in a process of its own: a workflow changes the one that reads it."""
    parser = argparse.ArgumentParser("rule_graph", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--directory", required=True, help="a folder whose cohort tables are made")
    parser.add_argument("--snakefile", default="Snakefile")
    parser.add_argument("--out", default=".", help="the folder of the sources")
    parser.add_argument("--system", help="draw the picture of this one alone; '' is all together")
    asked = parser.parse_args()
    if asked.system is None:
        for system in ("", *SYSTEMS):
            command = [sys.executable, "-m", "mri2pet.runs.rule_graph", *sys.argv[1:]]
            subprocess.run([*command, "--system", system], check=True)
        return
    out = Path(asked.out).resolve() / picture_of(asked.system)
    only = [asked.system] if asked.system else []
    workflow = read_workflow(Path(asked.snakefile).resolve(), asked.directory, only)
    rules = rules_of(workflow)
    if asked.system:
        rules = of_system(rules, asked.system)
    dot = as_dot(rules, reduced(needs(workflow)), across=bool(only))
    subprocess.run(["dot", "-Tsvg", "-o", str(out)], input=dot, text=True, check=True)


if __name__ == "__main__":
    main()
