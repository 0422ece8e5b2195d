"""The crate of a run: whole, without any data, and accepted by the public validator."""

import json
import logging
import sys
from importlib import resources
from pathlib import Path

import pytest
import toy

from mri2pet.files import sha256
from mri2pet.provenance.crate import PROFILES, write_crate
from mri2pet.provenance.records import read_records

CONTEXT = "https://w3id.org/ro/crate/1.1/context"


@pytest.fixture
def crate(tmp_path, monkeypatch) -> Path:
    """Return the crate of the toy run, with scripts of its own."""
    monkeypatch.chdir(tmp_path)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    toy.run()
    source = tmp_path / "source"
    (source / "workflow/rules/visit").mkdir(parents=True)
    (source / "workflow/scripts").mkdir()
    (source / "workflow/rules/visit/all.smk").write_text("rule table:\n")
    (source / "workflow/Snakefile").write_text("include: 'rules/visit/all.smk'\n")
    (source / "Snakefile").write_text("include: 'workflow/Snakefile'\n")
    for script in toy.CODE:
        (source / "workflow/scripts" / script).write_text("print()\n")
    records = read_records(["results/provenance"]).of([toy.TABLE])
    config = {"raw": "/data/ADNI", "seed": 3}
    write_crate("results/crate", records, source, config, "9.27.1", results=[toy.TABLE])
    yield tmp_path / "results/crate"
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def entities(crate: Path) -> dict[str, dict]:
    graph = json.loads((crate / "ro-crate-metadata.json").read_text())["@graph"]
    assert len({entity["@id"] for entity in graph}) == len(graph)
    return {entity["@id"]: entity for entity in graph}


def refers(value) -> list[str]:
    """Identifiers that a property's value refers to."""
    values = value if isinstance(value, list) else [value]
    return [item["@id"] for item in values if isinstance(item, dict)]


def test_nothing_in_it_refers_to_what_is_not_there(crate):
    known = entities(crate)
    for entity in known.values():
        for name, value in entity.items():
            if name not in ("conformsTo", "identifier", "url"):
                assert set(refers(value)) <= known.keys(), (entity["@id"], name)


def test_it_says_that_it_follows_the_profiles(crate):
    root = entities(crate)["./"]
    assert set(refers(root["conformsTo"])) == PROFILES.keys()
    assert refers(root["mainEntity"]) == ["Snakefile"]


def test_every_job_is_an_action_with_hashes_parameters_and_environment(crate):
    known = entities(crate)
    actions = {e["name"]: e for e in known.values() if e["@type"] == "CreateAction"}
    table, convert = actions["table subject=001S0001"], actions["convert subject=001S0001"]
    assert refers(convert["instrument"]) == ["workflow/scripts/convert.py"]
    made = {known[item]["name"]: known[item] for item in refers(convert["result"])}
    assert set(made) == {toy.IMAGE, toy.SIDECAR, toy.MAPS}
    assert made[toy.IMAGE]["sha256"] == sha256(toy.IMAGE)
    assert set(refers(convert["result"])) <= set(refers(table["object"]))
    values = {known[item]["name"]: known[item].get("value") for item in refers(convert["object"])}
    assert values["parameter seed"] == "3"
    around = {known[item]["name"]: known[item]["value"] for item in refers(convert["environment"])}
    assert around["code fingerprint"] == "c0de" and around["device"] == "cpu"
    steps = {e["name"]: e for e in known.values() if e["@type"] == "HowToStep"}
    assert set(steps) == {"convert", "table"}


def test_it_holds_the_workflow_and_none_of_the_data(crate):
    files = {str(path.relative_to(crate)) for path in crate.rglob("*") if path.is_file()}
    assert files == {
        "ro-crate-metadata.json",
        "Snakefile",
        "config.yaml",
        "workflow/Snakefile",
        "workflow/rules/visit/all.smk",
        "workflow/scripts/convert.py",
        "workflow/scripts/table.py",
    }
    text = "".join((crate / name).read_text() for name in files)
    assert "scan MPRAGE" not in text


def test_the_public_validator_accepts_it(crate, monkeypatch):
    validator = pytest.importorskip("rocrate_validator", reason="pip install roc-validator")
    assert passes(validator, crate, monkeypatch)


def test_the_public_validator_finds_a_fault_in_a_spoiled_crate(crate, monkeypatch):
    validator = pytest.importorskip("rocrate_validator", reason="pip install roc-validator")
    path = crate / "ro-crate-metadata.json"
    content = json.loads(path.read_text())
    content["@graph"] = [e for e in content["@graph"] if e["@type"] != "HowToStep"]
    path.write_text(json.dumps(content))
    assert not passes(validator, crate, monkeypatch)


def passes(validator, crate: Path, monkeypatch) -> bool:
    """Validate all that the profiles require; the one page it asks for comes with `rocrate`."""
    from rocrate_validator import models, services
    from rocrate_validator.utils.http import HttpRequester

    data = resources.files("rocrate").joinpath("data/ro-crate.jsonld").read_text()
    assert json.loads(data)["@id"] == CONTEXT

    class Answer:
        headers = {"Content-Type": "application/ld+json"}  # noqa: RUF012
        history, links, encoding, apparent_encoding = (), {}, "utf-8", "utf-8"
        text, content, url = data, data.encode(), CONTEXT

        def __init__(self, url: str) -> None:
            self.ok = url == CONTEXT
            self.status_code = 200 if self.ok else 404

        def json(self):
            return json.loads(self.text)

        def raise_for_status(self):
            assert self.ok

    def get(self, url, *_, **__):
        return Answer(url)

    monkeypatch.setattr(HttpRequester, "get", get, raising=False)
    monkeypatch.setattr(HttpRequester, "head", get, raising=False)
    settings = services.ValidationSettings(
        rocrate_uri=str(crate),
        profile_identifier="provenance-run-crate",
        requirement_severity=models.Severity.REQUIRED,
    )
    result = services.validate(settings)
    for issue in result.get_issues():
        print(issue.check.identifier, issue.message, file=sys.stderr)
    return result.passed()
