"""A run as a Workflow Run RO-Crate: what a reader needs to judge it, without any scan.

The crate follows the Provenance Run Crate profile 0.5 (and so Process and Workflow Run Crate): the
workflow with its rules as steps and its scripts as tools, and one action a job with its inputs,
outputs and parameters. Data are named by identifiers that lead nowhere, with hash and size; only
the workflow's own text lies in the crate.
"""

import json
import mimetypes
import shutil
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from mri2pet import __version__
from mri2pet.files import folder_beside
from mri2pet.provenance.hashing import Entry
from mri2pet.provenance.records import Record, Records

if TYPE_CHECKING:
    from rocrate.model import Entity

PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
TERMS = {
    name: f"https://w3id.org/ro/terms/workflow-run#{name}" for name in ("sha256", "environment")
}
SCRIPTS = "workflow/scripts"
TEXTS = ("requirements.lock", "README.md", "LICENSE")  # besides the workflow, if they are there


def write_crate(
    folder: str | Path,
    records: Records,
    root: str | Path,
    config: Mapping[str, Any],
    engine: str,
    results: Iterable[str] = (),
) -> None:
    """Write the crate of a run.

    Parameters
    ----------
    folder
        To be made anew; holds `ro-crate-metadata.json` and the workflow's files.
    records
        Of all jobs of the run.
    root
        The project's folder.
    config
        The run's configuration.
    engine
        Version of Snakemake.
    results
        Outputs that are the run's results, in the eyes of its user.
    """
    folder, root = Path(folder), Path(root)
    with folder_beside(folder) as work:
        settings = work / "config.yaml"
        settings.write_text(yaml.safe_dump(dict(config), sort_keys=False, allow_unicode=True))
        writer = _Writer(records, root, settings, engine)
        writer.fill(list(results))
        writer.crate.write(work / "crate")
        shutil.rmtree(folder, ignore_errors=True)
        (work / "crate").rename(folder)


