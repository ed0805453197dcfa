"""The faults of `faults.toml`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("faults.toml")


@dataclass(frozen=True)
class Fault:
    """A fault: in `file`, `old` gives way to `new`. `tests` are run first; `notice` is what a user would notice."""

    name: str
    notice: str
    file: str
    old: str
    new: str
    tests: list[str]

    def planted(self, checkout: Path) -> str:
        """The text of its file with the fault in it. ValueError where `old` does not stand there exactly once."""
        text = (checkout / self.file).read_text(encoding="utf-8")
        found = text.count(self.old)
        if found != 1:
            raise ValueError(f"{self.name}: the text to replace stands {found} times in {self.file}")
        return text.replace(self.old, self.new)


def read() -> list[Fault]:
    """All faults, in the order of the table."""
    return [Fault(**row) for row in tomllib.loads(TABLE.read_text(encoding="utf-8"))["fault"]]
