"""Pictures inside a page: base64 data, small where there are many."""

import base64
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

STAGES = ("acpc", "n4", "skullstrip", "register", "segment", "warp", "coregister")
THUMBNAIL_WIDTH = 420  # pixels
QC_BUDGET = 12_000_000  # bytes of thumbnails in one page; what is beyond is named by its path


@dataclass
class QcVisit:
    """The QC pictures of one visit in the order of the stages.

    `pictures` holds (stage, data URI), `paths` those that the page has no room for; `note` says
    why a visit was excluded.
    """

    subject: str
    visit: str
    note: str = ""
    pictures: list[tuple[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


def data_uri(path: str | Path) -> str:
    """Return a PNG file as it is, as a data URI."""
    return _uri("png", Path(path).read_bytes())


def thumbnail(path: str | Path, width: int = THUMBNAIL_WIDTH) -> str:
    """Return a picture as a JPEG of at most `width` pixels, as a data URI."""
    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(path) as image:
        small = image.convert("RGB")
        if small.width > width:
            size = (width, max(1, round(small.height * width / small.width)))
            small = small.resize(size, Image.Resampling.LANCZOS)
        small.save(buffer, "JPEG", quality=80, optimize=True)
    return _uri("jpeg", buffer.getvalue())


def is_there(path: str | Path) -> bool:
    """Tell whether a file exists and holds something; an excluded scan's pictures are empty."""
    path = Path(path)
    return path.is_file() and path.stat().st_size > 0


def named_pictures(paths: Iterable[str | Path], prefix: str) -> list[tuple[str, Path]]:
    """Return the pictures `<prefix><name>.png` that are there, with their names."""
    return [
        (path.stem.removeprefix(prefix), path)
        for path in map(Path, paths)
        if path.suffix == ".png" and path.stem.startswith(prefix) and is_there(path)
    ]


def qc_visits(
    paths: Iterable[str | Path],
    notes: dict[tuple[str, str], str] | None = None,
    budget: int = QC_BUDGET,
) -> list[QcVisit]:
    """Gather QC pictures `.../sub-*_ses-*_{stage}_qc.png` by visit, made small.

    Parameters
    ----------
    paths
        The pictures; empty and absent ones are left out.
    notes
        (subject, visit) to the reason of an exclusion; such visits come first.
    budget
        Bytes; pictures beyond it are only named.
    """
    notes = notes or {}
    visits: dict[tuple[str, str], dict[str, Path]] = {}
    for path in map(Path, paths):
        found = re.fullmatch(r"sub-(\w+)_ses-(\w+)_([a-z0-9]+)_qc\.png", path.name)
        if found and is_there(path):
            visits.setdefault((found[1], found[2]), {})[found[3]] = path
    gathered, used = [], 0
    for key in sorted(visits, key=lambda key: (key not in notes, key)):
        page = QcVisit(*key, note=notes.get(key, ""))
        for stage, path in sorted(visits[key].items(), key=lambda item: _place(item[0])):
            if used < budget:
                page.pictures.append((stage, thumbnail(path)))
                used += len(page.pictures[-1][1])
            else:
                page.paths.append(str(path))
        gathered.append(page)
    return gathered


def _place(stage: str) -> tuple[int, str]:
    return (STAGES.index(stage) if stage in STAGES else len(STAGES), stage)


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
