"""Secrets that are not printed: code that takes one registers it here, and messages go through `redacted`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from urllib.parse import unquote

HIDDEN = "..."

# a message may contain a piece of one; a shorter piece is in every text, and hidden only where it is quoted
_SHORTEST = 4
# keys of servers that ask for none are words such as none and local
_SHORTEST_KEY = 8
_KEYS = ("OPENAI_API_KEY", "PGVEC_JWT_SECRET", "PGVEC_ACCESS_KEYS", "PGVEC_METRICS_KEY")
_SECRETS: set[str] = set()


def forget() -> None:
    """Start with no secrets, for a new command."""
    _SECRETS.clear()


def hide(*keys: str | None) -> None:
    """Let none of these keys through `redacted` from now on."""
    _SECRETS.update(key for key in keys if key and len(key) >= _SHORTEST_KEY)


def hide_password(conninfo: str) -> None:
    """Hide the password of a connection string; in a malformed one, everything that may have been meant as one."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:
        parts = {}
    password = parts.pop("password", None)
    if password and password not in parts.values():  # the same as the name of the user or database: no secret
        _SECRETS.add(str(password))
    # an @, / or : that was not encoded ends the password too early, and the rest of it becomes host or port
    mistaken = "@" in str(parts.get("host")) or not str(parts.get("port") or 0).replace(",", "").isdigit()
    if not parts or mistaken:
        found = re.match(r"\s*\w+://[^:@/?]*:(.*)@", conninfo, flags=re.S)
        meant = [found[1]] if found else re.findall(r"password\s*=\s*(.+)", conninfo, flags=re.S)
        _SECRETS.update(filter(None, [*meant, *map(unquote, meant)]))


def redacted(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """The text without any secret, and without the pieces of one that it quotes."""
    hide(*(environ.get(name) for name in _KEYS))
    secrets = _SECRETS | {environ["PGPASSWORD"]} if environ.get("PGPASSWORD") else _SECRETS
    for secret in sorted(secrets, key=len, reverse=True):

        def without(found: re.Match[str], whole: str = secret) -> str:
            return f"{found[1]}{HIDDEN}{found[1]}" if found[2] in whole else found[0]

        text = re.sub(r"""(["'])((?:(?!\1).)+)\1""", without, text)
        for piece in sorted({secret, *re.split(r"[\s,@:/%?&=']+", secret)}, key=len, reverse=True):
            if len(piece) >= _SHORTEST:
                text = text.replace(piece, HIDDEN)
    return text
