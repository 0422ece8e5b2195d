import importlib
import sys

import pytest
import torch
from planted_study import write_run


@pytest.fixture(autouse=True)
def scripts(root, monkeypatch):
    """Let scripts of benchmarks/ find what stands beside them, and put torch's settings back."""
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(False)
    for name in [n for n in sys.modules if n.split(".")[0] in ("plain", "speed")]:
        del sys.modules[name]


@pytest.fixture
def words():
    return importlib.import_module("study_words")


@pytest.fixture
def study(tmp_path, words):
    script = importlib.import_module("synthesis_study")
    config = words.configuration(words.ROOT / "config/study/gla_gan.yaml")
    models = config["gla_gan"]["models"]
    for name, base in (("unet_12", "unet"), ("local_regression_12", "local_regression")):
        models[name] = models[base] | {"label": f"{models[base]['label']}, 12 people"}
    models["unet_s150"] = models["unet"] | {"label": "U-Net, 150 steps"}

    def made(start=None, files=(script.STUDY,), **kinds):
        models["rectified_flow"]["start"] = start
        return script.Study(write_run(tmp_path / "results", **kinds), config, files)

    return made
