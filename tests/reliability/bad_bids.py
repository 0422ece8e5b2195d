"""Trouble in a BIDS folder of controls and patients: participants.tsv and the names of files."""

from cases import Case

from mri2pet.cohorts.bids.reader import list_inputs, read
from mri2pet.cohorts.roles import check_roles

PEOPLE = ("C1", "P1", "X1")


def study(*extra, people=None, text=None, age="40", role="control", without=()):
    """Return what becomes of person X1 beside a good control and a good patient."""

    def run(folder):
        for subject in PEOPLE:
            for part, name in (("anat", "T1w"), ("pet", "trc-18FFDG_pet")):
                path = folder / f"sub-{subject}/{part}/sub-{subject}_{name}.nii.gz"
                if not (subject == "X1" and name in without):
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.touch()
        for name in extra:
            path = folder / "sub-X1" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        table = folder / "participants.tsv"
        rows = [("C1", "control", "35"), ("P1", "patient", "30"), ("X1", role, age)]
        lines = ["participant_id\tgroup\tage\tsex", *("\t".join((*row, "F")) for row in rows)]
        content = "\n".join(people(lines) if people else lines)
        table.write_bytes(content.encode() if text is None else text)
        block = {"name": "epilepsy", "raw": str(folder)}
        cohort, out = read(folder, block, list_inputs(folder, block)["listing"])
        check_roles(cohort, block)
        assert {"C1", "P1"} <= set(cohort["subject"])
        return None if out.empty else out["reason"].item()

    return run


CASES = [
    Case(
        "participant_id with BOM, CRLF, age n/a",
        "right",
        study(people=lambda lines: ["\ufeff" + "\r\n".join(lines)], age="n/a"),
    ),
    Case(
        "a person twice",
        "stops",
        study(people=lambda lines: [*lines, lines[-1]]),
        "participants.tsv, line 5, participant_id: sub-X1 stands there twice",
    ),
    Case(
        "neither control nor patient",
        "stops",
        study(role="relative"),
        r"studies.epilepsy.roles: sub-X1 \(group 'relative'\) is neither",
    ),
    Case("age of -4", "stops", study(age="-4"), "line 4, age: '-4' is not an age in years"),
    Case(
        "participant_id sub-../x",
        "stops",
        study(people=lambda lines: [*lines[:3], lines[3].replace("X1", "sub-../x")]),
        "is no BIDS label",
    ),
    Case(
        "no row for a folder",
        "excluded",
        study(people=lambda lines: lines[:3]),
        "sub-X1 has no row",
    ),
    Case(
        "column group missing",
        "stops",
        study(people=lambda lines: [lines[0].replace("group", "site"), *lines[1:]]),
        "studies.epilepsy.roles: .* is neither a control nor a patient",
    ),
    Case("empty participants.tsv", "stops", study(text=b""), "participants.tsv: not a readable"),
    Case(
        "participants.tsv that is a workbook",
        "stops",
        study(text=b"PK\x03\x04\xff\xfe\x00"),
        "participants.tsv",
    ),
    Case(
        "row with too many cells",
        "stops",
        study(people=lambda lines: [*lines, "Y1\tcontrol\t30\tF\tx\ty"]),
        "participants.tsv: not a readable",
    ),
    Case(
        "PET of another tracer by its name",
        "excluded",
        study("pet/sub-X1_trc-11CPIB_pet.nii.gz", without=("trc-18FFDG_pet",)),
        "its tracer is 11CPIB, not 18FFDG",
    ),
    Case(
        "patient without PET",
        "excluded",
        study(role="patient", without=("trc-18FFDG_pet",)),
        "no session of sub-X1, a patient, has a T1w and PET",
    ),
    Case(
        "two T1-weighted images",
        "excluded",
        study("anat/sub-X1_run-2_T1w.nii.gz"),
        "one MRI a visit is used",
    ),
    Case(
        "a brace in an image's name",
        "stops",
        study("anat/sub-X1_{x}_T1w.nii.gz"),
        "studies.epilepsy.raw: .* has a brace in its name",
    ),
    Case(
        "a folder without scans",
        "stops",
        lambda folder: list_inputs(folder, {"name": "epilepsy"}) and None,
        "is not a BIDS folder",
    ),
]
