"""The client of the `openai` library for a server: OpenAI's own, one that speaks its API, or a deployment of Azure."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from pgvec_admin import redact
from pgvec_admin.errors import UsageError
from pgvec_admin.providers.pace import Pacer

if TYPE_CHECKING:
    from openai import OpenAI

DEFAULT_BASE_URL = "https://api.openai.com/v1"


@dataclass(frozen=True)
class Server:
    """Where a model is asked, and how. `pacer` sees each request and each answer, those of retries too."""

    base_url: str
    query: dict[str, str]
    key: str | None
    max_retries: int
    timeout: float
    pacer: Pacer | None

    def open(self, spec: str) -> OpenAI:
        """A client, for threads to share; UsageError where a key is missing."""
        from openai import AzureOpenAI, DefaultHttpxClient, OpenAI

        query = dict(self.query)
        version = query.get("api-version")
        key = self.key or (os.environ.get("AZURE_OPENAI_API_KEY") if version else None)
        if not key and (version or self.base_url == DEFAULT_BASE_URL):
            raise UsageError(
                f"no key for {spec}",
                "set OPENAI_API_KEY or pass --api-key; for a server of your own pass --base-url",
            )
        redact.hide(key)
        client = DefaultHttpxClient()
        if self.pacer:
            client.event_hooks = {"request": [self.pacer.before], "response": [self.pacer.after]}
        if version and not self.base_url.endswith("/v1"):
            # Azure's deployments: the library puts the model into the path and the key into the header api-key
            del query["api-version"]
            return AzureOpenAI(
                base_url=self.base_url,
                api_version=version,
                api_key=key,
                default_query=query,
                max_retries=self.max_retries,
                timeout=self.timeout,
                http_client=client,
            )
        return OpenAI(
            base_url=self.base_url,
            api_key=key or "none",
            default_query=query,
            default_headers={"api-key": key} if version and key else None,
            max_retries=self.max_retries,
            timeout=self.timeout,
            http_client=client,
        )


def parted(base_url: str) -> tuple[str, dict[str, str]]:
    """A base URL without its query, and the query: `?api-version=` of Azure's; UsageError for what is no URL."""
    parts = urlsplit(base_url.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(f"{base_url!r} is no address of a server", "for example --base-url http://127.0.0.1:11434/v1")
    query = dict(parse_qsl(parts.query))
    path = parts.path.rstrip("/").removesuffix("/embeddings")  # consoles show the address of the endpoint itself
    if "api-version" in query and not path:
        path = "/openai"
    return f"{parts.scheme}://{parts.netloc}{path}", query
