"""Pictures inside a page: base64 data, small where there are many."""

import base64
import io
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

STAGES = {  # in the order of the preprocessing
    "acpc": "aligned to the commissures",
    "n4": "without bias field",
    "skullstrip": "skull stripped",
    "register": "registered to the template",
    "segment": "tissues",
    "warp": "warped to the template",
    "coregister": "PET on the MRI",
}
VIEWS = (
    "Sagittal (posterior left, anterior right), coronal and axial planes (the patient's left on "
    "the left)"
)
COLOURS = 256  # of a figure; the greatest change of a colour is then some levels of 255
QC_WIDTH = 540  # pixels
QC_QUALITY = 60  # of WebP
QC_BUDGET = 3_800_000  # characters of pictures in one page; what is beyond is named by its path


@dataclass(frozen=True)
class QcPicture:
    """One stage of a visit: its picture as a data URI, and where the full-size one lies."""

    stage: str
    uri: str
    full: str

    def described(self, visit: "QcVisit") -> str:
        """Say what it shows, for who cannot see it."""
        what = STAGES.get(self.stage, self.stage)
        return f"{visit.subject} {visit.visit}, {what}. {VIEWS}."


@dataclass
class QcVisit:
    """The QC pictures of one visit in the order of the stages.

    `paths` holds those that the page has no room for; `note` says why a visit was excluded,
    `nearest` which of its measures lies nearest to its limit.
    """

    subject: str
    visit: str
    note: str = ""
    nearest: str = ""
    pictures: list[QcPicture] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


def data_uri(path: str | Path) -> str:
    """Return a figure as a data URI: a WebP of `COLOURS` colours, each kept as it is.

    It is a third smaller than a PNG of these colours.
    """
    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(path) as image:
        few = image.convert("RGB").quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=0)
        few.convert("RGB").save(buffer, "WEBP", lossless=True, quality=75, method=4)
    return _uri("webp", buffer.getvalue())


def thumbnail(path: str | Path, width: int = QC_WIDTH, quality: int = QC_QUALITY) -> str:
    """Return a picture as a WebP of at most `width` pixels, as a data URI."""
    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(path) as image:
        small = image.convert("RGB")
        if small.width > width:
            size = (width, max(1, round(small.height * width / small.width)))
            small = small.resize(size, Image.Resampling.LANCZOS)
        small.save(buffer, "WEBP", quality=quality)
    return _uri("webp", buffer.getvalue())


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
    notes: Mapping[tuple[str, str], str] | None = None,
    nearest: Mapping[tuple[str, str], tuple[float, str]] | None = None,
    page: str | Path = "results/report/report.html",
    budget: int = QC_BUDGET,
) -> list[QcVisit]:
    """Gather QC pictures `.../sub-*_ses-*_{stage}_qc.png` by visit, made small, worst first.

    Parameters
    ----------
    paths
        The pictures; empty and absent ones are left out.
    notes
        (subject, visit) to the reason of an exclusion; such visits come first.
    nearest
        (subject, visit) to its smallest margin within a limit, and that in words
        (`qc_order.worst_of_visits`); a small margin comes before a large one.
    page
        From where the full-size pictures are linked to.
    budget
        Characters; pictures beyond it are only named.
    """
    notes, nearest = notes or {}, nearest or {}
    visits: dict[tuple[str, str], dict[str, Path]] = {}
    for path in map(Path, paths):
        found = re.fullmatch(r"sub-(\w+)_ses-(\w+)_([a-z0-9]+)_qc\.png", path.name)
        if found and is_there(path):
            visits.setdefault((found[1], found[2]), {})[found[3]] = path
    gathered, used = [], 0
    unknown = (float("inf"), "")

    def order(key: tuple[str, str]) -> tuple[bool, float, tuple[str, str]]:
        return key not in notes, nearest.get(key, unknown)[0], key

    for key in sorted(visits, key=order):
        shown = QcVisit(*key, note=notes.get(key, ""), nearest=nearest.get(key, unknown)[1])
        for stage, path in sorted(visits[key].items(), key=lambda item: _place(item[0])):
            if used < budget:
                full = Path(os.path.relpath(path, Path(page).parent)).as_posix()
                shown.pictures.append(QcPicture(stage, thumbnail(path), full))
                used += len(shown.pictures[-1].uri)
            else:
                shown.paths.append(str(path))
        gathered.append(shown)
    return gathered


def _place(stage: str) -> tuple[int, str]:
    order = list(STAGES)
    return (order.index(stage) if stage in order else len(order), stage)


def _uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
