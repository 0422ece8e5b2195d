"""The two kinds of trouble that a user can cause and mend."""


class Mri2PetError(Exception):
    """Base of every error that mri2pet raises on purpose."""


class InputError(Mri2PetError):
    """A table, setting or file that the whole run needs is wrong: stop and say what to do."""


class ScanError(Mri2PetError):
    """One scan cannot be used: it is listed among the exclusions and the rest goes on."""
