"""The child process of a probe: it loads a stranger's model and measures it. Run as `python -m cardcheck.spotcheck.probing`.

It gives up the network and limits its memory as worker.py does. Each figure is told as soon as it is there, as a JSON line, so that what
comes late and fails takes nothing with it. Vectors for searching are written to files: what is relevant to what, this process never learns.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cardcheck.spotcheck import worker
from cardcheck.spotcheck.backends import KINDS, Kind, TorchBackend, UnsupportedError, load
from cardcheck.spotcheck.batches import CPU_TOKENS, CUDA_TOKENS, Budget, is_out_of_memory, run
from cardcheck.spotcheck.probelength import MOST, Search, counter, text_of, words_for

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from cardcheck.spotcheck.backends import Item

    Vectors = NDArray[np.float32]
    Tell = Callable[..., None]
    Mixed = dict[Kind, list[str]]

T = TypeVar("T")
MIXED_KINDS: tuple[Kind, Kind] = ("query", "document")
MIXED = 16  # texts of all lengths that are encoded alone, together and twice
FEW_WORDS = 6
LONG_CHARACTERS = 2400  # not words, which some languages do not set apart
LONG_STEP = 300
LONG_TEXTS = 16
MEASURE_S = 1.5
MOST_PROMPTS = 12
LONGEST_PROMPT = 2000
TENSOR_DIMENSIONS = 2


class Model:
    """The loaded model, encoding as it is told."""

    def __init__(self, job: dict[str, Any], seed: int) -> None:
        import torch

        self.job = job
        torch.manual_seed(seed)
        backend = load(job)()
        if not isinstance(backend, TorchBackend):
            raise UnsupportedError("it is not run by PyTorch")
        self.backend = backend
        self.own: dict[Kind, str] = dict(backend.prompts)

    def vectors(self, texts: list[str], kind: Kind = "document", prompt: str | None = None, *, together: bool = False) -> Vectors:
        """Return a row for each text; `prompt` None is the model's own. `together` makes one batch of all, else they go by a budget."""
        backend = self.backend
        items = self._tokenised(texts, kind, prompt)
        cuda = self.job["device"].startswith("cuda")
        budget = Budget(sys.maxsize if together else CUDA_TOKENS if cuda else CPU_TOKENS, backend.texts, self.job["device"])
        rows = run(lambda batch: backend.vectors(batch, kind), items, budget)
        if rows.ndim != TENSOR_DIMENSIONS:
            raise UnsupportedError(f"it gives {rows.ndim - 1} dimensions of numbers for a text, not one vector")
        return rows

    def mixed(self, texts: Mixed, *, together: bool = False, step: int = 1) -> Vectors:
        """Return a row for every `step`th text, queries first, each kind in one batch or each text alone."""
        import numpy as np

        rows = []
        for kind in MIXED_KINDS:
            own = texts[kind][::step]
            batches = [own] if together else [[text] for text in own]
            rows += [self.vectors(batch, kind, together=True) for batch in batches]
        return np.concatenate(rows)

    def tokens(self, texts: list[str], kind: Kind = "document") -> float:
        """Return how many tokens a text has on average."""
        return sum(item.length for item in self._tokenised(texts, kind, None)) / len(texts)

    def _tokenised(self, texts: list[str], kind: Kind, prompt: str | None) -> list[Item]:
        self.backend.prompts = self.own if prompt is None else dict.fromkeys(KINDS, prompt)
        return self.backend.tokenise(texts, kind)


def _serve(job: dict[str, Any], tell: Tell) -> None:
    try:
        probe(job, tell)
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise MemoryError from None
        raise
    tell(done=True)


def probe(job: dict[str, Any], tell: Tell) -> None:
    """Measure one thing after the other; what may fail or take long comes last, and does not keep the rest from being measured."""
    base = _kilobytes("VmRSS")
    model = Model(job, seed=1)
    loaded = _kilobytes("VmHWM") - base
    mixed, vectors = _first(model, job, tell)  # of both kinds: queries may go another way through the model
    noise = _identity(model, mixed, vectors, tell)
    for step in (_prompts, _speed):
        _attempt(lambda step=step: step(model, job, tell), tell)  # type: ignore[misc]
    tell(part={"memory_load_mb": loaded >> 10, "memory_mb": _peak_mb(job["device"], base)})
    model = _again(model, mixed, vectors, tell)
    _length(model, job, noise, tell)


