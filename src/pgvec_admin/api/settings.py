"""What the service is told when it starts, and whose a request is."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from pgvec_admin.embed import ProviderOptions


@dataclass(frozen=True)
class Limits:
    """Beyond these a request is refused (413, 422), told to slow down (429) or to come back (503).

    `requests_a_minute` is for each caller, and 0 means any number. `wait_seconds` is for a connection to be free.
    """

    body_bytes: int = 4_000_000
    text_characters: int = 100_000
    top_k: int = 1000
    documents: int = 1000
    requests_a_minute: int = 6000
    concurrent: int = 64
    wait_seconds: float = 5.0
    statement_seconds: float = 10.0


@dataclass(frozen=True)
class Caching:
    """How many bytes of answers and how many embeddings of queries are kept, the answers for how long; 0 keeps none."""

    answer_bytes: int = 64_000_000
    answer_seconds: float = 300.0
    embeddings: int = 5000


@dataclass(frozen=True)
class Access:
    """Who may call: a bearer token as Supabase issues them, or a key of a trusted backend. Neither: everybody.

    A token's role and claims become those of the transaction, so that policies decide. With a key the header X-Tenant
    names the tenant.
    """

    jwt_secret: str | None = None
    jwks_url: str | None = None
    jwt_audience: str | None = None
    keys: frozenset[str] = frozenset()

    @property
    def tokens(self) -> bool:
        """Whether bearer tokens are taken."""
        return bool(self.jwt_secret or self.jwks_url)

    @property
    def everybody(self) -> bool:
        """Whether callers need nothing."""
        return not (self.tokens or self.keys)


@dataclass(frozen=True)
class Settings:
    """Database, default collection, connections at most, and what to tell embedding providers.

    `prepare`: statements are prepared, which a pooler in transaction mode may not allow.
    """

    conninfo: str
    collection: str = "documents"
    connections: int = 8
    prepare: bool = True
    origins: tuple[str, ...] = ()
    provider: ProviderOptions = field(default_factory=ProviderOptions)
    access: Access = field(default_factory=Access)
    limits: Limits = field(default_factory=Limits)
    caching: Caching = field(default_factory=Caching)


@dataclass(frozen=True)
class Caller:
    """Whose request it is: the role and claims of a token, or the tenant that a trusted backend acts for."""

    name: str
    role: str | None = None
    claims: str | None = None
    tenant: UUID | None = None
