"""mri2pet: from raw MRI and PET scans to synthetic PET and a diagnosis."""

__version__ = "0.1.0"
