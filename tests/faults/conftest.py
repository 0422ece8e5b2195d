"""Fakes and small runs of other tests serve here too."""

import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path += [str(TESTS / part) for part in ("cohort", "provenance", "reliability", "workflow")]