class _Writer:
    """Fills a crate: files first, then the jobs that read and wrote them."""

    def __init__(self, records: Records, root: Path, settings: Path, engine: str) -> None:
        from rocrate.rocrate import ROCrate

        self.records, self.root = records, root
        self.crate: ROCrate = ROCrate()
        self.crate.metadata.extra_terms.update(TERMS)
        hashes = [entry["sha256"] for job in records.jobs for entry in job.outputs.values()]
        self.base = f"arcp://uuid,{uuid.uuid5(uuid.NAMESPACE_OID, ' '.join(hashes))}/"
        self.settings = self.crate.add_file(
            settings,
            "config.yaml",
            properties={"name": "configuration", "encodingFormat": "application/yaml"},
        )
        self.engine = self._thing(
            "https://snakemake.github.io",
            "SoftwareApplication",
            name="Snakemake",
            softwareVersion=engine,
            url="https://snakemake.github.io",
        )
        self.values: dict[str, Entity] = {}
        self.files: dict[str, Entity] = {}

    def fill(self, results: list[str]) -> None:
        """Add everything."""
        jobs = self.records.jobs
        by_rule: dict[str, list[Record]] = {}
        for job in jobs:
            by_rule.setdefault(job.rule, []).append(job)
        tools = {script: self._tool(script) for script in {job.content["script"] for job in jobs}}
        workflow = self._workflow(list(tools.values()), engine=self.engine["softwareVersion"])
        actions = {id(job): self._action(job, tools[job.content["script"]]) for job in jobs}
        steps, controls = [], []
        for place, (rule, members) in enumerate(by_rule.items(), 1):
            step = self._thing(f"#step-{rule}", "HowToStep", name=rule, position=str(place))
            step["workExample"] = tools[members[-1].content["script"]]
            control = self._thing(f"#control-{rule}", "ControlAction", name=f"ran rule {rule}")
            control["instrument"] = step
            control["object"] = _plain([actions[id(job)] for job in members])
            steps.append(step)
            controls.append(control)
        workflow["step"] = steps
        run = self._run(workflow, results)
        organised = self._thing("#engine-run", "OrganizeAction", name="run of Snakemake")
        organised["instrument"], organised["object"], organised["result"] = (
            self.engine,
            controls,
            run,
        )
        for action in (run, organised):
            action["startTime"] = min(job.content["started"] for job in jobs)
            action["endTime"] = max(job.content["ended"] for job in jobs)
        self._root([run, organised, *actions.values()])

    def _root(self, actions: list["Entity"]) -> None:
        """Describe the crate itself."""
        dataset = self.crate.root_dataset
        dataset["name"] = "Run of mri2pet"
        dataset["description"] = (
            "What was run, on what, with which code and parameters; hashes of all files, and none "
            "of the scans."
        )
        dataset["license"] = self._thing(
            "https://spdx.org/licenses/MIT",
            "CreativeWork",
            name="MIT License",
            description="of the workflow and of this description; the data have their own",
        )
        dataset["conformsTo"] = [
            self._thing(uri, "CreativeWork", name=name, version=uri.rpartition("/")[2])
            for uri, name in PROFILES.items()
        ]
        dataset["mentions"] = actions

    def _workflow(self, tools: list["Entity"], engine: str) -> "Entity":
        """Add the Snakefile as main entity, its rules and what else describes the code."""
        workflow = self.crate.add_workflow(
            self.root / "Snakefile",
            "Snakefile",
            main=True,
            lang="snakemake",
            lang_version=engine,
            properties={
                "name": "mri2pet",
                "version": __version__,
                "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            },
        )
        paths = ["workflow/Snakefile", *sorted((self.root / "workflow/rules").rglob("*.smk"))]
        rules = [
            self._text(str((self.root / path).relative_to(self.root)), "SoftwareSourceCode")
            for path in paths
        ]
        for name in TEXTS:
            if (self.root / name).is_file():
                self._text(name)
        workflow["hasPart"] = tools
        workflow["isBasedOn"] = rules
        return workflow

    def _run(self, workflow: "Entity", results: list[str]) -> "Entity":
        """Describe the whole run as one action, from sources to results."""
        run = self._thing("#run", "CreateAction", name="run of mri2pet", instrument=workflow)
        read = [self._data(path, entry) for path, entry in self.records.sources().items()]
        made = [self._data(path, self.records.made[path].outputs[path]) for path in results]
        run["object"], run["result"] = [*read, self.settings], made
        for kind, entities in (("input", [self.settings]), ("output", made)):
            parameter = self._thing(
                f"#{kind}",
                "FormalParameter",
                name={"input": "configuration", "output": "results"}[kind],
                additionalType="File",
                conformsTo=self._thing(
                    "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE",
                    "CreativeWork",
                    name="FormalParameter",
                    version="1.0-RELEASE",
                ),
            )
            if entities:
                parameter["workExample"] = _plain(entities)
                workflow[kind] = parameter
                for entity in entities:
                    entity["exampleOfWork"] = parameter
        return run

    def _action(self, job: Record, tool: "Entity") -> "Entity":
        """Describe one job."""
        content = job.content
        action = self._thing(
            f"#job-{uuid.uuid5(uuid.NAMESPACE_OID, job.sidecar)}",
            "CreateAction",
            name=job.name,
            description=f"job {job.name}, {content['seconds']} s",
            startTime=content["started"],
            endTime=content["ended"],
            actionStatus="http://schema.org/CompletedActionStatus",
            instrument=tool,
        )
        commit, environment = content.get("commit") or {}, content["environment"]
        settings = [self._value(f"parameter {k}", v) for k, v in content["params"].items()]
        around = {
            "code fingerprint": content["code"],
            "git commit": commit.get("id"),
            "uncommitted changes": commit.get("dirty"),
            "sha256 of requirements.lock": environment["lock_sha256"],
            "Python": environment["python"],
            "packages": environment["packages"],
            "machine": content["machine"],
            "device": content["device"],
            "threads": content["threads"],
        }
        read = [self._data(*item) for item in job.inputs.items()]
        action["object"] = _plain([*read, *settings])
        action["result"] = _plain([self._data(*item) for item in job.outputs.items()])
        action["environment"] = [self._value(name, value) for name, value in around.items()]
        return action

    def _tool(self, script: str) -> "Entity":
        """Add a script."""
        return self._text(f"{SCRIPTS}/{script}", "SoftwareSourceCode", version=__version__)

    def _text(self, path: str, kind: str = "", **properties: str) -> "Entity":
        """Add one of the project's own files; one that is gone is named alone."""
        types = ["File", kind] if kind else "File"
        source = self.root / path
        given = {"@type": types, "name": Path(path).name, "encodingFormat": _media_type(path)}
        if not source.is_file():
            return self._thing(f"#{path}", kind or "CreativeWork", name=path)
        return self.crate.add_file(source, path, properties=given | properties)

    def _data(self, path: str, entry: Entry) -> "Entity":
        """Add a file or folder of data: its hash and size, not itself."""
        identifier = f"{self.base}{path.lstrip('/').replace('../', 'outside/')}"
        known = f"{identifier} {entry['sha256']}"
        if known not in self.files:
            taken = self.crate.dereference(identifier) is not None  # read in another state
            name = f"{identifier}?sha256={entry['sha256']}" if taken else identifier
            about = {"name": path, "sha256": entry["sha256"], "contentSize": str(entry["size"])}
            if "files" in entry:
                self.files[known] = self.crate.add_dataset(name, properties=about)
            else:
                about["encodingFormat"] = _media_type(path)
                self.files[known] = self.crate.add_file(name, properties=about)
        return self.files[known]

    def _value(self, name: str, value: Any) -> "Entity":
        """Return the entity of a name and value, shared by all jobs that have it."""
        text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        if (key := f"{name}={text}") not in self.values:
            identifier = f"#value-{uuid.uuid5(uuid.NAMESPACE_OID, key)}"
            self.values[key] = self._thing(identifier, "PropertyValue", name=name, value=text)
        return self.values[key]

    def _thing(self, identifier: str, kind: str, **properties: Any) -> "Entity":
        """Add something that is no file."""
        from rocrate.model import ContextEntity

        return self.crate.add(
            ContextEntity(self.crate, identifier, properties={"@type": kind, **properties})
        )


def _plain(entities: list["Entity"]) -> "list[Entity] | Entity":
    """Return a list's only member for a list of one, as the crate's specification likes it."""
    return entities[0] if len(entities) == 1 else entities


def _media_type(path: str) -> str:
    """Return a file's media type by its name."""
    special = {".py": "text/x-python", ".smk": "text/x-python", ".md": "text/markdown"}
    known = special.get(Path(path).suffix) or mimetypes.guess_type(path, strict=False)[0]
    if path.endswith(".gz"):
        return "application/gzip"
    return known or ("text/plain" if "." not in Path(path).name else "application/octet-stream")
