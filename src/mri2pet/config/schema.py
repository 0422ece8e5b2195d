"""The schema of the configuration, put together of one file a block."""

from pathlib import Path
from typing import Any

import yaml


def load_schema(path: str | Path) -> dict[str, Any]:
    """Read a schema, and what the files of the folder beside it add.

    Parameters
    ----------
    path
        Of config.schema.yaml. The files of `config/` beside it add to its `$defs` and
        `properties`.

    Returns
    -------
    JSON schema of the whole configuration; all references lead into it.
    """
    path = Path(path)
    schema = yaml.safe_load(path.read_text())
    for part in sorted((path.parent / "config").glob("*.yaml")):
        for key, entries in yaml.safe_load(part.read_text()).items():
            schema[key] |= entries
    return schema
