"""The scanners of the simulated dementia study: which site has which, and how each is set.

A scanner stands for the pair of machines of a site, for MRI and for PET. All people of a site lie
in the same; which one follows from the seed and the site, so that a larger cohort changes nobody's.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from mri2pet.simulation.people import SITES, Person
from mri2pet.simulation.scanner_settings import FDG, T1W


def deal_sites(names: Sequence[str], seed: int) -> dict[str, str]:
    """Deal the sites of the simulated study to scanners, as evenly as can be.

    Parameters
    ----------
    names
        Of the scanners.
    seed
        Of the order in which sites are dealt.

    Returns
    -------
    Site, as an ADNI subject's label begins (`011`), to scanner. Every site has one, whether
    anybody comes from it or not.
    """
    order = sorted((_hash(f"{site:03d}", seed), f"{site:03d}") for site in SITES)
    return {site: names[turn % len(names)] for turn, (_, site) in enumerate(order)}


def scanner_of(person: Person, simulation: Mapping[str, Any]) -> dict[str, Any]:
    """Return how the scanner of a person's site is set.

    Parameters
    ----------
    person
        One of `plan_people`.
    simulation
        The block `simulation` of the configuration.

    Returns
    -------
    As `visit_scans.scan_visit` takes it. Without `scanners` in the configuration the same of
    everybody: `mri_voxel_mm`, `pet_frames` and `pet_voxel_mm`. With them also `name`, and what the
    scanner's own block says.
    """
    common = {
        "mri_voxel_mm": simulation["mri_voxel_mm"],
        "pet_frames": simulation.get("pet_frames", 1),
        "pet_voxel_mm": simulation["pet_voxel_mm"],
    }
    scanners = simulation.get("scanners") or {}
    if not scanners:
        return common
    name = deal_sites(list(scanners), person.seed)[person.ptid[:3]]
    return common | {"name": name} | dict(scanners[name])


def machine(scanner: Mapping[str, Any], modality: str) -> dict[str, str]:
    """Return `Manufacturer` and `ManufacturersModelName` of a scanner, as BIDS writes them.

    Parameters
    ----------
    scanner
        As `scanner_of` gives it; what it does not say is as for a study without scanners.
    modality
        `MR` or `PT`.
    """
    prefix, usual = {"MR": ("mri", T1W), "PT": ("pet", FDG)}[modality]
    return {
        "Manufacturer": scanner.get(f"{prefix}_manufacturer", usual["Manufacturer"]),
        "ManufacturersModelName": scanner.get(f"{prefix}_model", usual["ManufacturersModelName"]),
    }


def _hash(site: str, seed: int) -> int:
    return int(hashlib.sha256(f"scanner:{seed}:{site}".encode()).hexdigest(), 16)
