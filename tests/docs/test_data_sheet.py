"""The numbers of the data sheet of the simulated people are those of the source."""

import re
import statistics

import pytest
import yaml

from mri2pet.simulation import anatomy, epilepsy_people, mri, people, pet


def plain(number):
    """Write a number as the page does: .05, 6.5, 9,973."""
    return f"{number:,}".removeprefix("0") if number else "0"


def span(values):
    return " to ".join(map(plain, values))


@pytest.fixture(scope="module")
def page(root):
    return " ".join((root / "docs/simulated_people.md").read_text().split())


@pytest.mark.parametrize(
    "words",
    [
        f"at most {plain(people.MOST_PEOPLE)} of `dementia`",
        f"{plain(epilepsy_people.MOST)} of each kind of `epilepsy`",
        f"{len(people.SITES)} sites",
        ", ".join(f"{s:g} ({g})".lstrip("0") for g, s in people.SEVERITY.items()),
        f"sd {plain(people.SPREAD['AD'])} (kinds of MCI {plain(people.SPREAD['MCI'])})",
        f"{plain(min(people.PROGRESSION.values()))} to {plain(max(people.PROGRESSION.values()))} a",
        "{}, {} and {} mm rms".format(*map(plain, anatomy.SCALES.values())),
        f"{plain(anatomy.COUPLING)} of the disease's share",
        f"(sd {plain(anatomy.UNSEEN_SD)}, logarithmic) and {100 * anatomy.NORMAL_SD:.1f}% of",
        f"grey matter differs by {100 * anatomy.HEALTHY_SD:.0f}%",
        f"shading of the coil to {100 * mri.BIAS:.0f}%",
        f"Rician noise of {span(mri.NOISE)} of white matter",
        f"blurred to {pet.FWHM} mm; noise of {span(pet.NOISE)}",
        f"with a grain of {pet.NOISE_FWHM:.0f} mm",
        "{:.0f} to {:.0f} and 20 to 86 years".format(*epilepsy_people.AGES),
    ],
)
def test_a_number_is_that_of_the_source(page, words):
    assert words in page


def test_the_default_sizes_are_those_of_the_configuration(page, config):
    studies = {name: study["simulation"] for name, study in config["studies"].items()}
    dementia, epilepsy = studies["dementia"], studies["epilepsy"]
    words = (
        f"By default {dementia['paired']} with both scans and {dementia['mri_only']} with an MRI"
    )
    sizes = [epilepsy[key] for key in ("paired", "mri_only", "patients")]
    assert f"{words} alone; {sizes[0]}, {sizes[1]} and {sizes[2]} patients" in page
    assert f"{studies['ixi']['people']}." in page
    low, high = epilepsy["lesion"]["depth"]
    assert (
        f"loses {span((low, high))} of the uptake over {span(epilepsy['lesion']['ml'])} ml" in page
    )
    assert f"the share `coupling` ({plain(epilepsy['coupling'])})" in page


@pytest.mark.parametrize("name", ["synthesis", "scanners", "dual_glow"])
def test_people_of_a_study_are_as_told(page, root, config, name):
    study = yaml.safe_load((root / f"config/study/{name}.yaml").read_text())
    own, seed = study["studies"]["dementia"]["simulation"], study.get("seed", config["seed"])
    planned = people.plan_people(config["studies"]["dementia"]["simulation"] | own, seed)

    def counted(with_pet):
        """Return the people of each group, and the women among them, in words."""
        some = [p for p in planned if (p.visits[0].pet_time is not None) == with_pet]
        known = {group: [p.sex for p in some if p.group == group] for group in ("CN", "MCI", "AD")}
        told = [f"{len(s)} {g} ({s.count('F')} women)" for g, s in known.items() if s]
        return ", ".join(told) or "none"

    ages = [person.age for person in planned]
    age = f"{statistics.mean(ages):.1f}, sd {statistics.stdev(ages):.1f}"
    twice = sum(len(person.visits) > 1 for person in planned)
    cells = (f"`config/study/{name}.yaml`", counted(True), counted(False), age, str(twice))
    assert f"| {' | '.join(cells)} |" in page


def test_the_headings_are_those_of_datasheets(root):
    text = (root / "docs/simulated_people.md").read_text()
    asked = ["Motivation", "Composition", "Collection process", "Preprocessing", "Uses"]
    assert re.findall(r"^## (.+)$", text, re.M) == [*asked, "Distribution", "Maintenance"]
