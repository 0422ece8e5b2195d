"""Print settings, as `env` takes them, by which libraries compute as on another processor.

Vector units add in another order, so results round otherwise. Where AVX-512 is what torch takes by
itself, AVX2 is set; where that is AVX2, what comes before. Elsewhere nothing is printed.
"""

import torch
from threadpoolctl import threadpool_info

PATHS = {
    "AVX512": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_CBWR": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4,AVX512_ICL,AVX512_SPR",
    },
    "AVX2": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3",
        "OPENBLAS_CORETYPE": "Nehalem",
    },
}


def other_path(capability: str, blas: str) -> dict[str, str]:
    """Return settings of another path than a machine takes by itself; none where none is known.

    Parameters
    ----------
    capability
        What torch takes: AVX512, AVX2 or another name.
    blas
        The kernels of OpenBLAS, which on an AVX-512 machine are Haswell's or SkylakeX's.
    """
    settings = dict(PATHS.get(capability, {}))
    if capability == "AVX512":
        settings["OPENBLAS_CORETYPE"] = "SkylakeX" if blas == "Haswell" else "Haswell"
    return settings


def own_path() -> tuple[str, str]:
    """Return what torch and OpenBLAS take on this machine, as `other_path` wants it."""
    import numpy  # noqa: F401  loads OpenBLAS

    names = [one["architecture"] for one in threadpool_info() if one["internal_api"] == "openblas"]
    return torch.backends.cpu.get_cpu_capability(), names[0] if names else ""


if __name__ == "__main__":
    print(*(f"{name}={value}" for name, value in other_path(*own_path()).items()))
