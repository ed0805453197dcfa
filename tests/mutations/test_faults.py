"""Every fault can still be planted: its text is there, and the file with the fault in it is still SQL or Python."""

from __future__ import annotations

from pathlib import Path

import pglast
import pytest

from mutations import faults
from mutations.faults import Fault

CHECKOUT = Path(__file__).resolve().parents[2]
FAULTS = faults.read()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_can_be_planted(fault: Fault) -> None:
    text = fault.planted(CHECKOUT)
    if fault.file.endswith(".py"):
        compile(text, fault.file, "exec")
    else:
        pglast.parse_sql(text)
    for test in fault.tests:
        file, _, name = test.partition("::")
        assert not name or f"def {name}(" in (CHECKOUT / file).read_text()
        assert (CHECKOUT / file).name.startswith("test_")


def test_faults_are_of_every_room_and_of_different_names() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 40
    files = {Path(fault.file).parent.relative_to("sql/functions") for fault in FAULTS if fault.file.endswith(".sql")}
    rooms = {path.parent.relative_to(CHECKOUT / "sql/functions") for path in CHECKOUT.glob("sql/functions/**/*.sql")}
    assert files == rooms


def test_a_text_that_is_not_there_once_is_refused(tmp_path: Path) -> None:
    fault = Fault("f", "", "a.py", "x", "y", [])
    for text in ("", "xx"):
        (tmp_path / "a.py").write_text(text)
        with pytest.raises(ValueError, match=f"stands {len(text)} times in a.py"):
            fault.planted(tmp_path)
