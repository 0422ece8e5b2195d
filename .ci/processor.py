"""Print settings, as `env` takes them, by which libraries compute as on another processor.

Vector units add in another order, so results round otherwise. Where AVX-512 is what torch takes by
itself, AVX2 is set; where that is AVX2, what comes before. Elsewhere nothing is printed.
The kernels that the project compiles itself are left out.
"""

import torch

PATHS = {
    "AVX512": {
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_CBWR": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "NPY_DISABLE_CPU_FEATURES": "X86_V4,AVX512_ICL,AVX512_SPR",
        "MRI2PET_NATIVE": "0",
    },
    "AVX2": {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3",
        "MRI2PET_NATIVE": "0",
    },
}


def other_path(capability: str) -> dict[str, str]:
    """Return settings of another path than a machine takes by itself; none where none is known.

    Parameters
    ----------
    capability
        What torch takes: AVX512, AVX2 or another name.
    """
    return dict(PATHS.get(capability, {}))


if __name__ == "__main__":
    settings = other_path(torch.backends.cpu.get_cpu_capability())
    print(*(f"{name}={value}" for name, value in settings.items()))
