import sys

import pytest
import torch


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
