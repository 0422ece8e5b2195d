"""Trouble in single rows of ADNI's tables: who, when, what."""

from adni_fakes import MRI, PET, image
from bad_tables import OTHER, build
from cases import Case


def one_row(**changes):
    """Return what becomes of one image with a fault, beside a good one: the reason."""

    def run(folder):
        cohort, out = build(folder, [image(1), image(77, OTHER) | changes])
        assert cohort["mri_file"].tolist() == ["011_S_0005"]
        assert len(out) == 1
        return out["reason"].item()

    return run


def pet_row(description, **changes):
    return one_row(**PET | {"Description": description} | changes)


def same_image(*rows):
    """Return the reason why an image is left out that stands in several rows, if it is."""

    def run(folder):
        cohort, out = build(folder, [image(1), *rows])
        if out.empty:
            assert cohort["mri_member"].tolist() == ["1"]
            return None
        assert cohort["mri_file"].tolist() == ["011_S_0005"]
        return out["reason"].item()

    return run


def late_pet(day, kind, max_days=183):
    def run(folder):
        rows = [image(1), image(2, **PET, **{"Visit": "m12", "Acq Date": day})]
        cohort, out = build(folder, rows, max_days=max_days)
        assert cohort["kind"].tolist() == [kind]
        return None if out.empty else out["reason"].item()

    return run


def second_pet(folder):
    rows = [image(1), image(2, **PET), image(3, **PET, **{"Acq Date": "4/30/2006"})]
    cohort, out = build(folder, rows)
    assert cohort["pet_member"].tolist() == ["2"]
    return out["reason"].item()


CASES = [
    Case("two-digit year", "excluded", one_row(**{"Acq Date": "3/30/06"}), "'3/30/06' is neither"),
    Case(
        "date with a time zone",
        "excluded",
        one_row(**{"Acq Date": "2006-03-30T23:30+02:00"}),
        "is neither",
    ),
    Case(
        "year 0006 or 2106",
        "excluded",
        one_row(**{"Acq Date": "2106-03-30"}),
        "not of 1980 to 2100",
    ),
    Case("no date", "excluded", one_row(**{"Acq Date": ""}), "acquisition date ''"),
    Case("a row twice", "right", same_image(image("I1"))),
    Case("one image ID as I1, 1 and 0001", "right", same_image(image("I1"), image("0001"))),
    Case(
        "an image twice with different contents",
        "excluded",
        same_image(image(2, OTHER), image(2, OTHER, Group="AD")),
        "listed 2 times with different group",
    ),
    Case(
        "one image ID for an MRI and a PET",
        "excluded",
        same_image(image(2, OTHER), image(2, OTHER, **PET)),
        "listed 2 times with different",
    ),
    Case(
        "image ID damaged by a spreadsheet",
        "excluded",
        one_row(**{"Image Data ID": "1.23E+05"}),
        "is not a number",
    ),
    Case(
        "unknown diagnosis",
        "excluded",
        one_row(Group="Phantom"),
        "unknown group 'Phantom' .collection.csv, line 3",
    ),
    Case(
        "no diagnosis anywhere", "excluded", one_row(Group=""), "no diagnosis in the collection or"
    ),
    Case(
        "group that was not asked for",
        "excluded",
        one_row(Group="SMC"),
        "is not among the study's groups",
    ),
    Case(
        "participant ../011_S_0006",
        "excluded",
        one_row(Subject="../011_S_0006"),
        "is not an ADNI participant",
    ),
    Case(
        "participant `011_S_0006; rm -rf ~`",
        "excluded",
        one_row(Subject="011_S_0006; rm -rf ~"),
        "is not an ADNI participant",
    ),
    Case(
        "participant with a line break",
        "excluded",
        one_row(Subject="011_S_0006\n011_S_0007"),
        r"'011_S_0006\?011_S_0007' is not",
    ),
    Case("visit ../../etc", "excluded", one_row(Visit="../../etc"), "cannot be used as a label"),
    Case("no visit", "excluded", one_row(Visit=""), "visit '' cannot be used"),
    Case(
        "localiser",
        "excluded",
        one_row(**MRI | {"Description": "3 Plane Localizer"}),
        "is not a T1-weighted",
    ),
    Case(
        "T2 in place of T1",
        "excluded",
        one_row(Description="Axial T2 FLAIR"),
        "is not a T1-weighted",
    ),
    Case("modality fMRI", "excluded", one_row(Modality="fMRI"), "is neither MRI nor PET"),
    Case(
        "PET of another tracer (AV45)",
        "excluded",
        pet_row("AV45 Coreg, Avg, Standardized Image"),
        "tracer: 'AV45 .* is not FDG",
    ),
    Case("PET of tau", "excluded", pet_row("AV1451 Coreg, Avg"), "tracer"),
    Case(
        "AV45 described as PET alone",
        "excluded",
        pet_row("PET Brain"),
        "does not say that it is FDG",
    ),
    Case(
        "PET transmission scan", "excluded", pet_row("FDG Transmission"), "is not an emission scan"
    ),
    Case(
        "PET older than max_days_apart",
        "excluded",
        late_pet("3/30/2007", "mri_only"),
        "no MRI within 183 days: the nearest, I1, is 365 days away",
    ),
    Case("PET on the last admitted day", "right", late_pet("4/09/2006", "paired", 10)),
    Case("PET before the MRI", "right", late_pet("2/01/2006", "paired")),
    Case(
        "a second PET of the visit", "excluded", second_pet, "another PET of the visit, I2, is used"
    ),
]
