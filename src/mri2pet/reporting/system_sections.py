"""The sections of the systems beside GLA-GAN, each marked with the studies that were simulated."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mri2pet.reporting import detector as anomaly
from mri2pet.reporting import dual_glow, ixi
from mri2pet.reporting import gan_anomaly as gan_pet
from mri2pet.reporting.html import Section

SECTIONS = {
    "dual_glow": [dual_glow.sections],
    "gan_anomaly": [gan_pet.sections, anomaly.sections],
    "ixi": [ixi.sections],
}


def system_sections(
    system: str, shown: Any, labels: Mapping[str, Any], studies: Sequence[str]
) -> list[Section]:
    """Return the sections of one system; GLA-GAN's are the page's own and none of these.

    Parameters
    ----------
    system
        Name as in the key `systems`.
    shown
        Files that the system shows.
    labels
        Labels of its models.
    studies
        Simulated studies that its numbers come from.
    """
    made = [each for sections in SECTIONS.get(system, []) for each in sections(shown, labels)]
    return [replace(each, studies=list(studies)) for each in made]
