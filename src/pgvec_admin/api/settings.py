"""What the service is told when it starts, and whose a request is."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from pgvec_admin.errors import UsageError
from pgvec_admin.loading.embed import ProviderOptions

SECRET_BYTES = 32  # RFC 7518 3.2: a key for HS256 is at least as long as the hash
KEY_CHARACTERS = 16


@dataclass(frozen=True)
class Limits:
    """Beyond these a request is refused (408, 413, 422, 431), told to slow down (429) or to come back (503).

    `requests_a_minute` is for each caller, and 0 means any number. `wait_seconds` is for a connection to be free.
    `share` is the percentage of requests at once, of connections to the database and of memory for bodies that one
    caller holds at most, and of `sockets` that one address does. `read_seconds` is for the head of a request, again
    for its body, and for a reader of an answer to read on.
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
        """How many of so many one caller holds at most."""
        return max(1, total * self.share // 100)


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
    names the tenant. `metrics_key` is for who scrapes; without one nobody does where callers sign in. UsageError for
    what is empty or could be guessed.
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
        """Whether bearer tokens are taken."""
        return self.jwt_secret is not None or self.jwks_url is not None

    @property
    def everybody(self) -> bool:
        """Whether callers need nothing."""
        return not (self.tokens or self.keys)


@dataclass(frozen=True)
class Settings:
    """Database, default collection, connections at most, and what to tell embedding providers.

    `prepare`: statements are prepared, which a pooler in transaction mode may not allow. `hosts` are the names by
    which a service that asks nobody for a token is called; localhost and addresses are always among them. `proxies`
    are the addresses and networks that are believed about X-Forwarded-For.
    """

    conninfo: str = field(repr=False)
    collection: str = "documents"
    connections: int = 8
    prepare: bool = True
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    provider: ProviderOptions = field(default_factory=ProviderOptions)
    access: Access = field(default_factory=Access)
    limits: Limits = field(default_factory=Limits)
    caching: Caching = field(default_factory=Caching)


@dataclass(frozen=True)
class Caller:
    """Whose request it is: the role and claims of a token, or the tenant that a trusted backend acts for.

    `name` is what limits count by. `scope` is what the service remembers by: callers of one scope may see the same
    rows, and one never learns what was asked in another.
    """

    name: str
    scope: str
    role: str | None = None
    claims: str | None = None
    tenant: UUID | None = None
