"""Volumes for the tests of DUAL-GLOW."""

import pytest
from dual_glow_small import volumes


@pytest.fixture
def mri():
    return volumes(1)


@pytest.fixture
def pet():
    return volumes(2)
