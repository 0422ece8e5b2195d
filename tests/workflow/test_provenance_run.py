"""A finished run can be audited and traced, and comes with its crate and page."""

import csv
import json
import os
import re
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from mri2pet.files import read_json, sha256

pytestmark = pytest.mark.slow
TABLE = "results/gla_gan/tables/table1.tsv"


def audit(run) -> tuple[int, dict[tuple[str, str], str]]:
    """Return the exit code of the audit, and its findings."""
    done = run.snakemake("audit", check=False)
    with (run.folder / "results/provenance/audit.tsv").open(newline="") as handle:
        found = list(csv.DictReader(handle, delimiter="\t"))
    for row in found:
        assert row["file"] in done.stdout
    return done.returncode, {(row["finding"], row["file"]): row["reason"] for row in found}


@contextmanager
def changed(path: Path, content: bytes | None):
    """Replace or remove a file for a while."""
    status, data = path.stat(), path.read_bytes()
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    try:
        yield
    finally:
        path.write_bytes(data)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def flipped(path: Path) -> bytes:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    return bytes(data)


@pytest.fixture(scope="module")
def untouched(finished) -> dict[tuple[str, str], str]:
    """Findings on the finished run itself: the scans that were spoiled on purpose."""
    code, found = audit(finished)
    assert code == 1
    return found


def test_the_audit_of_the_run_names_the_spoiled_scans_and_nothing_else(finished, untouched):
    kinds = {}
    for kind, file in untouched:
        assert file.startswith("results/simulated/ADNI/") and file.endswith(".dcm")
        kinds.setdefault(kind, []).append(file)
    assert set(kinds) == {"missing", "altered"}
    assert len(kinds["missing"]) == 1
    (person,) = {Path(file).parts[3].replace("_", "") for file in kinds["altered"]}
    assert person == finished.truncated_pet[0]


def test_whatever_is_touched_is_named(finished, untouched):
    folder = finished.folder
    weights = "results/gla_gan/models/unet/fold-0/generator.pt"
    picture = next(folder.glob("results/gla_gan/synthesis/unet/fold-0/nifti/**/*.nii.gz"))
    whole = (r for r in finished.cohort() if r["subject"] not in finished.spoiled())
    person = next(whole)["mri_file"]
    slice_ = sorted(finished.series(person, "RAGE").glob("*.dcm"))[0]
    sidecar = "results/provenance/datasets/linear/mri.npy.json"
    expected = {
        ("altered", weights),
        ("altered", str(picture.relative_to(folder))),
        ("altered", TABLE),
        ("altered", str(slice_.relative_to(folder))),
        ("missing", sidecar),
        ("unrecorded", "results/notes.txt"),
    }
    table = (folder / TABLE).read_text().replace("SSIM", "ssim").encode()
    with ExitStack() as stack:
        for file, content in (
            (folder / weights, flipped(folder / weights)),
            (picture, flipped(picture)),
            (folder / TABLE, table),
            (slice_, flipped(slice_)),
            (folder / sidecar, None),
        ):
            stack.enter_context(changed(file, content))
        notes = folder / "results/notes.txt"
        notes.write_text("by hand")
        stack.callback(notes.unlink)
        code, found = audit(finished)
    assert code == 1
    new = set(found) - set(untouched)
    assert expected <= new
    stale = {file for kind, file in new - expected if kind == "stale"}
    assert new - expected == {("stale", file) for file in stale}
    assert "results/report/report.html" in stale
    assert f"input {weights} changed" in found["stale", stale_synthesis(stale)]
    assert audit(finished)[1] == untouched


def stale_synthesis(stale: set[str]) -> str:
    return next(file for file in stale if file.endswith("synthesis/unet/fold-0/pet.npy"))


def test_changed_code_and_parameters_are_stale_in_the_audit(finished, untouched):
    path = finished.root / "src/mri2pet/evaluation/image_metrics.py"
    text = path.read_text()
    path.write_text(text + "\n\nprint()\n")
    try:
        done = finished.snakemake("audit", "--config", "seed=2", check=False)
    finally:
        path.write_text(text)
    assert done.returncode
    metrics = "results/gla_gan/metrics/unet/fold-0.tsv: code of image_metrics.py"
    assert f"stale       {metrics}" in done.stdout
    folds = "results/datasets/linear/folds.tsv: parameters changed since"
    assert f"stale       {folds}" in done.stdout


def test_the_audit_hashes_every_file_once(finished, untouched):
    done = finished.snakemake("audit", check=False)
    line = next(line for line in done.stdout.splitlines() if line.startswith("audit: "))
    files = int(line.split(" files")[0].split()[-1])
    on_disk = sum(
        path.is_file() and "provenance" not in path.parts
        for path in (finished.folder / "results").rglob("*")
    )
    assert 0.9 * on_disk < files < 1.1 * on_disk + 100


def test_a_tables_chain_ends_at_raw_scans(finished):
    done = finished.snakemake("trace", "--config", f"file={TABLE}")
    for words in ("table1  [image_table.py ", "train ", "convert_mri ", "simulate_subject "):
        assert words in done.stdout
    chain = read_json(finished.folder / "results/provenance/trace.json")
    rules = [job["rule"] for job in chain["jobs"]]
    assert rules[0] == "table1"
    assert {"gla_gan_image_metrics", "synthesise", "train", "pack_linear", "convert_mri"} <= set(
        rules
    )
    raw = [
        name
        for job in chain["jobs"]
        if job["rule"] == "convert_mri"
        for entry in job["inputs"].values()
        for name in entry.get("files", ())
    ]
    assert raw and all(name.endswith(".dcm") for name in raw)
    assert finished.snakemake("-n").stdout.count("Nothing to be done")


def test_a_file_that_no_job_made_cannot_be_traced(finished):
    done = finished.snakemake("trace", "--config", "file=results/none.tsv", check=False)
    assert done.returncode and "results/none.tsv: no job recorded" in done.stderr + done.stdout


def test_every_output_has_a_record_of_code_environment_and_commit(finished):
    for output in (TABLE, "results/gla_gan/models/unet/fold-0/generator.pt"):
        record = read_json(
            finished.folder / f"results/provenance/{output.removeprefix('results/')}.json"
        )
        assert record["outputs"][output]["sha256"] == sha256(finished.folder / output)
        assert record["code"] and record["environment"]["lock_sha256"]
        assert record["commit"]["dirty"] is False
        assert record["environment"]["packages"]
    assert "torch" in record["environment"]["packages"]
    assert record["seed"] == 1


def test_the_crate_lists_every_job_and_holds_no_scan(finished):
    folder = finished.folder / "results/crate"
    graph = json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    names = {entity.get("name") for entity in graph if entity["@type"] == "CreateAction"}
    assert {"table1", "train fold=0 model=gla_gan system=gla_gan"} <= names
    endings = {path.suffix for path in folder.rglob("*") if path.is_file()}
    assert endings <= {".json", ".yaml", ".py", ".smk", ".md", ".lock", ""}


def test_the_report_names_the_page(finished):
    folder = finished.folder / "results/report"
    assert "provenance.html" in (folder / "report.html").read_text()
    page = (folder / "provenance.html").read_text()
    assert TABLE in page and re.search(
        r"gla_gan_image_metrics \d+, .*train \d+, .*convert_mri \d+", page
    )
