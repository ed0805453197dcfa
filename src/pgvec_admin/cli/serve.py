"""pgvec-admin serve: the HTTP service; pgvec-admin mcp: the server for agents."""

from __future__ import annotations

import ipaddress
import os
import socket
from typing import TYPE_CHECKING, Annotated

import typer

from pgvec_admin import database, redact
from pgvec_admin.cli.output import ApiKey, BaseUrl, DatabaseUrl, Tenant, open_target, say
from pgvec_admin.embedding.embed import ProviderOptions
from pgvec_admin.errors import CheckFailedError, TransactionPoolerError, UsageError

if TYPE_CHECKING:
    import uvicorn

    from pgvec_admin.api import Access

Host = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any that is free.")]
Default = Annotated[str, typer.Option("--collection", "-c", help="Collection of requests that name none.")]
Connections = Annotated[int, typer.Option(min=1, help="Connections to the database, at most.")]
Pooler = Annotated[
    bool,
    typer.Option(
        "--pooler", help="The database is behind a pooler in transaction mode (the service notices one by itself)."
    ),
]
JwtSecret = Annotated[
    str | None,
    typer.Option(envvar="PGVEC_JWT_SECRET", help="Take bearer tokens signed with it (HS256).", show_default=False),
]
JwksUrl = Annotated[
    str | None,
    typer.Option(envvar="PGVEC_JWKS_URL", help="Take bearer tokens signed with keys found there.", show_default=False),
]
JwtAudience = Annotated[
    str | None, typer.Option(envvar="PGVEC_JWT_AUDIENCE", help="Only tokens for this audience.", show_default=False)
]
AccessKeys = Annotated[
    str | None,
    typer.Option(
        envvar="PGVEC_ACCESS_KEYS",
        help="Keys of trusted backends, with commas: they send X-API-Key, and X-Tenant for a tenant.",
        show_default=False,
    ),
]
Everybody = Annotated[
    bool, typer.Option("--everybody", help="Answer everybody who reaches the address, without token or key.")
]
Origins = Annotated[
    list[str] | None, typer.Option("--origin", help="Web origin whose pages may call (CORS).", show_default=False)
]
AllowedHosts = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-host",
        help="Name under which a service without token or key may be called, besides localhost, addresses, --host.",
        show_default=False,
    ),
]
PerMinute = Annotated[int, typer.Option("--requests-a-minute", min=0, help="Of each caller; 0 for any number.")]
Primary = Annotated[
    str | None,
    typer.Option(
        "--primary-url",
        envvar="PGVEC_PRIMARY_URL",
        help="Where writes go if --database-url is a replica; with several hosts there, the one that takes writes.",
        show_default=False,
    ),
]
Timeout = Annotated[float, typer.Option(min=0.1, help="Seconds of a statement, at most.")]
Model = Annotated[str | None, typer.Option(help="Model of collections that are bound to none.", show_default=False)]


