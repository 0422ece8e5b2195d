"""On a Snakemake that was not tested, jobs start as it starts them, and the log says why."""

import re

import pytest
import snakemake
from snakemake.script import PythonScript
from test_warm_starts import TELL, call  # noqa: F401 (a fixture)

from mri2pet.starts.hook import MARK, TESTED, source_mark, unknown


@pytest.fixture(autouse=True)
def as_installed(monkeypatch):
    """Let Snakemake start scripts by itself, whatever workflow another test has read before."""
    own = PythonScript.execute_script
    monkeypatch.setattr(PythonScript, "execute_script", getattr(own, "cold", own))


class OtherSource(PythonScript):
    def execute_script(self, fname, edit=False):
        self._execute_cmd("python {fname}", fname=fname)


class OtherSignature(PythonScript):
    def execute_script(self, fname, edit, how):
        pass


class OtherShell(PythonScript):
    def _execute_cmd(self, cmd):
        pass


class OtherCaller(PythonScript):
    def evaluate(self, edit=False):
        self.execute_script("", edit=edit)


class Gone(PythonScript):
    execute_script = None


Compiled = type("Compiled", (PythonScript,), {"execute_script": print})  # has no source


def test_the_pinned_snakemake_is_known(root):
    pinned = re.search(r"^snakemake==(\S+)", (root / "requirements.lock").read_text(), re.M)[1]
    assert snakemake.__version__ == pinned
    assert pinned in TESTED
    assert source_mark(PythonScript) == MARK
    assert unknown(pinned, PythonScript) == ""


@pytest.mark.parametrize("version", ["9.26.9", "9.28.0", "10.0.0", "9.27.1.dev1"])
def test_another_version_is_unknown(version):
    assert f"Snakemake {version} is not among those tested" in unknown(version, PythonScript)


@pytest.mark.parametrize(
    "script", [OtherSource, OtherSignature, OtherShell, OtherCaller, Gone, Compiled, None]
)
def test_another_way_to_start_scripts_is_unknown(script):
    assert "in another way" in unknown(TESTED[-1], script)


PRETENDED = [
    ("snakemake.__version__ = '9.99.0'", "9.99.0 is not among those tested"),
    ("PythonScript.execute_script = other", "starts scripts in another way"),
    ("del snakemake.script.PythonScript", "starts scripts in another way"),
]
OTHER = """
import snakemake
from snakemake.script import PythonScript
was = PythonScript.execute_script
def other(self, fname, edit=False):
    return was(self, fname, edit)
"""


@pytest.mark.parametrize(("pretended", "told"), PRETENDED)
def test_it_steps_aside_with_one_line_of_log(call, tmp_path, pretended, told):  # noqa: F811
    path = tmp_path / "Snakefile"
    path.write_text(OTHER + pretended + path.read_text())
    if pretended.startswith("del"):  # what starts the script looks for it again
        path.write_text(path.read_text() + "\nsnakemake.script.PythonScript = PythonScript\n")
    code, said = call(TELL, "a.txt")
    assert code == 0, said
    assert (tmp_path / "a.txt").read_text().endswith(" False")  # it imported nothing beforehand
    lines = [line for line in said.splitlines() if "Every job imports" in line]
    assert lines and all(told in line for line in lines)
