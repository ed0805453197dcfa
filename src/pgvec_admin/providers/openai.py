"""Models behind the OpenAI embeddings API: OpenAI's own, and any server that speaks it (Ollama, vLLM, TEI, ...).

The `openai` library retries transient failures (429, 5xx, timeouts, lost connections): with growing pauses and jitter,
or after the time in Retry-After, up to two minutes. A failure that it gives up on becomes one of our errors.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from pgvec_admin import redact
from pgvec_admin.errors import ConnectionFailedError, DataRejectedError, PgvecError, UsageError
from pgvec_admin.providers import Embeddings, Prefixes, Vector, empty_texts, reject_unusable

if TYPE_CHECKING:
    from openai import APIError, OpenAI

DEFAULT_BASE_URL = "https://api.openai.com/v1"
DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
SHORTENS = ("text-embedding-3-small", "text-embedding-3-large")

# Limits of OpenAI's API: 8,191 tokens a text and 300,000 a request. Tokens are not counted here but estimated from the
# bytes, on the high side, hence the margin.
TEXT_TOKENS = 8_191
REQUEST_TOKENS = 250_000
REQUEST_TEXTS = 512

_PROBE = "probe"


class OpenAIProvider:
    """One model of one server."""

    def __init__(
        self,
        model: str,
        prefixes: Prefixes,
        *,
        base_url: str | None,
        api_key: str | None,
        dimensions: int | None,
        batch: int | None,
        max_retries: int,
        timeout: float,
    ) -> None:
        self.spec = f"openai:{model}"
        self.max_batch = batch or REQUEST_TEXTS
        self._most = self.max_batch
        self._name, self._prefixes = model, prefixes
        self._base_url = base_url or os.environ.get("OPENAI_BASE_URL") or DEFAULT_BASE_URL
        if not self._base_url.startswith(("http://", "https://")):
            raise UsageError(
                f"{self._base_url!r} is no address of a server", "for example --base-url http://127.0.0.1:11434/v1"
            )
        self._key = api_key or os.environ.get("OPENAI_API_KEY")
        redact.hide(self._key)
        self._max_retries, self._timeout = max_retries, timeout
        self._dimensions = DIMENSIONS.get(model)
        self._shortened: int | None = None
        if dimensions and self._dimensions and model in SHORTENS and dimensions < self._dimensions:
            self._dimensions = self._shortened = dimensions
        self.tokens = 0
        self._accepted = False
        self._opened: OpenAI | None = None

    @property
    def dimensions(self) -> int:
        """Dimensions of its vectors: known for OpenAI's models, else those of the answer to one word."""
        if self._dimensions is None:
            self._probe()
        assert self._dimensions is not None
        return self._dimensions

    def embed_passages(self, texts: Sequence[str]) -> Embeddings:
        """The vectors of texts to be found. Where the server refuses a request, halving it finds the text at fault."""
        failures = empty_texts(texts)
        passages = {index: self._prefixes.passage + text for index, text in enumerate(texts) if index not in failures}
        if not passages:
            return Embeddings(np.full((len(texts), self._dimensions or 0), np.nan, np.float32), failures)
        vectors = np.full((len(texts), self.dimensions), np.nan, np.float32)
        tokens = sum([self._embed(batch, passages, vectors, failures) for batch in self._batches(passages)])
        reject_unusable(vectors, failures)
        return Embeddings(vectors, failures, tokens)

    def embed_query(self, text: str) -> Vector:
        """The vector of a text to search by."""
        if not text.strip():
            raise DataRejectedError("the query is empty", "write what to look for")
        import openai

        try:
            vectors, _ = self._request([self._prefixes.query + text])
        except openai.APIStatusError as error:
            raise DataRejectedError(f"{self.spec} refuses the query: {_reason(error)}", "shorten the query") from error
        failures: dict[int, str] = {}
        reject_unusable(vectors, failures)
        if failures:
            raise DataRejectedError(f"{self.spec}: {failures[0]}", "try another query, or look at the server's log")
        found: Vector = vectors[0]
        return found

    def _batches(self, passages: dict[int, str]) -> Iterator[list[int]]:
        batch: list[int] = []
        room = REQUEST_TOKENS
        for index, text in passages.items():
            tokens = len(text.encode()) // 3 + 1
            if tokens > TEXT_TOKENS:
                yield [index]  # perhaps too long: the server decides, and alone it fails no other text
                continue
            if batch and (len(batch) >= self._most or tokens > room):
                yield batch
                batch, room = [], REQUEST_TOKENS
            batch.append(index)
            room -= tokens
        if batch:
            yield batch

    def _embed(self, batch: list[int], passages: dict[int, str], vectors: Vector, failures: dict[int, str]) -> int:
        """Embed a batch into `vectors`, or the reasons into `failures`; returns the tokens used."""
        import openai

        try:
            vectors[batch], tokens = self._request([passages[index] for index in batch])
            return tokens
        except openai.APIStatusError as error:
            if not self._accepted:
                self._probe()  # a request that is refused for any text ends the run here
            if len(batch) == 1:
                failures[batch[0]] = _reason(error)
                return 0
        middle = len(batch) // 2
        tokens = sum([self._embed(half, passages, vectors, failures) for half in (batch[:middle], batch[middle:])])
        if not any(index in failures for index in batch):
            self._most = min(self._most, len(batch) - middle)  # no text was at fault: the batch was too large
        return tokens

    def _probe(self) -> None:
        import openai

        try:
            self._request([_PROBE])
        except openai.APIStatusError as error:
            raise UsageError(
                f"{self.spec} at {self._base_url} refuses to embed: {_reason(error)}",
                "is it an embedding model of that server?",
            ) from error

    def _request(self, texts: list[str]) -> tuple[Vector, int]:
        """Vectors (texts, dimensions) and tokens of one request; APIStatusError where its texts are refused."""
        import openai

        try:
            answer = self._client().embeddings.create(
                model=self._name,
                input=texts,
                extra_body={"dimensions": self._shortened} if self._shortened else None,
            )
            data = sorted(answer.data, key=lambda item: item.index)
            indexes = [item.index for item in data]
            rows = [item.embedding for item in data]
            lengths = {len(row) for row in rows}
            if 0 in lengths:
                raise ValueError("an empty vector")
            vectors = np.array(rows, np.float32) if len(lengths) == 1 else None
            tokens = int(answer.usage.total_tokens) if getattr(answer, "usage", None) else 0
            self.tokens += tokens
        except openai.APIError as error:
            self._give_up(error)
        except (AttributeError, TypeError, ValueError) as error:
            raise ConnectionFailedError(
                f"{self._base_url} does not answer as an OpenAI embeddings endpoint",
                "check --base-url: it often ends in /v1",
            ) from error
        if indexes != list(range(len(texts))):
            raise DataRejectedError(
                f"{self.spec} at {self._base_url} answered {len(rows)} vectors for {len(texts)} texts,"
                f" numbered {indexes[:8]}",
                "look at the server's log; nothing of this batch was stored",
            )
        self._dimensions = self._dimensions or lengths.copy().pop()
        if vectors is None or lengths != {self._dimensions}:
            raise DataRejectedError(
                f"{self.spec} at {self._base_url} answered vectors of {', '.join(map(str, sorted(lengths)))} dimensions"
                f" where {self._dimensions} were expected",
                "does that server run another model under this name?",
            )
        self._accepted = True
        return vectors, tokens

    def _give_up(self, error: APIError) -> NoReturn:
        """Raise an error that the user can act upon; one that may be due to a single text is raised as it is."""
        import openai

        if isinstance(error, openai.APIStatusError) and error.status_code in (400, 413, 422):
            raise error
        raise self._explained(error) from error

    def _explained(self, error: APIError) -> PgvecError:
        import openai

        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return ConnectionFailedError(
                f"{self._base_url} does not let us use {self.spec}: {_reason(error)}",
                "check the key (--api-key or OPENAI_API_KEY) and that its project may use this model",
            )
        if isinstance(error, openai.NotFoundError):
            return UsageError(
                f"{self._base_url} has no {self.spec}: {_reason(error)}",
                "check the model's name, and --base-url (it often ends in /v1)",
            )
        if isinstance(error, openai.APIStatusError):
            after = error.response.headers.get("retry-after")
            wait = f"; it says to wait for {after} s" if after else ""
            return ConnectionFailedError(
                f"{self._base_url} keeps answering {error.status_code}: {_reason(error)}{wait}",
                "run the same command again later: it goes on where it stopped",
            )
        what = "does not answer in time" if isinstance(error, openai.APITimeoutError) else "cannot be reached"
        return ConnectionFailedError(
            f"{self._base_url} {what}: {error.__cause__ or error}",
            "is the server running, and --base-url right? the same command goes on where it stopped",
        )

    def _client(self) -> OpenAI:
        if self._opened is None:
            from openai import OpenAI

            if not self._key and self._base_url == DEFAULT_BASE_URL:
                raise UsageError(
                    f"no key for {self.spec}",
                    "set OPENAI_API_KEY or pass --api-key; for a server of your own pass --base-url",
                )
            self._opened = OpenAI(
                base_url=self._base_url,
                api_key=self._key or "none",
                max_retries=self._max_retries,
                timeout=self._timeout,
            )
        return self._opened


def _reason(error: APIError) -> str:
    """The server's own words, on one line."""
    body = error.body if isinstance(error.body, dict) else {}
    said = body.get("message") or body.get("error") or error.message
    return " ".join(str(said).split())[:300]