def serve(
    host: Host = "127.0.0.1",
    port: Port = 8000,
    collection: Default = "documents",
    connections: Connections = 8,
    pooler: Pooler = False,
    jwt_secret: JwtSecret = None,
    jwks_url: JwksUrl = None,
    jwt_audience: JwtAudience = None,
    access_keys: AccessKeys = None,
    metrics_key: Annotated[
        str | None,
        typer.Option(
            envvar="PGVEC_METRICS_KEY",
            help="Key for /metrics, as a bearer token. Where callers sign in, nobody sees them without.",
            show_default=False,
        ),
    ] = None,
    everybody: Everybody = False,
    origin: Origins = None,
    allow_host: AllowedHosts = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(
            help="Address or network of a reverse proxy, whose X-Forwarded-For is believed.", show_default=False
        ),
    ] = None,
    requests_a_minute: PerMinute = 6000,
    concurrent: Annotated[int, typer.Option(min=1, help="Requests at once; more are refused.")] = 64,
    share: Annotated[
        int,
        typer.Option(min=1, max=100, help="Percent of these and of --connections that one caller holds at most."),
    ] = 25,
    max_top_k: Annotated[int, typer.Option(min=1, max=1000, help="Results of a search, at most.")] = 1000,
    max_body: Annotated[int, typer.Option(min=1000, help="Bytes of a request, at most.")] = 4_000_000,
    max_text: Annotated[int, typer.Option(min=1, help="Characters of a text, at most.")] = 100_000,
    read_timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds in which a request's head arrives, and its body.")
    ] = 20.0,
    timeout: Timeout = 10.0,
    cache: Annotated[int, typer.Option(min=0, help="Megabytes of answers to keep; 0 keeps none.")] = 64,
    model: Model = None,
    no_model: Annotated[
        bool, typer.Option("--no-model", help="Search texts with what pgvec-admin fit has learned; load no model.")
    ] = False,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
    primary_url: Primary = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Serve searches and writes over HTTP: a page at /, the interface at /docs, health and metrics.

    Needs the extra `api`. Behind a token, policies of the database decide what its bearer sees.

    Example:

    \b
      pgvec-admin serve --port 8000
      PGVEC_JWT_SECRET=... pgvec-admin serve --host 0.0.0.0
    """
    try:
        from pgvec_admin.api import Caching, Limits, Settings, create_server
    except ImportError as error:
        raise UsageError(f"the service needs {error.name}", "pip install 'pgvec-admin[api]'") from error
    access = _access(jwt_secret, jwks_url, jwt_audience, access_keys, metrics_key)
    _check_reach(access, host, everybody)
    for one in proxy or ():
        if not _is_network(one):
            raise UsageError(f"--proxy {one} is no address or network", "for example --proxy 127.0.0.1 or 10.0.0.0/8")
    where = open_target(database_url)
    pooler = _is_pooler(where, pooler)
    server = create_server(
        Settings(
            where.conninfo,
            collection,
            connections,
            prepare=not pooler,
            origins=tuple(origin or ()),
            hosts=(host, *(allow_host or ())),
            proxies=tuple(proxy or ()),
            provider=ProviderOptions(model=model, base_url=base_url, api_key=api_key),
            access=access,
            limits=Limits(
                body_bytes=max_body,
                text_characters=max_text,
                top_k=max_top_k,
                requests_a_minute=requests_a_minute,
                concurrent=concurrent,
                share=share,
                read_seconds=read_timeout,
                statement_seconds=timeout,
            ),
            caching=Caching(answer_bytes=cache * 1_000_000),
            no_model=no_model,
            primary=_primary(primary_url),
        )
    )
    _run(server, host, port, f"serving {collection} at {{0}}, its interface at {{0}}/docs")


def mcp(
    http: Annotated[
        bool, typer.Option("--http", help="Serve HTTP at /mcp; without it, one program over standard input and output.")
    ] = False,
    host: Host = "127.0.0.1",
    port: Port = 8001,
    collection: Default = "documents",
    max_tokens: Annotated[
        int, typer.Option(min=200, max=50_000, help="Tokens of an answer, where a call says nothing else.")
    ] = 2000,
    writes: Annotated[bool, typer.Option("--writes", help="Tools that store and delete documents, too.")] = False,
    tenant: Tenant = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="PGVEC_TOKEN", help="Without --http: act as the bearer of this token.", show_default=False),
    ] = None,
    connections: Connections = 4,
    pooler: Pooler = False,
    jwt_secret: JwtSecret = None,
    jwks_url: JwksUrl = None,
    jwt_audience: JwtAudience = None,
    access_keys: AccessKeys = None,
    everybody: Everybody = False,
    origin: Origins = None,
    allow_host: AllowedHosts = None,
    requests_a_minute: PerMinute = 6000,
    timeout: Timeout = 10.0,
    model: Model = None,
    base_url: BaseUrl = None,
    api_key: ApiKey = None,
    primary_url: Primary = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Serve agents (MCP): search, context, collections, explain, under the caller's role and tenant; read-only.

    Needs the extra `mcp`. Over HTTP the callers are those of `pgvec-admin serve`: a token or a key says who asks.

    Example:

    \b
      pgvec-admin mcp --collection documents
      PGVEC_JWT_SECRET=... pgvec-admin mcp --http --host 0.0.0.0
    """
    try:
        import asyncio

        from pgvec_admin.agents import create_app, serve_stdio
        from pgvec_admin.api import Limits, Settings, create_server
    except ImportError as error:
        raise UsageError(f"the server needs {error.name}", "pip install 'pgvec-admin[mcp]'") from error
    redact.hide(token)
    _refuse_empty({"token": token})
    access = _access(jwt_secret, jwks_url, jwt_audience, access_keys)
    if http and (tenant or token):
        raise UsageError("--tenant and --token are for one program", "over HTTP each request says who sends it")
    if token is not None and not access.tokens:
        raise UsageError("a token cannot be checked", "set PGVEC_JWT_SECRET or PGVEC_JWKS_URL as well")
    if not http and token is None and not access.everybody:
        raise UsageError(
            "keys of callers are set, and no caller",
            "set PGVEC_TOKEN; without one a program acts as the connection's role",
        )
    if token and tenant:
        raise UsageError("--tenant beside a token", "the token says whose rows its bearer sees")
    if http:
        _check_reach(access, host, everybody)
    where = open_target(database_url)
    settings = Settings(
        where.conninfo,
        collection,
        connections,
        prepare=not _is_pooler(where, pooler),
        read_only=not writes,
        origins=tuple(origin or ()),
        hosts=(host, *(allow_host or ())),
        provider=ProviderOptions(model=model, base_url=base_url, api_key=api_key),
        access=access,
        limits=Limits(requests_a_minute=requests_a_minute, statement_seconds=timeout),
        primary=_primary(primary_url),
    )
    if http:
        app = create_app(settings, max_tokens=max_tokens, writes=writes)
        _run(create_server(settings, app), host, port, f"serving {collection} for agents at {{0}}/mcp")
        return
    asyncio.run(serve_stdio(settings, tenant=tenant, token=token, max_tokens=max_tokens, writes=writes))


