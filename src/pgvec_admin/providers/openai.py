"""Models behind the OpenAI embeddings API: OpenAI's own, and any server that speaks it (Ollama, vLLM, Gemini, ...).

The `openai` library retries transient failures (429, 5xx, timeouts, lost connections): with growing pauses and jitter,
or after the time in Retry-After, up to two minutes. What it gives up on may still be due to a text: a server that
embeds one word, but not a batch, is given halves of it, down to the texts at fault.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pgvec_admin.errors import ConnectionFailedError, DataRejectedError, PgvecError, UsageError
from pgvec_admin.providers import (
    Embeddings,
    Prefixes,
    TooLong,
    answers,
    check_query,
    reject_unusable,
    tokens,
    too_long,
    unusable_texts,
)
from pgvec_admin.providers.clients import DEFAULT_BASE_URL, Server, parted
from pgvec_admin.providers.pace import LONGEST_WAIT, HaltedError, Pacer

if TYPE_CHECKING:
    from openai import APIError, OpenAI

    from pgvec_admin.providers import Vector

DIMENSIONS = {"text-embedding-3-small": 1536, "text-embedding-3-large": 3072, "text-embedding-ada-002": 1536}
SHORTENS = ("text-embedding-3-small", "text-embedding-3-large")

# Limits of OpenAI's API: 8,191 tokens a text and 300,000 a request. Tokens are not counted here but estimated from the
# bytes, on the high side, hence the margin.
REQUEST_TOKENS = 250_000
REQUEST_TEXTS = 512

# Retries of parts of a batch that had all of its own; how many texts in a row may fail for no definite reason, and
# after how many with one the server is asked whether it still embeds anything.
PART_RETRIES, TEXT_RETRIES = 0, 2
MOST_IN_A_ROW, DOUBT = 100, 20

_PROBE = "probe"
_GOES_ON = "the same command goes on where it stopped"


class _RefusedError(Exception):
    """A request without vectors: `reason` for the texts at fault, `error` for where none is.

    `definite`: the server says that it means these texts, and was not asked again. `limited`: it wants fewer requests
    or tokens, which is no text's fault: a limit of tokens lets single words through.
    """

    def __init__(self, reason: str, error: PgvecError, *, definite: bool = False, limited: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.error, self.definite, self.limited = reason, error, definite, limited


@dataclass
class _Work:
    """Texts by their place, and what has become of them."""

    passages: dict[int, str]
    vectors: Vector
    failures: dict[int, str]
    answered: set[int] = field(default_factory=set)
    tokens: int = 0


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
        too_long: TooLong | None = None,
        paced: bool = True,
    ) -> None:
        self.spec = f"openai:{model}"
        self.too_long = too_long
        if too_long == "cut" and model not in tokens.OPENAI_MODELS:
            raise UsageError(
                f"how much {self.spec} reads of a text, and how it counts tokens, is not known here",
                "leave --too-long out: the server cuts texts, or refuses them",
            )
        self.max_batch = batch or REQUEST_TEXTS
        self._most = self.max_batch
        self._name, self._prefixes = model, prefixes
        self.passage_prefix = prefixes.passage
        self._base_url, query = parted(base_url or os.environ.get("OPENAI_BASE_URL") or DEFAULT_BASE_URL)
        key = api_key or os.environ.get("OPENAI_API_KEY")
        self._max_retries, self._pacer = max_retries, Pacer()
        self._server = Server(self._base_url, query, key, max_retries, timeout, self._pacer if paced else None)
        self._dimensions = DIMENSIONS.get(model)
        self._shortened: int | None = None
        if dimensions and self._dimensions and model in SHORTENS and dimensions < self._dimensions:
            self._dimensions = self._shortened = dimensions
        self.tokens = 0
        self.truncated = 0  # cut here: what servers cut they do not tell
        self._accepted = False
        self._floats = False  # the server refuses base64
        self._dense = 1.0  # tokens counted by the server for each that was estimated, where that is more
        self._in_a_row = 0
        self._opened: OpenAI | None = None

    @property
    def dimensions(self) -> int:
        """Dimensions of its vectors: known for OpenAI's models, else those of the answer to one word."""
        if self._dimensions is None:
            self._probe()
        assert self._dimensions is not None
        return self._dimensions

    def embed_passages(self, texts: Sequence[str]) -> Embeddings:
        """The vectors of texts to be found."""
        made = self.embed_some(texts)
        if made.stopped is not None:
            raise made.stopped
        return made

    def embed_some(self, texts: Sequence[str]) -> Embeddings:
        """As embed_passages; where the provider stops, the vectors that there are by then."""
        failures = unusable_texts(texts)
        passages = {index: self._prefixes.passage + text for index, text in enumerate(texts) if index not in failures}
        if not passages:
            return Embeddings(np.full((len(texts), self._dimensions or 0), np.nan, np.float32), failures)
        cut = self._fit(passages, failures)
        work = _Work(passages, np.full((len(texts), self.dimensions), np.nan, np.float32), failures)
        stopped = None
        try:
            for batch in self._batches(passages):
                self._embed(batch, work)
        except PgvecError as error:
            stopped = error
        unasked = frozenset(passages.keys() - work.answered - failures.keys())
        truncated = len(cut & work.answered)
        self.truncated += truncated
        told = failures | dict.fromkeys(unasked, "")
        reject_unusable(work.vectors, told)
        failures = {index: reason for index, reason in told.items() if index not in unasked}
        return Embeddings(work.vectors, failures, work.tokens, truncated, stopped, unasked)

    def halt(self) -> None:
        """End waits for a rate limit: what waits is left unasked."""
        self._pacer.halt()

    def embed_query(self, text: str) -> Vector:
        """The vector of a text to search by."""
        check_query(text)
        query = self._prefixes.query + text
        if self.too_long == "cut" and not self._counter.fits(query, tokens.OPENAI_LONGEST):
            query = self._counter.beginning(query, tokens.OPENAI_LONGEST)
            self.truncated += 1
        try:
            vectors, _ = self._ask([query])
        except _RefusedError as refused:
            if not refused.definite:
                raise refused.error from refused
            raise DataRejectedError(f"{self.spec} refuses the query: {refused}", "shorten the query") from refused
        failures: dict[int, str] = {}
        reject_unusable(vectors, failures)
        if failures:
            raise DataRejectedError(f"{self.spec}: {failures[0]}", "try another query, or look at the server's log")
        found: Vector = vectors[0]
        return found

    @property
    def _counter(self) -> tokens.Counter:
        return tokens.counter(self.spec)

    def _fit(self, passages: dict[int, str], failures: dict[int, str]) -> set[int]:
        """Cut texts that are too long, or fail them, where that is wanted; which were cut."""
        if self.too_long is None or self._name not in tokens.OPENAI_MODELS:
            return set()
        long = {i for i, text in passages.items() if not self._counter.fits(text, tokens.OPENAI_LONGEST)}
        for index in long:
            if self.too_long == "cut":
                passages[index] = self._counter.beginning(passages[index], tokens.OPENAI_LONGEST)
            else:
                failures[index] = too_long(self._counter.count(passages.pop(index)), self.spec, tokens.OPENAI_LONGEST)
        return long if self.too_long == "cut" else set()

    def _batches(self, passages: dict[int, str]) -> Iterator[list[int]]:
        batch: list[int] = []
        most = self._pacer.most_tokens(REQUEST_TOKENS)
        room = most
        for index, text in passages.items():
            size = _estimated(text)
            if size > tokens.OPENAI_LONGEST:
                yield [index]  # perhaps too long: the server decides, and alone it fails no other text
                continue
            if batch and (len(batch) >= self._most or size > room):
                yield batch
                batch, most = [], self._pacer.most_tokens(REQUEST_TOKENS)
                room = most
            batch.append(index)
            room -= size
        if batch:
            yield batch

    def _embed(self, batch: list[int], work: _Work, retries: int | None = None) -> None:
        """Embed a batch: vectors, or reasons, into `work`. `retries` is given for parts of a batch that failed."""
        try:
            vectors, counted = self._request([work.passages[index] for index in batch], retries)
        except _RefusedError as refused:
            # what fails for any text is not the texts' fault, and ends the run here
            if len(batch) == 1 and refused.limited:
                raise refused.error from refused
            if not self._accepted or (not refused.definite and (retries is None or len(batch) == 1)):
                self._probe(TEXT_RETRIES)
            if len(batch) == 1:
                self._charge(batch[0], refused, work)
                return
            lasting = not refused.definite
        else:
            work.vectors[batch] = vectors
            work.answered.update(batch)
            work.tokens += counted
            self._in_a_row = 0
            return
        middle = len(batch) // 2
        for half in (batch[:middle], batch[middle:]):
            self._embed(half, work, (PART_RETRIES if len(half) > 1 else TEXT_RETRIES) if lasting else None)
        if not any(index in work.failures for index in batch):
            self._most = min(self._most, len(batch) - middle)  # no text was at fault: the batch was too large

    def _charge(self, index: int, refused: _RefusedError, work: _Work) -> None:
        """Note the failure of a text; raise where so many have failed that they are hardly all at fault."""
        work.failures[index] = refused.reason
        self._in_a_row += 1
        if refused.definite and self._in_a_row % DOUBT == 0:
            self._probe(TEXT_RETRIES)
        if not refused.definite and self._in_a_row >= MOST_IN_A_ROW:
            self._in_a_row = 0
            raise ConnectionFailedError(
                f"{self.spec} at {self._base_url} embeds one word, but failed for {MOST_IN_A_ROW} texts in a row:"
                f" {refused.reason}",
                "look at the server's log; the next run tries other texts first",
            ) from refused

    def _probe(self, retries: int | None = None) -> None:
        try:
            self._request([_PROBE], retries)
        except _RefusedError as refused:
            if not refused.definite:
                raise refused.error from refused
            raise UsageError(
                f"{self.spec} at {self._base_url} refuses to embed: {refused}",
                "is it an embedding model of that server?",
            ) from refused

    def _request(self, texts: list[str], retries: int | None = None) -> tuple[Vector, int]:
        """As _ask, once it is the request's turn."""
        estimated = sum(map(_estimated, texts))
        try:
            with self._pacer.asking(estimated * self._dense):
                vectors, counted = self._ask(texts, retries)
        except HaltedError as halted:
            raise ConnectionFailedError(
                f"{self._base_url} limits the rate: stopped while waiting", _GOES_ON
            ) from halted
        self._dense = max(self._dense, counted / estimated)
        return vectors, counted

    def _ask(self, texts: list[str], retries: int | None = None) -> tuple[Vector, int]:
        """Vectors (texts, dimensions) and tokens of one request; _RefusedError where the texts may be why not."""
        import openai

        if self._opened is None:
            self._opened = self._server.open(self.spec)
            weakref.finalize(self, self._opened.close).atexit = False
        client = self._opened
        if retries is not None:
            client = client.with_options(max_retries=min(retries, self._max_retries))
        try:
            raw = client.embeddings.with_raw_response.create(
                model=self._name,
                input=texts,
                encoding_format="float" if self._floats else cast(Any, openai.NOT_GIVEN),
                extra_body={"dimensions": self._shortened} if self._shortened else None,
            )
        except openai.APIError as error:
            if not self._floats and answers.refuses_base64(error):
                self._floats = True
                return self._ask(texts, retries)
            raise self._refused(error) from error
        try:
            answer = raw.parse()
            vectors = answers.vectors_of(answer.data, len(texts), self._dimensions)
        except answers.UnpairedError as error:
            wrong = DataRejectedError(
                f"{self.spec} at {self._base_url} {error}",
                "look at the server's log: does it run another model under this name? nothing of this batch was stored",
            )
            raise _RefusedError(f"the server {error}", wrong) from error
        except (AttributeError, TypeError, ValueError) as error:
            said = answers.error_in(raw.text)
            what = f"answers 200 with an error: {said}" if said else "does not answer as an OpenAI embeddings endpoint"
            raise _RefusedError(
                said or "the answer is not one of an OpenAI embeddings endpoint",
                ConnectionFailedError(f"{self._base_url} {what}", _redirected(raw.http_response) or _hint(said)),
            ) from error
        counted = answers.tokens_of(answer)
        self.tokens += counted
        self._dimensions = self._dimensions or vectors.shape[1]
        self._accepted = True
        return vectors, counted

    def _refused(self, error: APIError) -> _RefusedError:
        """The error as a refusal that may be due to a text; raised at once where it cannot be."""
        import openai

        explained = self._explained(error)
        if not isinstance(error, openai.APIStatusError):
            return _RefusedError(explained.message, explained)
        told = answers.reason(error.body, error.message)
        if error.status_code in (400, 413, 422):
            return _RefusedError(told, explained, definite=True)
        if (answers.wait_of(error.response.headers) or 0) > LONGEST_WAIT:
            raise explained from error
        if error.status_code in (401, 403, 404) and not self._accepted:
            raise explained from error
        return _RefusedError(f"{told} (status {error.status_code})", explained, limited=error.status_code == 429)

    def _explained(self, error: APIError) -> PgvecError:
        import openai

        told = answers.reason(error.body, error.message)
        if isinstance(error, openai.AuthenticationError | openai.PermissionDeniedError):
            return ConnectionFailedError(
                f"{self._base_url} does not let us use {self.spec}: {told}",
                "check the key (--api-key or OPENAI_API_KEY) and that its project may use this model",
            )
        if isinstance(error, openai.NotFoundError):
            return UsageError(
                f"{self._base_url} has no {self.spec}: {told}",
                "check the model's name, and --base-url (it often ends in /v1)",
            )
        if isinstance(error, openai.APIStatusError):
            after = answers.wait_of(error.response.headers)
            wait = f"; it says to wait for {max(after, 0):.0f} s" if after is not None else ""
            return ConnectionFailedError(
                f"{self._base_url} keeps answering {error.status_code}: {told}{wait}",
                _redirected(error.response) or "run the same command again later: it goes on where it stopped",
            )
        what = "does not answer in time" if isinstance(error, openai.APITimeoutError) else "cannot be reached"
        return ConnectionFailedError(
            f"{self._base_url} {what}: {error.__cause__ or error}",
            f"is the server running, and --base-url right? {_GOES_ON}",
        )


def _estimated(text: str) -> int:
    """Tokens of a text, rather too many: three bytes each."""
    return len(text.encode()) // 3 + 1


def _redirected(response: Any) -> str | None:
    """A hint for a request that was sent on elsewhere, where a POST may have become a GET."""
    return f"it redirects to {response.url}: pass that server as --base-url" if response.history else None


def _hint(said: str | None) -> str:
    return "look at the server's log; " + _GOES_ON if said else "check --base-url: it often ends in /v1"
