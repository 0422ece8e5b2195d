"""A simulated dynamic PET comes through the cohort and the conversion, as a static one does."""

import nibabel as nib
import numpy as np
import pytest

from mri2pet.cohorts.adni.reader import build_cohort
from mri2pet.conversion.scan_to_bids import convert_scan
from mri2pet.simulation.adni_tables import write_tables
from mri2pet.simulation.dicom_writer import pet_image, write_series
from mri2pet.simulation.mri import Scan
from mri2pet.simulation.people import GROUPS, plan_people
from mri2pet.simulation.scanner_settings import BQML_PER_STORED, FRAME_SECONDS

SETTINGS = {"paired": 6, "mri_only": 2, "second_visits": 2, "groups": list(GROUPS)}
PEOPLE = plan_people(SETTINGS, 3)


@pytest.mark.parametrize("frames", [1, 2, 3, 6])
def test_every_scan_of_the_simulated_tables_is_taken(tmp_path, frames):
    write_tables(PEOPLE, frames, tmp_path)
    cohort, exclusions = build_cohort(sorted(tmp_path.glob("*.csv")), GROUPS, 183)
    assert exclusions.empty, exclusions["reason"].tolist()
    assert len(cohort) == 10
    assert cohort["kind"].value_counts().to_dict() == {"paired": 8, "mri_only": 2}


@pytest.mark.parametrize("frames", [1, 2, 3, 6])
def test_frames_are_averaged_by_the_conversion(tmp_path, frames):
    visit = PEOPLE[0].visits[0]
    shape = (20, 18, 12) if frames == 1 else (20, 18, 12, frames)
    data = np.random.default_rng(frames).integers(1, 20000, shape).astype(np.int16)
    affine = np.diag([-6.0, -6.0, 6.0, 1.0])
    write_series(tmp_path / "raw", PEOPLE[0], visit, pet_image(visit, frames), Scan(data, affine))
    sidecar = convert_scan(tmp_path / "raw", visit.pet_image, "PET", tmp_path / "pet.nii.gz")
    found = nib.as_closest_canonical(nib.load(tmp_path / "pet.nii.gz")).get_fdata()
    wanted = BQML_PER_STORED * data.reshape(20, 18, 12, frames).mean(axis=3)
    np.testing.assert_allclose(found, wanted[::-1, ::-1], rtol=1e-6)
    assert sidecar["FramesAveraged"] == frames
    # it tells of the one volume that is left
    assert sidecar["FrameDuration"] == [FRAME_SECONDS * frames if frames > 1 else 1800]
