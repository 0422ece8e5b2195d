"""Bad input from real life: each case ends as docs/reliability.md says, in good time."""

import pytest
from cases import Case, all_cases, judge

CASES = [(part, case) for part, cases in all_cases().items() for case in cases]


@pytest.mark.parametrize(
    "case", [case for _, case in CASES], ids=[f"{part}-{case.name}" for part, case in CASES]
)
def test_bad_input_ends_as_it_should(case: Case, tmp_path):
    judge(case, tmp_path)


def test_every_case_stands_in_the_documentation(root):
    text = (root / "docs/reliability.md").read_text()
    assert len(CASES) >= 100
    missing = [case.name for _, case in CASES if f"| {case.name} |" not in text]
    assert not missing, "run python tests/reliability/cases.py"
