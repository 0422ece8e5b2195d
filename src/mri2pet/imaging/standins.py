"""Importing a package without the parts of it that take long and are not used."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def without(names: Iterable[str]) -> Iterator[None]:
    """Let empty modules stand in for `names` while the block imports what would import them.

    Modules that are there already are left alone, and afterwards all can be imported as usual.
    """
    spare = [name for name in names if name not in sys.modules]
    sys.modules.update({name: ModuleType(name) for name in spare})
    try:
        yield
    finally:
        for name in spare:
            del sys.modules[name]
