"""The names of rankings and fusions, and the defaults of searches, for help texts, the service and evaluations.

What they do is in SQL, in `pgvec.rankings` and `pgvec.fuse`; a test holds these names against those.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

Ranking = Literal["bm25", "ts_rank", "ts_rank_cd"]
Fusion = Literal["rrf", "dbsf", "minmax", "weighted"]

RANKINGS: tuple[Ranking, ...] = get_args(Ranking)
FUSIONS: tuple[Fusion, ...] = get_args(Fusion)
DEFAULT_RANKING: Ranking = "bm25"
DEFAULT_FUSION: Fusion = "dbsf"


def either(names: Sequence[str]) -> str:
    """For a help text: `a, b or c`."""
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
