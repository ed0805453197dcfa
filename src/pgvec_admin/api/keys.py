"""The public keys that tokens are checked with, published at an address (JWKS)."""

from __future__ import annotations

import asyncio
import logging
import time

import jwt

from pgvec_admin.api.problems import ProblemError

log = logging.getLogger("pgvec_admin.api")

_LIFETIME = 300.0  # seconds until keys are fetched again, so that a withdrawn one expires
_PAUSE = 30.0  # least seconds between fetches for unknown keys
_FAILED = 5.0  # seconds between a failed fetch and the next


class Keys:
    """The keys at an address, fetched again when they are old, or for a key that is not among them.

    While the address does not answer, the previous keys remain valid for a while; requests do not queue for it.
    """

    def __init__(self, address: str) -> None:
        self._client = jwt.PyJWKClient(address, cache_jwk_set=False, timeout=5)
        self._known: dict[str, jwt.PyJWK] = {}
        self._fetched = self._failed = self._asked = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def of(self, given: object) -> jwt.PyJWK | None:
        """The key of this id; ProblemError 503 where no keys can be had."""
        kid = given if isinstance(given, str) else ""
        if not self._fresh(kid) and not (self._one_at_a_time.locked() and kid in self._known):
            async with self._one_at_a_time:
                if not self._fresh(kid):
                    await self._fetch()
        return self._known.get(kid)

    def _fresh(self, kid: str) -> bool:
        now = time.monotonic()
        if now - self._failed < _FAILED:
            if not self._known:
                raise _unavailable()
            return True
        if now - self._fetched > _LIFETIME:
            return False
        return kid in self._known or now - self._asked <= _PAUSE

    async def _fetch(self) -> None:
        if self._known:
            self._asked = time.monotonic()
        try:
            keys = await asyncio.to_thread(self._client.get_signing_keys)
        except Exception as error:  # an address may answer with anything
            log.error("the keys of tokens cannot be fetched: %s", error)
            self._failed = time.monotonic()
            if not self._known or self._failed - self._fetched > 2 * _LIFETIME:
                self._known = {}
                raise _unavailable() from error
            return
        self._known = {key.key_id: key for key in keys if key.key_id}
        self._fetched = time.monotonic()


def _unavailable() -> ProblemError:
    return ProblemError(503, "the keys of tokens cannot be fetched", "try again soon", retry_after=5)
