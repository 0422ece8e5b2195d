"""From a T1 and a PET scan to volumes in MNI152."""
