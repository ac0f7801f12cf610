"""Judging in several processes. Rules travel to a process once; what comes back names them by their ids."""

from __future__ import annotations

import io
import pickle
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from cardcheck.batch import judge_chunk
from cardcheck.engine.rule import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cardcheck.pipeline import Audit
    from cardcheck.settings import Settings
    from cardcheck.subject import Subject


def judge_in_processes(chunks: list[Sequence[Subject]], rules: Sequence[Rule], settings: Settings, jobs: int) -> Iterator[list[Audit]]:
    """Yield the audits of each chunk, in order."""
    by_id = {rule.id: rule for rule in rules}
    with ProcessPoolExecutor(jobs, initializer=_start, initargs=(rules, settings)) as pool:
        for packed in pool.map(_judge, chunks):
            yield _Unpacker(io.BytesIO(packed), by_id).load()


_CHILD: tuple[Sequence[Rule], Settings]


def _start(rules: Sequence[Rule], settings: Settings) -> None:
    global _CHILD  # noqa: PLW0603  # a process of the pool is given its rules once, not with every chunk
    _CHILD = (rules, settings)


def _judge(chunk: Sequence[Subject]) -> bytes:
    packed = io.BytesIO()
    _Packer(packed, protocol=pickle.HIGHEST_PROTOCOL).dump(judge_chunk(chunk, *_CHILD))
    return packed.getvalue()


class _Packer(pickle.Pickler):
    """Names rules by their ids: the process that asked has them, and all of them again with every chunk took seconds."""

    def persistent_id(self, value: object) -> str | None:
        """Return a rule's id, and None for what is to be packed itself."""
        return value.id if isinstance(value, Rule) else None


class _Unpacker(pickle.Unpickler):
    """Reads what a child of this process packed."""

    def __init__(self, packed: io.BytesIO, rules: dict[str, Rule]) -> None:
        super().__init__(packed)
        self.rules = rules

    def persistent_load(self, name: str) -> Rule:
        """Return the rule of an id."""
        return self.rules[name]
