"""Comparing two runs: what differs, what is in one alone, and what another version renames."""

import importlib
import json

import pytest
import torch

MAP = [
    ("old", "new", "why"),
    (r"a/(\w+)/x\.tsv", r"a/\1/fold-0/x.tsv", "folds"),
    (r"b/old\.tsv", "-", "gone"),
    ("-", r"b/new\d\.tsv", "new"),
]


@pytest.fixture
def script():
    return importlib.import_module("compare_runs")


@pytest.fixture
def runs(tmp_path):
    """Write two runs that are the same but for what the map says."""

    def write(run, name, content):
        path = tmp_path / run / "results" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    first = {"a/m/x.tsv": "1", "a/n/x.tsv": "2", "b/old.tsv": "3", "c.tsv": "4"}
    second = {"a/m/fold-0/x.tsv": "1", "a/n/fold-0/x.tsv": "2", "b/new1.tsv": "3", "c.tsv": "4"}
    for run, files in (("first", first), ("second", second)):
        for name, content in files.items():
            write(run, name, content)
    for run, path in (("first", "results/a/m/x.tsv"), ("second", "results/a/m/fold-0/x.tsv")):
        write(run, "d.json", json.dumps({"Sources": [path], "Words": "a/m/x.tsv", "N": 1}))
    lines = ("\t".join(row) for row in MAP)
    (tmp_path / "map.tsv").write_text("".join(f"{line}\n" for line in lines))
    return write


def compared(script, folder, capsys, renames=True):
    arguments = [str(folder / "first"), str(folder / "second")]
    code = script.main(arguments + (["--renames", str(folder / "map.tsv")] if renames else []))
    return code, capsys.readouterr().out


def test_runs_that_differ_as_the_map_says_are_the_same(script, runs, tmp_path, capsys):
    code, out = compared(script, tmp_path, capsys)
    assert code == 0
    assert "4 results in both runs, 4 the same" in out


def test_without_the_map_they_are_not(script, runs, tmp_path, capsys):
    code, out = compared(script, tmp_path, capsys, renames=False)
    assert code == 1
    assert "in the first alone: 3 a/m/x.tsv a/n/x.tsv b/old.tsv" in out
    assert "in the second alone: 3" in out
    assert "different: 1 d.json" in out


@pytest.mark.parametrize(
    ("run", "name", "line"),
    [
        ("second", "a/m/fold-0/x.tsv", "different: 1 a/m/fold-0/x.tsv"),
        ("second", "d.json", "different: 1 d.json"),
        ("first", "e.tsv", "in the first alone: 1 e.tsv"),
        ("second", "e.tsv", "in the second alone: 1 e.tsv"),
        ("second", "b/newer.tsv", "in the second alone: 1 b/newer.tsv"),
        ("first", "b/old.tsv2", "in the first alone: 1 b/old.tsv2"),
    ],
)
def test_whatever_else_differs_fails(script, runs, tmp_path, capsys, run, name, line):
    runs(run, name, '{"N": 2}')
    code, out = compared(script, tmp_path, capsys)
    assert code == 1
    assert line in out


def test_two_results_of_one_name_are_refused(script, runs, tmp_path, capsys):
    runs("first", "a/m/fold-0/x.tsv", "1")
    with pytest.raises(SystemExit, match="two results one name"):
        compared(script, tmp_path, capsys)


def test_weights_are_the_same_if_their_tensors_are(script, runs, tmp_path, capsys):
    weights = torch.randn(2, 3, 4, 4, 4)
    kept = {"w": weights.to(memory_format=torch.channels_last_3d)}
    for change, code in ((0.0, 0), (1e-7, 1)):
        torch.save({"w": weights + change}, tmp_path / "first/results/w.pt")
        torch.save(kept, tmp_path / "second/results/w.pt")
        assert compared(script, tmp_path, capsys)[0] == code


def test_the_maps_of_the_project_can_be_read(script, root):
    rows = (root / "benchmarks/renames.tsv").read_text().splitlines()
    assert rows[0].split("\t")[:2] == ["old", "new"]
    table = [dict(zip(("old", "new"), row.split("\t")[:2], strict=True)) for row in rows[1:]]
    renames = script.Renames(table)
    assert renames("ixi/models/t2_pd_g4/generator.pt") == "ixi/models/t2_pd_g4/fold-0/generator.pt"
    assert renames("gla_gan/models/unet/fold-0/generator.pt").startswith("gla_gan/models/unet/")
