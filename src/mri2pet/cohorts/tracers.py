"""What a PET tracer is called: BIDS labels, names and radionuclides in all their spellings."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

FDG = "18FFDG"

_ISOTOPES = {
    **{"C": ("11",), "N": ("13",), "O": ("15",), "F": ("18",), "Cu": ("62", "64"), "Ga": ("68",)},
    **{"Br": ("76",), "Rb": ("82",), "Zr": ("89",), "I": ("124",)},
}
_ELEMENTS = {"carbon": "C", "nitrogen": "N", "oxygen": "O", "fluorine": "F", "gallium": "Ga"}
# Canonical name: usual isotope, and what its spellings have in common without punctuation.
_KNOWN = {
    "FDG": ("18F", r"fdg(?!al)|(?:deoxy|desoxy|deoxi|desoxi|desossi).*gl[uy][ck]"),
    "PIB": ("11C", r"pib|pittsburghcompoundb"),
    "AV45": ("18F", r"av45|florbetapir|amyvid"),
    "FBB": ("18F", r"fbb|florbetaben|neuraceq"),
    "FMM": ("18F", r"fmm|flutemetamol|vizamyl"),
    "NAV4694": ("18F", r"nav4694|flutafuranol"),
    "AV1451": ("18F", r"av1451|flortaucipir|t807|tauvid"),
    "MK6240": ("18F", r"mk6240"),
    "PI2620": ("18F", r"pi2620"),
    "AV133": ("18F", r"av133|tetrabenazine"),
    "UCBJ": ("11C", r"ucbj"),
    "FDOPA": ("18F", r"dopa"),
    "RAC": ("11C", r"^rac$|raclopride"),
    "FMZ": (None, r"fmz|flumazenil"),
    "MET": ("11C", r"^met$|methionine"),
    "H2O": ("15O", r"h2o|water"),
}
_NAME = re.compile(r"[A-Za-z0-9\[\](){}^+,.'-]{1,32}")  # no spaces: no remarks
_UNTOLD = re.compile(r"|n/?a|none|null|unknown|unspecified|other|tbd|anon\w*|not\b.*|[\W_]+", re.I)


@dataclass(frozen=True)
class Tracer:
    """A tracer: its canonical name, in letters and digits, and its isotope (`18F`) if known."""

    name: str
    isotope: str | None = None

    @property
    def label(self) -> str:
        """As BIDS writes it in a file's name: `18FFDG`."""
        return (self.isotope or "") + self.name

    @property
    def radionuclide(self) -> str | None:
        """As BIDS writes it in a sidecar: `F18`."""
        return self.isotope and re.sub(r"(\d+)([A-Za-z]+)", r"\2\1", self.isotope)

    @property
    def known(self) -> bool:
        """Whether it is one of the tracers whose names this module knows."""
        return self.name in _KNOWN

    def matches(self, other: "Tracer") -> bool:
        """Tell whether both can be the same: an isotope that is not known differs from none."""
        isotopes = {self.isotope, other.isotope} - {None}
        return self.name == other.name and len(isotopes) < 2


def read_tracer(text: object, radionuclide: object = None) -> Tracer | None:
    """Read what a tracer's name or label says, in any usual spelling.

    Parameters
    ----------
    text
        `18FFDG`, `[18F]FDG`, `2-deoxy-2-[18F]fluoro-D-glucose`, `Florbetapir F 18`...
    radionuclide
        `F18`, `18F`, `Fluorine-18`..., where it is told apart from the name.

    Returns
    -------
    Tracer or None
        None where the text says nothing: blank, `n/a`, `unknown`.
    """
    within, rest = _split(text if isinstance(text, str) else "")
    name = _squeezed(rest)
    if not name or _UNTOLD.fullmatch(rest.strip()):
        return None
    told = _split(radionuclide)[0] if isinstance(radionuclide, str) else None
    for known, (usual, pattern) in _KNOWN.items():
        if re.search(pattern, name):
            return Tracer(known, told or within or usual)
    return Tracer(name.upper(), told or within)


def is_fdg(label: str) -> bool:
    """Tell whether a BIDS label (`18FFDG`) names FDG."""
    found = read_tracer(label)
    return found is not None and found.name == "FDG"


def named_tracers(text: str) -> set[str]:
    """Return the canonical names of all known tracers that a description names."""
    words = _squeezed(text)
    return {known for known, (_, pattern) in _KNOWN.items() if re.search(pattern, words)}


def told_tracer(sidecar: Mapping[str, Any]) -> Tracer | None:
    """Return the tracer that a BIDS sidecar names; None where it names none.

    A preparation that is no tracer known here ("solution") says nothing.
    """
    nuclide = sidecar.get("TracerRadionuclide")
    named = read_tracer(sidecar.get("TracerName"), nuclide)
    agent = read_tracer(sidecar.get("Radiopharmaceutical"), nuclide)
    known = agent if agent and agent.known else None
    return named or known


def name_tracer(label: str, sidecar: Mapping[str, Any]) -> dict[str, str]:
    """Return the sidecar keys `TracerName` and `TracerRadionuclide` of a PET.

    Parameters
    ----------
    label
        The tracer's, as BIDS writes it.
    sidecar
        The source's, whose own words are kept if they are of that tracer and hold nothing else.
    """
    asked, told = read_tracer(label), told_tracer(sidecar)
    if asked is None:
        return {}
    name, nuclide = str(sidecar.get("TracerName") or ""), asked.radionuclide
    own = told is not None and told.matches(asked) and _NAME.fullmatch(name)
    nuclide = (told.radionuclide if told and told.matches(asked) else None) or nuclide
    content = {"TracerName": name if own else asked.name}
    return content | ({"TracerRadionuclide": nuclide} if nuclide else {})


def _split(text: str) -> tuple[str | None, str]:
    """Take the isotope out of a text: `[18F]FDG` is 18F and FDG."""
    for word, symbol in _ELEMENTS.items():
        text = re.sub(rf"\b{word}\b", symbol, text, flags=re.I)
    for symbol, masses in _ISOTOPES.items():
        mass = "|".join(masses)
        for pattern in (
            rf"(?<![A-Za-z0-9])\W*(?P<mass>{mass})[\W_]*{symbol}",
            rf"(?<![A-Za-z0-9]){symbol}[\W_]*(?P<mass>{mass})(?![0-9])",
        ):
            if match := re.search(pattern, text, re.I if len(symbol) == 1 else 0):
                return match["mass"] + symbol, text[: match.start()] + " " + text[match.end() :]
    return None, text


def _squeezed(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower())  # an accent is no other letter
    return re.sub(r"[^a-z0-9]", "", plain)