def _attempt(step: Callable[[], T], tell: Tell) -> T | None:
    """Do what some models fail at, and tell that one did; only when memory ends, all ends."""
    try:
        return step()
    except Exception as error:
        if is_out_of_memory(error):
            raise
        tell(trouble=f"{type(error).__name__}: {error}"[:2000])
        return None


def _first(model: Model, job: dict[str, Any], tell: Tell) -> tuple[Mixed, Vectors]:
    """Return texts of all lengths with their vectors; a model that fails on long texts gets their beginnings."""
    mixed: Mixed = {kind: job[kind][: MIXED // 2] for kind in MIXED_KINDS}
    vectors = _attempt(lambda: model.mixed(mixed, together=True), tell)
    if vectors is None:
        mixed = {kind: [" ".join(text.split()[: 1 + at % FEW_WORDS]) for at, text in enumerate(texts)] for kind, texts in mixed.items()}
        vectors = model.mixed(mixed, together=True)
    return mixed, vectors


def _identity(model: Model, mixed: Mixed, vectors: Vectors, tell: Tell) -> float:
    """Tell what the vectors are and how far they differ where they should not; return how far where a text is encoded twice."""
    import numpy as np
    import torch

    about = model.backend.about()
    norms = np.linalg.norm(vectors.astype(np.float64), axis=1)
    tell(
        part={
            "dimension": vectors.shape[1], "norm_low": float(norms.min()), "norm_high": float(norms.max()),
            "stored_dtype": about["stored_dtype"], "dtype": about["dtype"], "device": about["device"], "similarity": about["similarity"],
            "configured_tokens": about["max_seq_length"], "threads": torch.get_num_threads(),
            "parameters": sum(parameter.numel() for parameter in model.backend.model.parameters()),
        }
    )  # fmt: skip
    alone, twice, thrice = model.mixed(mixed), model.mixed(mixed, step=4), model.mixed(mixed, step=4)
    repeat = max(_difference(vectors, model.mixed(mixed, together=True)), _difference(twice, thrice))
    tell(part={"repeat_difference": repeat, "batch_difference": _difference(vectors, alone)})
    return 2 * float(abs(twice - thrice).max())


def _difference(one: Vectors, other: Vectors) -> float:
    """Return the length of the widest difference between two rows that should be the same, as a share of the row's length."""
    import numpy as np

    lengths = np.maximum(np.linalg.norm(one, axis=1), 1e-12)
    return float((np.linalg.norm(one - other, axis=1) / lengths).max())


def _prompts(model: Model, job: dict[str, Any], tell: Tell) -> None:
    """Write the vectors to search with: as the model makes them by itself, and with and without each prompt."""
    import numpy as np

    def save(kind: Kind, name: str, prompt: str | None) -> None:
        path = Path(f"{job['out']}.{kind}.{name}.npy")
        if not path.exists():
            np.save(path, np.ascontiguousarray(model.vectors(job[kind], kind, prompt), np.float32))

    for kind in KINDS:
        save(kind, "own", None)
    tell(part={"searched": True})
    given = [(str(name), str(text), "configuration") for name, text in (model.backend.model.prompts or {}).items()]
    given += [("", text, "card") for text in job["prompts"] if not any(known.startswith(text.strip()) for _, known, _ in given)]
    rows = []
    for number, (name, text, origin) in enumerate(row for row in given[:MOST_PROMPTS] if row[1].strip() and len(row[1]) <= LONGEST_PROMPT):
        sides = sides_of(name or text)
        for kind in sides:
            save(kind, "plain", "")
            save(kind, str(number), text)
        rows.append({"number": number, "name": name[:80], "text": text, "origin": origin, "sides": list(sides)})
        tell(part={"prompts": rows})


def sides_of(name: str) -> tuple[Kind, ...]:
    """Return what a prompt is put before, by its name or, where it has none, its words: queries, documents, or both."""
    words = name.lower()
    if any(word in words for word in ("query", "question", "represent this", "instruct")):
        return ("query",)
    return ("document",) if any(word in words for word in ("document", "passage", "corpus", "| text:")) else ("document", "query")


def long_texts(documents: list[str]) -> list[str]:
    """Return long texts that begin at different places of all documents, one after the other, again from the first where they end."""
    whole = " ".join(documents) + " "
    whole *= 1 + (LONG_STEP * LONG_TEXTS + LONG_CHARACTERS) // len(whole)
    return [whole[start : start + LONG_CHARACTERS] for start in range(0, LONG_STEP * LONG_TEXTS, LONG_STEP)]


def _speed(model: Model, job: dict[str, Any], tell: Tell) -> None:
    """Tell how many texts a second the model encodes, short ones and long ones."""
    kinds: tuple[tuple[str, list[str], Kind], ...] = (
        ("short", job["query"], "query"), ("long", long_texts(job["document"]), "document"),
    )  # fmt: skip
    for name, texts, kind in kinds:
        model.vectors(texts[:2], kind)  # not the first call of its kind
        started, rounds = time.perf_counter(), 0
        while rounds == 0 or (time.perf_counter() - started < MEASURE_S and rounds < 50):
            model.vectors(texts, kind)
            rounds += 1
        rate = len(texts) * rounds / (time.perf_counter() - started)
        tell(part={f"{name}_per_second": rate, f"{name}_tokens": model.tokens(texts, kind)})


def _kilobytes(name: str) -> int:
    """Return a figure of this process, 0 where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:"))
    except (OSError, StopIteration, ValueError):
        return 0


def _peak_mb(device: str, base: int) -> int:
    """Return the most memory that was held beyond the libraries', on a GPU that of the GPU."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.max_memory_allocated()) >> 20
    return (_kilobytes("VmHWM") - base) >> 10


def _again(model: Model, mixed: Mixed, vectors: Vectors, tell: Tell) -> Model:
    """Load the model anew with another seed: weights that no file holds are drawn by chance, and show."""
    job = model.job
    del model.backend.model  # two copies may not fit
    fresh = Model(job, seed=2)
    tell(part={"reload_difference": _difference(vectors, fresh.mixed(mixed, together=True))})
    return fresh


def _tokenizer(model: Any) -> tuple[Any, bool]:
    """Return the tokenizer of documents, and whether queries are cut otherwise or go through modules of their own."""
    first = model[0]
    apart = any(hasattr(module, "sub_modules") for module in model)  # a Router, once Asym
    if "document" in getattr(first, "sub_modules", {}):
        return getattr(first.sub_modules["document"][0], "tokenizer", None), apart
    lengths = [getattr(first, name, None) for name in ("query_length", "document_length")]
    return getattr(model, "tokenizer", None), apart or lengths[0] != lengths[1]


def _length(model: Model, job: dict[str, Any], noise: float, tell: Tell) -> None:
    """Tell how many tokens the model reads: of documents, which is said where queries go another way through it."""
    tokenizer, apart = _tokenizer(model.backend.model)
    count = counter(tokenizer)
    words, exact = words_for(job["document"], count)
    most = min(job["most_tokens"], MOST)
    make = text_of(words, most, from_end=getattr(tokenizer, "truncation_side", "right") == "left")
    special = count(make(8)) - 8 if count and exact else 0
    configured = model.backend.about()["max_seq_length"]
    claims = [*job["claims"], *([configured] if configured else [])]
    search = Search(
        lambda length: model.vectors([make(length)], prompt="")[0],
        lambda length: model.vectors([" ".join(reversed(make(length).split()))], prompt="")[0],
        noise=noise,
        seconds=job["length_s"],
        no_memory=is_out_of_memory,
    )
    found = search.find([claim - special for claim in claims], most - special)

    def tokens(length: int | None) -> int | None:
        return None if length is None else length + special if exact or count is None else count(make(length))

    unit = "tokens" if count else "words"
    reads, fails = tokens(found.reads), tokens(found.fails)
    tell(
        part={
            "truncates_at": reads, "reads_at_least": tokens(found.least or None), "fails_at": fails, "length_error": found.error,
            "length_stopped": found.stopped, "length_exact": exact, "length_unit": unit + (" of a document" if apart else ""),
        }
    )  # fmt: skip


def main() -> int:
    """Be the child process; return its exit status."""
    return worker.serve(_serve)


if __name__ == "__main__":
    raise SystemExit(main())
