"""GPUs are counted as CUDA sees them, and cap the jobs of one machine that use one."""

import contextlib

import pytest
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, ResourceSettings

from mri2pet.runs.gpus import count_gpus


@pytest.mark.parametrize(
    ("files", "visible", "expected"),
    [
        ([], None, 0),
        (["nvidiactl", "nvidia-uvm", "nvidia-caps"], None, 0),
        (["nvidia0", "nvidiactl"], None, 1),
        (["nvidia0", "nvidia1", "nvidia10"], None, 3),
        (["nvidia0", "nvidia1"], "1", 1),
        (["nvidia0", "nvidia1"], "0, 1", 2),
        (["nvidia0", "nvidia1"], "", 0),
        (["nvidia0", "nvidia1"], "0,-1,1", 1),
        (["nvidia0"], "GPU-5f1,GPU-77a", 1),
        (["nvidia0"], "MIG-5f1", 1),
    ],
)
def test_count(tmp_path, monkeypatch, files, visible, expected):
    for name in files:
        (tmp_path / name).touch()
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert count_gpus(tmp_path) == expected


@pytest.mark.parametrize(
    ("gpus", "settings", "expected"),
    [
        (2, {"cores": 8}, 2),
        (0, {"cores": 8}, None),  # trainings then run on the cores
        (2, {"cores": 8, "resources": {"gpu": 8}}, 8),
        (2, {"cores": 8, "nodes": 5}, None),  # a cluster gives GPUs out itself
    ],
)
def test_cap(root, tmp_path, monkeypatch, gpus, settings, expected):
    monkeypatch.setattr("mri2pet.runs.gpus.count_gpus", lambda: gpus)
    for switch in ("MRI2PET_COLD_START", "MRI2PET_PLAIN_LISTING"):  # this process's stays as it is
        monkeypatch.setenv(switch, "1")
    config = ConfigSettings(configfiles=[root / "tests/workflow/mini.yaml"])
    (tmp_path / "config").symlink_to(root / "config")
    (tmp_path / "resources").symlink_to(root / "resources")
    with contextlib.chdir(tmp_path), SnakemakeApi(OutputSettings()) as api:
        read = api.workflow(
            resource_settings=ResourceSettings(**settings),
            config_settings=config,
            snakefile=root / "Snakefile",
        )
        assert read._workflow.global_resources.get("gpu") == expected
