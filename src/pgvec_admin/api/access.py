"""Whose request it is."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections import OrderedDict
from typing import Any
from uuid import UUID

import jwt
from fastapi import Request

from pgvec_admin.api.cache import Cache
from pgvec_admin.api.problems import ProblemError
from pgvec_admin.api.settings import Access, Caller

_TOKENS, _TOKEN_SECONDS = 1000, 60.0
_ASYMMETRIC = ["RS256", "ES256", "EdDSA"]


class Gate:
    """Makes callers of requests, and refuses those that are nobody's, or too many."""

    def __init__(self, access: Access, requests_a_minute: int) -> None:
        self._access = access
        self._keys = _Keys(access.jwks_url) if access.jwks_url else None
        self._rate = Rate(requests_a_minute)
        # tokens that were found valid, with when they cease to be
        self._known: Cache[tuple[float, Caller]] = Cache(_TOKENS, seconds=_TOKEN_SECONDS)

    async def caller(self, request: Request) -> Caller:
        """The caller; ProblemError 401 without a valid token or key, 429 for too many requests of one caller."""
        address = request.client.host if request.client else "unknown"
        try:
            found = await self._identify(request, address)
        except ProblemError as error:
            if error.status == 401:
                self._rate.count(f"refused {address}")
            raise
        self._rate.count(found.name)
        return found

    async def _identify(self, request: Request, address: str) -> Caller:
        if self._access.everybody:
            return Caller(f"address {address}")
        key = request.headers.get("x-api-key")
        if key is not None and self._access.keys:
            # all are compared, so that the time taken tells nothing
            if not sum(hmac.compare_digest(key.encode(), known.encode()) for known in self._access.keys):
                raise _unauthorized("the API key is not known")
            name = f"key {hashlib.blake2b(key.encode(), digest_size=8).hexdigest()}"
            return Caller(name, tenant=_tenant(request.headers.get("x-tenant")))
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not bearer or not self._access.tokens:
            raise _unauthorized("send " + " or ".join(self._wanted()))
        token = bearer.strip()
        known = self._known.get(token)
        if known is None or known[0] <= time.time():
            known = _bearer(await self._claims(token))
            self._known.put(token, known)
        return known[1]

    def _wanted(self) -> list[str]:
        return [
            *(["Authorization: Bearer <token>"] if self._access.tokens else []),
            *(["X-API-Key: <key>"] if self._access.keys else []),
        ]

    async def _claims(self, token: str) -> dict[str, Any]:
        audience = self._access.jwt_audience
        options: Any = {"require": ["exp"], "verify_aud": audience is not None}
        try:
            key: Any = self._access.jwt_secret
            algorithms = ["HS256"]
            if self._keys and jwt.get_unverified_header(token).get("alg") in _ASYMMETRIC:
                key, algorithms = await self._keys.of(token), _ASYMMETRIC
            if key is None:
                raise _unauthorized("the token is not signed with a key of ours")
            claims: dict[str, Any] = jwt.decode(token, key, algorithms, audience=audience, options=options)
        except jwt.PyJWKClientConnectionError as error:
            raise ProblemError(503, "the keys of tokens cannot be fetched", "try again soon", retry_after=5) from error
        except jwt.PyJWTError as error:
            raise _unauthorized(f"the token is not valid: {error}") from error
        return claims


class _Keys:
    """The public keys at a JWKS address, fetched again for a key that is not among them, but not all the time."""

    PAUSE = 30.0

    def __init__(self, address: str) -> None:
        self._client = jwt.PyJWKClient(address, timeout=5)
        self._fetched = -self.PAUSE
        self._one_at_a_time = asyncio.Lock()

    async def of(self, token: str) -> Any:
        wanted = jwt.get_unverified_header(token).get("kid")
        async with self._one_at_a_time:
            known = await asyncio.to_thread(self._client.get_signing_keys)
            if not any(key.key_id == wanted for key in known) and time.monotonic() - self._fetched > self.PAUSE:
                self._fetched = time.monotonic()
                known = await asyncio.to_thread(self._client.get_signing_keys, refresh=True)
        return next((key.key for key in known if key.key_id == wanted), None)


class Rate:
    """So many requests a minute of each name, any number at once that it has saved up."""

    REMEMBERED = 10_000

    def __init__(self, requests_a_minute: int) -> None:
        self._most = float(requests_a_minute)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def count(self, name: str) -> None:
        """One more request; ProblemError 429 where it is one too many."""
        if not self._most:
            return
        now = time.monotonic()
        left, since = self._left.pop(name, (self._most, now))
        left = min(self._most, left + (now - since) * self._most / 60)
        self._left[name] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > self.REMEMBERED:
            self._left.popitem(last=False)
        if left < 1:
            wait = int((1 - left) * 60 / self._most) + 1
            raise ProblemError(429, "too many requests", f"at most {self._most:.0f} a minute", retry_after=wait)


def _tenant(given: str | None) -> UUID | None:
    if given is None:
        return None
    try:
        return UUID(given)
    except ValueError as error:
        raise ProblemError(422, "X-Tenant is not a UUID", "name the tenant by its UUID") from error


def _bearer(claims: dict[str, Any]) -> tuple[float, Caller]:
    role = claims.get("role")
    if not isinstance(role, str) or role in ("", "none"):  # set role none would be the service's own
        raise _unauthorized("the token has no role")
    return float(claims["exp"]), Caller(f"token {claims.get('sub') or role}", role, json.dumps(claims))


def _unauthorized(detail: str) -> ProblemError:
    return ProblemError(401, "not signed in", detail, headers={"WWW-Authenticate": "Bearer"})
