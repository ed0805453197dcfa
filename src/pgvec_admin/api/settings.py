"""The settings of the service, and the caller of a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.errors import UsageError

SECRET_BYTES = 32  # RFC 7518 3.2: a key for HS256 is at least as long as the hash
KEY_CHARACTERS = 16


@dataclass(frozen=True)
class Limits:
    """Beyond these a request is refused (408, 413, 422, 431), told to slow down (429) or to come back (503).

    `requests_a_minute` is for each caller, and 0 means any number. `wait_seconds` is the wait for a free connection.
    `share` is the percentage of requests at once, of connections to the database and of memory for bodies that one
    caller holds at most, and of `sockets` that one address holds. `read_seconds` is the time for the head of a
    request, again for its body, and for a client to go on reading an answer.
    """

    body_bytes: int = 4_000_000
    text_characters: int = 100_000
    top_k: int = 1000
    documents: int = 1000
    requests_a_minute: int = 6000
    concurrent: int = 64
    share: int = 25
    sockets: int = 800
    head_bytes: int = 32_768
    head_fields: int = 100
    read_seconds: float = 20.0
    wait_seconds: float = 5.0
    statement_seconds: float = 10.0

    def of_one(self, total: int) -> int:
        """The most of a total that one caller may hold."""
        return max(1, total * self.share // 100)


@dataclass(frozen=True)
class Caching:
    """The cache's limits: bytes of responses, number of query embeddings, seconds for responses; 0 caches none."""

    answer_bytes: int = 64_000_000
    answer_seconds: float = 300.0
    embeddings: int = 5000


@dataclass(frozen=True)
class Access:
    """Who may call: a bearer token as Supabase issues them, or a key of a trusted backend. Neither: everybody.

    A token's role and claims become those of the transaction, so that policies decide. With a key the header X-Tenant
    names the tenant. `metrics_key` is for scrapers; without one nobody may scrape where callers sign in. UsageError
    for secrets that are empty or could be guessed.
    """

    jwt_secret: str | None = field(default=None, repr=False)
    jwks_url: str | None = None
    jwt_audience: str | None = None
    keys: frozenset[str] = field(default=frozenset(), repr=False)
    metrics_key: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.jwt_secret is not None and (given := len(self.jwt_secret.encode())) < SECRET_BYTES:
            raise UsageError(
                f"the secret of tokens has {given} bytes, which can be guessed",
                f"at least {SECRET_BYTES}, for example of: openssl rand -base64 32",
            )
        for what, key in (*(("an access key", key) for key in self.keys), ("the metrics key", self.metrics_key)):
            if key is not None and len(key) < KEY_CHARACTERS:
                raise UsageError(
                    f"{what} has {len(key)} characters, which can be guessed",
                    f"at least {KEY_CHARACTERS}, for example of: openssl rand -hex 16",
                )
        if self.jwks_url == "" or self.jwt_audience == "":
            raise UsageError("the address of keys or the audience is empty", "leave it out, or give it a value")

    @property
    def tokens(self) -> bool:
        """Whether bearer tokens are accepted."""
        return self.jwt_secret is not None or self.jwks_url is not None

    @property
    def everybody(self) -> bool:
        """Whether callers need neither token nor key."""
        return not (self.tokens or self.keys)


@dataclass(frozen=True)
class Settings:
    """Database, default collection, most connections, and settings of embedding providers.

    `prepare`: statements are prepared, which a pooler in transaction mode may not allow. `read_only`: so are all
    transactions. `hosts` are the names under which a service that asks for no token may be called; localhost and
    addresses are always allowed. `proxies` are the addresses and networks whose X-Forwarded-For is trusted. `no_model`:
    texts are searched with the vectors of words that were fitted, and no model is loaded. `primary` is where writes
    go, if `conninfo` is that of a replica; with several hosts it is by default the one of these that takes writes.
    """

    conninfo: str = field(repr=False)
    collection: str = "documents"
    connections: int = 8
    prepare: bool = True
    read_only: bool = False
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    provider: ProviderOptions = field(default_factory=ProviderOptions)
    access: Access = field(default_factory=Access)
    limits: Limits = field(default_factory=Limits)
    caching: Caching = field(default_factory=Caching)
    no_model: bool = False
    primary: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Caller:
    """The caller of a request: the role and claims of a token, or the tenant that a trusted backend acts for.

    Limits count by `name`. The cache is divided by `scope`: callers of one scope may see the same rows, and none
    learns what was asked in another.
    """

    name: str
    scope: str
    role: str | None = None
    claims: str | None = None
    tenant: UUID | None = None
