"""The files of an untrusted directory: nothing outside is read, and nothing that hangs."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

Skip = Callable[[Path, str], None]

LEADS_OUT = "a link that leads out of the directory"
NOT_REGULAR = "no regular file"


def silently(path: Path, why: str) -> None:
    """The skip function of a caller that ignores what is left out."""
    del path, why


def walk(directory: Path, skip: Skip = silently, *, follow_links: bool = False) -> list[Path]:
    """The regular files below a directory, sorted, hidden ones left out.

    Links to files are followed where they stay within the directory; links to directories are not, since their targets
    are found under their own names. With `follow_links` both are followed, wherever they lead, each directory once.
    """
    return sorted(_walk(directory, directory.resolve(), skip, {directory.resolve()}, follow_links))


def _walk(folder: Path, root: Path, skip: Skip, entered: set[Path], follow_links: bool) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        skip(folder, f"cannot be read: {error.strerror}")
        return
    for path in entries:
        if path.name.startswith("."):
            continue
        try:
            real = path.resolve()
        except (OSError, RuntimeError):  # links in a circle
            skip(path, NOT_REGULAR)
            continue
        if not (follow_links or real.is_relative_to(root)):
            skip(path, LEADS_OUT)
        elif path.is_dir():
            if (follow_links or not path.is_symlink()) and real not in entered:
                entered.add(real)
                yield from _walk(path, root, skip, entered, follow_links)
        elif path.is_file():
            yield path
        else:
            skip(path, NOT_REGULAR)


def opened(path: Path, within: Path | None) -> BinaryIO:
    """A file to read. One that was found in a directory may have become a link, or a pipe that hangs: then OSError."""
    if within is None:
        return path.open("rb")
    if not path.resolve().is_relative_to(within.resolve()):
        raise OSError(f"it has become {LEADS_OUT}")
    file = os.fdopen(os.open(path.resolve(), os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_NOFOLLOW", 0)), "rb")
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(f"it has become {NOT_REGULAR}")
    return file
