"""The sections of each system, made by the functions that the table of systems names."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mri2pet.config.systems import resolve
from mri2pet.reporting.html import Section


def system_sections(
    makers: Sequence[str],
    shown: Any,
    labels: Mapping[str, Any],
    studies: Sequence[str],
    options: Mapping[str, Any],
) -> list[Section]:
    """Return the sections of one system, each marked with the studies that it shows.

    Parameters
    ----------
    makers
        Functions that make sections of files, labels and options, as `module:name`.
    shown
        Files that the system shows.
    labels
        Labels of its models.
    studies
        Those that its numbers come from.
    options
        What its functions need beside these.
    """
    made = [each for name in makers for each in resolve(name)(shown, labels, **options)]
    return [replace(each, studies=list(studies)) for each in made]


def systems_sections(
    shown: Mapping[str, Any],
    labels: Mapping[str, Mapping[str, Any]],
    makers: Mapping[str, Sequence[str]],
    studies: Mapping[str, Sequence[str]],
    options: Mapping[str, Mapping[str, Any]],
) -> dict[str, list[Section]]:
    """Return the sections of all systems, in the order of `labels`; each argument is by system."""
    return {
        system: system_sections(
            makers[system], shown[system], names, studies[system], options.get(system, {})
        )
        for system, names in labels.items()
    }
