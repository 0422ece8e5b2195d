"""Files that a download lists but whose content is not here: links to nowhere, pointers."""

from pathlib import Path

_POINTERS = {b"/annex/objects/": "datalad get", b"version https://git-lfs": "git lfs pull"}
_POINTER_BYTES = 2048  # a pointer to content elsewhere is no larger


def absent(path: Path) -> str | None:
    """Say why a file that is listed has no content here, and how to get it; None if it has."""
    if path.is_symlink() and not path.exists():
        if "annex" in path.readlink().parts:
            return "its content was not fetched: run datalad get on it"
        return "a link to a file that is not there"
    if path.is_file() and 0 < path.stat().st_size <= _POINTER_BYTES:
        with open(path, "rb") as handle:
            start = handle.read(64)
        for mark, command in _POINTERS.items():
            if start.startswith(mark):
                return f"its content was not fetched: run {command} on it"
    return None