def _access(
    jwt_secret: str | None,
    jwks_url: str | None,
    jwt_audience: str | None,
    access_keys: str | None,
    metrics_key: str | None = None,
) -> Access:
    from pgvec_admin.api import Access

    keys = frozenset(key.strip() for key in (access_keys or "").split(",") if key.strip())
    redact.hide(jwt_secret, metrics_key, access_keys, *keys)
    _refuse_empty(
        {
            "jwt-secret": jwt_secret,
            "jwks-url": jwks_url,
            "jwt-audience": jwt_audience,
            "access-keys": None if access_keys is None else "".join(keys),
            "metrics-key": metrics_key,
        }
    )
    if jwks_url is not None and not jwks_url.startswith(("https://", "http://")):
        raise UsageError(
            f"--jwks-url {jwks_url} is no address",
            "for example https://PROJECT.supabase.co/auth/v1/.well-known/jwks.json",
        )
    return Access(jwt_secret, jwks_url, jwt_audience, keys, metrics_key)


def _primary(url: str | None) -> str | None:
    """The connection string of the primary; it may be down when the service starts."""
    return None if url is None else database.checked(database.Target(url, "--primary-url")).conninfo


def _check_reach(access: Access, host: str, everybody: bool) -> None:
    if access.everybody and not everybody and not _is_loopback(host):
        raise UsageError(
            f"everybody who reaches {host} could read and write",
            "set PGVEC_JWT_SECRET, PGVEC_JWKS_URL or PGVEC_ACCESS_KEYS; or say --everybody",
        )


def _run(server: uvicorn.Server, host: str, port: int, told: str) -> None:
    """Run a server until it is stopped; `told` has {0} for its address."""
    listening = _listen(host, port)  # bind before announcing, so that early clients queue
    name, number = listening.getsockname()[:2]
    say(told.format(f"http://[{name}]:{number}" if ":" in name else f"http://{name}:{number}"))
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        say("stopped; what was answered stays")


def _refuse_empty(options: dict[str, str | None]) -> None:
    """Refuse empty secrets, which would protect nothing. The parser takes an empty variable for one that is not set."""
    for name, value in options.items():
        variable = f"PGVEC_{name.upper().replace('-', '_')}"
        emptied = value is None and variable in os.environ
        if emptied or (value is not None and not value.strip()):
            raise UsageError(
                f"{variable if emptied else f'--{name}'} is empty",
                "what is empty protects nothing; leave it out, or give it a value",
            )


def _is_pooler(where: database.Target, told: bool) -> bool:
    """Whether a pooler in transaction mode stands between; CheckFailedError where the engine is missing behind it."""
    try:
        _check_engine(where, told)
    except TransactionPoolerError:
        _check_engine(where, True)
        return True
    return told


def _check_engine(where: database.Target, pooler: bool) -> None:
    """Check by the catalog, which every role may read: the service's login role may do nothing else."""
    with database.connect(where, autocommit=True, one_transaction=pooler) as connection:
        found = connection.execute(
            "select from pg_proc where pronamespace = to_regnamespace('pgvec') and proname = 'collection_version'"
        )
        if not found.rowcount:
            raise CheckFailedError(
                f"the engine is missing in {where.describe()}, or older than this command", "run: pgvec-admin migrate"
            )


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=2048
        )
    except OSError as error:
        code = error.errno or 0
        why = os.strerror(code) if code > 0 else error.strerror  # an unknown name has a negative one
        raise UsageError(f"cannot listen on {host}:{port}: {why}", "choose another --port or --host") from error


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
