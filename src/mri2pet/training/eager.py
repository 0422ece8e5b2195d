"""Training without torch's compiler, which takes longer to import than a small epoch."""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

COMPILER = "torch._dynamo"


class _NoCompiler(ModuleType):
    """What optimisers ask of the compiler at every step, where nothing is compiled: nothing."""

    @staticmethod
    def graph_break(*_: Any, **__: Any) -> None:
        """Tell the compiler where to stop."""

    @staticmethod
    def disable(function: Callable, *_: Any, **__: Any) -> Callable:
        """Keep a function from being compiled: it is not."""
        return function

    def __getattr__(self, name: str) -> Any:
        """Give way to the compiler when anything else is asked of it."""
        if name.startswith("__"):
            raise AttributeError(name)
        if sys.modules.get(COMPILER) is self:
            del sys.modules[COMPILER]
        return getattr(importlib.import_module(COMPILER), name)


@contextmanager
def without_compiler() -> Iterator[None]:
    """Let optimisers step without importing torch's compiler, if nobody has imported it yet.

    torch 2.13 imports it with the first optimiser, for 1.3 s, only to tell it where a
    graph that is not there would break.
    """
    if COMPILER in sys.modules:
        yield
        return
    stand_in = _NoCompiler(COMPILER)
    sys.modules[COMPILER] = stand_in
    try:
        yield
    finally:
        if sys.modules.get(COMPILER) is stand_in:
            del sys.modules[COMPILER]


def bring_compiler() -> None:
    """Import torch's compiler, also where `without_compiler` holds it back."""
    if isinstance(sys.modules.get(COMPILER), _NoCompiler):
        del sys.modules[COMPILER]
    importlib.import_module(COMPILER)
