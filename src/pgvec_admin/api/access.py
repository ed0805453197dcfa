"""Who sends a request: tokens, keys, and limits by caller."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from uuid import UUID

import jwt
from fastapi import Request

from pgvec_admin.api.cache import Cache
from pgvec_admin.api.keys import Keys
from pgvec_admin.api.problems import ProblemError
from pgvec_admin.api.settings import Caller, Settings

_TOKENS, _TOKEN_SECONDS = 1000, 60.0
_ASYMMETRIC = ["RS256", "ES256", "EdDSA"]
# claims that differ between two tokens of the same bearer
_OF_ONE_TOKEN = ("exp", "iat", "nbf", "jti")


class Gate:
    """Identifies the callers of requests, and refuses requests without a valid caller, and too many of one."""

    def __init__(self, settings: Settings) -> None:
        self._access = settings.access
        self._hosts = {name.casefold() for name in settings.hosts} | {"localhost"}
        self._origins = settings.origins
        self._keys = Keys(self._access.jwks_url) if self._access.jwks_url else None
        most = settings.limits.requests_a_minute
        self._rate, self._refused = Rate(most), Rate(most)
        # tokens that were found valid, with their expiry
        self._known: Cache[tuple[float, Caller]] = Cache(_TOKENS, seconds=_TOKEN_SECONDS)

    def check_site(self, request: Request) -> None:
        """ProblemError where a service that asks for no token is called by a page of another site.

        A browser makes such calls for any page that its user opens: under a name of that page's domain, which resolves
        to an address of this machine (421), or from another origin (403).
        """
        if not self._access.everybody:
            return
        hosts = request.headers.getlist("host")
        for host in hosts:
            name = _host_name(host)
            if name not in self._hosts and not _is_address(name):
                raise ProblemError(421, "the service is not called by this name", "name it by --allow-host")
        origin = request.headers.get("origin")
        if origin is not None and origin not in self._origins and origin.partition("://")[2] not in hosts:
            raise ProblemError(403, "pages of this origin may not call", "name it by --origin")

    async def caller(self, request: Request) -> Caller:
        """The caller; ProblemError 401 without a valid token or key, 429 for too many requests of one caller."""
        address = _network(request)
        try:
            found = await self._identify(request, address)
        except ProblemError as error:
            if error.status == 401:
                self._refused.count(address)
            raise
        self._rate.count(found.name)
        return found

    def check_scraper(self, request: Request) -> None:
        """ProblemError 401 for a caller that may not see metrics: without the metrics key, where callers sign in."""
        key = self._access.metrics_key
        if key is None and self._access.everybody:
            return
        if key is None or not _is_among(_bearer_of(request), [key]):
            self._refused.count(_network(request))
            raise _unauthorized("send Authorization: Bearer <key> with the key of PGVEC_METRICS_KEY")

    async def bearer(self, token: str) -> Caller:
        """The bearer of a token, without a name where it has no subject; ProblemError 401 if it is not valid."""
        known = self._known.get(token)
        if known is None or known[0] <= time.time():
            known = _of_claims(await self._claims(token))
            self._known.put(token, known)
        return known[1]

    async def _identify(self, request: Request, address: str) -> Caller:
        if self._access.everybody:
            return Caller(address, address)
        key = request.headers.get("x-api-key")
        if key is not None and self._access.keys:
            if not _is_among(key, self._access.keys):
                raise _unauthorized("the API key is not known")
            tenant = _tenant(request.headers.get("x-tenant"))
            name = _digest("key", key, str(tenant))
            return Caller(name, name, tenant=tenant)
        token = _bearer_of(request)
        if not token or not self._access.tokens:
            raise _unauthorized("send " + " or ".join(self._wanted()))
        found = await self.bearer(token)
        # without a name the address identifies a caller best: every browser has the same anonymous token
        return found if found.name else replace(found, name=_digest(found.scope, address))

    def _wanted(self) -> list[str]:
        return [
            *(["Authorization: Bearer <token>"] if self._access.tokens else []),
            *(["X-API-Key: <key>"] if self._access.keys else []),
        ]

    async def _claims(self, token: str) -> dict[str, Any]:
        audience = self._access.jwt_audience
        options: Any = {"require": ["exp"], "verify_aud": audience is not None}
        header = _decoded(lambda: jwt.get_unverified_header(token))
        key: Any = self._access.jwt_secret
        algorithms = ["HS256"]
        if self._keys and header.get("alg") in _ASYMMETRIC:
            # a key of this kind determines its algorithm, and no other is tried with it
            key, algorithms = await self._keys.of(header.get("kid")), _ASYMMETRIC
        if key is None:
            raise _unauthorized("the token is not signed with a key of ours")
        return _decoded(lambda: jwt.decode(token, key, algorithms, audience=audience, options=options))


def chosen_tenant(caller: Caller, tenant: UUID | None) -> UUID | None:
    """The tenant of a request. Only the bearer of a token may choose one: the database knows the bearer's tenants.

    A body that a backend passes on from its own callers must not name another tenant than the one it acts for.
    """
    if tenant is not None and caller.role is None and tenant != caller.tenant:
        raise ProblemError(403, f"tenant {tenant} is not one of the caller's", code="PV006")
    return tenant


def _decoded(decode: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Parse a token with the library; any error that a forged token causes there means that it is not valid."""
    try:
        return decode()
    except jwt.PyJWTError as error:
        raise _unauthorized(f"the token is not valid: {error}") from error
    except Exception as error:
        raise _unauthorized("the token is not valid") from error


class Rate:
    """A number of requests a minute for each name, in bursts of as many as it has saved up."""

    REMEMBERED = 10_000

    def __init__(self, requests_a_minute: int) -> None:
        self._most = float(requests_a_minute)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def count(self, name: str) -> None:
        """Count a request; ProblemError 429 where it is one too many."""
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


def _digest(*parts: str) -> str:
    """A name of fixed length: the memory of limits and caches does not grow with what callers send."""
    return hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _is_among(key: str, known: Iterable[str]) -> bool:
    # all are compared, so that the time taken reveals nothing
    return bool(sum(hmac.compare_digest(key.encode(), one.encode()) for one in known))


def _bearer_of(request: Request) -> str:
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else ""


def _network(request: Request) -> str:
    """The address of a request as a name; for IPv6 the network, where a machine may have any number of addresses."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _digest("address", host)
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        host = str(mapped or ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
    return _digest("address", host)


def _host_name(host: str) -> str:
    name = host.rpartition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return name.casefold().rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _tenant(given: str | None) -> UUID | None:
    if given is None:
        return None
    try:
        return UUID(given)
    except ValueError as error:
        raise ProblemError(422, "X-Tenant is not a UUID", "name the tenant by its UUID") from error


def _of_claims(claims: dict[str, Any]) -> tuple[float, Caller]:
    role, subject = claims.get("role"), claims.get("sub")
    if not isinstance(role, str) or role in ("", "none"):  # set role none would be the service's own role
        raise _unauthorized("the token has no role")
    # the database decides which claims make a tenant, so all claims are part of the scope
    lasting = {name: value for name, value in claims.items() if name not in _OF_ONE_TOKEN}
    scope = _digest("token", json.dumps(lasting, sort_keys=True))
    name = _digest("token", str(claims.get("iss")), str(subject)) if subject else ""
    return float(claims["exp"]), Caller(name, scope, role, json.dumps(claims))


def _unauthorized(detail: str) -> ProblemError:
    return ProblemError(401, "not signed in", detail, headers={"WWW-Authenticate": "Bearer"})
