"""From a T1 and a PET scan to volumes in MNI152."""

import sys

# nibabel imports pydicom for DICOM headers inside NIfTI files, which takes most of its own import
# time in every job; none of the images here has any.
if "nibabel" not in sys.modules and "pydicom" not in sys.modules:
    sys.modules["pydicom"] = None  # type: ignore[assignment]
    try:
        import nibabel  # noqa: F401
    finally:
        del sys.modules["pydicom"]
