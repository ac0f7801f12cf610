"""The child's work: choose how to compute, encode window by window, keep finished chunks, lay the rows down in the order of the texts."""

from __future__ import annotations

import gc
import os
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardcheck.spotcheck import precision
from cardcheck.spotcheck.backends import KINDS, Kind, TorchBackend, load
from cardcheck.spotcheck.batches import CPU_TOKENS, CUDA_TOKENS, MOST_TOKENS, Budget, ahead, begin, run, windows
from cardcheck.spotcheck.chunks import Store, key, prune

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    import numpy as np
    from numpy.typing import NDArray

    from cardcheck.spotcheck.backends import Backend, Item

    Vectors = NDArray[np.float32]
    Window = tuple[str, Kind, list[int]]  # its name, which texts, their positions

WINDOW = 512  # texts: seconds of work on a CPU, and batches of like length in each
CUDA_WINDOW = 2048  # tokenised in a second by one core, computed in a tenth of it by a GPU
MOST_TOKENISERS = 16
EXACT = 0.002  # how far a compiled model in float32 may move similarities; it differs in the order of sums alone
LIBRARIES = ("torch", "transformers", "sentence-transformers", "tokenizers", "onnxruntime", "openvino", "mteb", "cardcheck")


class SpedUpError(Exception):
    """The faster way that a sample had allowed failed in a later batch."""


def work(job: dict[str, Any], progress: Callable[[int], None]) -> dict[str, Any]:
    """Encode the job's texts into its output files, all over again the plain way where the faster one fails; return what ran."""
    import torch

    threads, told = torch.get_num_threads(), []

    def tell(count: int) -> None:
        told.append(count)
        progress(count)

    try:
        return _work(job, tell)
    except SpedUpError as error:
        why = str(error)
    gc.collect()  # the weights that failed go before others come
    torch.set_num_threads(threads)
    progress(-sum(told))
    about = _work(job | {"dtype": "exact"}, progress)
    return about | {"precision": about["precision"] | {"why": why}}


def _work(job: dict[str, Any], progress: Callable[[int], None]) -> dict[str, Any]:
    import torch

    torch.manual_seed(job["seed"])
    cuda = job["device"].startswith("cuda")
    size = job["window"] or (CUDA_WINDOW if cuda else WINDOW)
    plan: list[Window] = [(f"{kind}-{number:06}", kind, places) for kind in KINDS for number, places in enumerate(windows(job[kind], size))]
    store = _store(job, size)
    started = time.perf_counter()
    output = _Output(job)
    todo = [window for window in plan if not _reuse(window, store, output, progress)]
    about = (store.load_facts("about") if store else None) if not todo else None
    if about is None:
        about = _compute(job, todo, store, output, progress)
        if store:
            store.save_facts("about", about)
    output.close()
    if store:
        prune(store.folder.parent, store.folder.name)
    reused = sum(len(places) for _, _, places in plan) - sum(len(places) for _, _, places in todo)
    return about | {"reused_texts": reused, "dimension": output.dimension, "wall_s": time.perf_counter() - started}


def _store(job: dict[str, Any], size: int) -> Store | None:
    """Return where chunks are kept; nowhere for mteb's models, whose files lie where only mteb knows."""
    if not job["chunks"] or job["backend"] == "mteb":
        return None
    settings = {name: job[name] for name in ("backend", "dtype", "seed", "trust_remote_code")} | {"window": size}
    settings |= {"device": job["device"].partition(":")[0], "libraries": {name: _version(name) for name in LIBRARIES}}
    name = key(Path(job["path"]), ((kind, text) for kind in KINDS for text in job[kind]), settings)
    store = Store(Path(job["chunks"]) / name)
    store.open()
    return store


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


class _Output:
    """The rows of both kinds in files that are mapped into memory, made when the dimension is known."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.names = {kind: f"{job['out']}.{kind}.npy" for kind in KINDS}
        self.counts = {kind: len(job[kind]) for kind in KINDS}
        self.files: dict[Kind, Any] = {}
        self.dimension = 0

    def put(self, kind: Kind, places: list[int], rows: Vectors) -> None:
        from numpy.lib.format import open_memmap

        self.dimension = self.dimension or rows.shape[1]
        if not self.files:
            for each in KINDS:
                shape = (self.counts[each], self.dimension)
                self.files[each] = open_memmap(self.names[each], "w+", dtype="float32", shape=shape)
        self.files[kind][places] = rows

    def close(self) -> None:
        for file in self.files.values():
            file.flush()


def _reuse(window: Window, store: Store | None, output: _Output, progress: Callable[[int], None]) -> bool:
    """Take a window's rows from a finished chunk; tell whether there was one."""
    name, kind, places = window
    rows = store.load(name, len(places)) if store else None
    if rows is None or (output.dimension and rows.shape[1] != output.dimension):
        return False
    output.put(kind, places, rows)
    progress(len(places))
    return True


def _compute(
    job: dict[str, Any], todo: list[Window], store: Store | None, output: _Output, progress: Callable[[int], None]
) -> dict[str, Any]:
    import torch

    started = time.perf_counter()
    loading = load(job)
    backend = loading()
    loaded = time.perf_counter()
    decided = store.load_facts("decided") if store else None  # by the run that was interrupted: no half in another precision
    choice = decided or {}
    try:
        backend, choice = _choose(backend, loading, job, decided)
        if store:
            store.save_facts("decided", choice)
        checked = time.perf_counter()
        budget = Budget(_batch_tokens(backend, job["device"]), backend.texts, job["device"])
        if job["batch_tokens"]:
            budget.tokens = job["batch_tokens"]
        tokens = _encode(job, backend, todo, budget, store=store, output=output, progress=progress)
    except Exception as error:  # other texts than the sample's may be more than the faster way can do
        if not choice.get("sped_up"):
            raise
        raise SpedUpError(f"in {choice['dtype']} a later batch failed: {type(error).__name__}: {error}"[:300]) from None
    return backend.about() | {
        "load_s": loaded - started,
        "check_s": checked - loaded,
        "encode_s": time.perf_counter() - checked,
        "tokens": tokens,
        "batch_tokens": budget.tokens,
        "memory_ended": budget.full,
        "precision": choice,
        "torch": torch.__version__,
    }


def _encode(
    job: dict[str, Any],
    backend: Backend,
    todo: list[Window],
    budget: Budget,
    *,
    store: Store | None,
    output: _Output,
    progress: Callable[[int], None],
) -> int:
    """Encode windows and keep each as it is finished; return how many tokens that were."""
    import numpy as np

    def prepare(window: Window) -> list[Item]:
        return backend.tokenise([job[window[1]][i] for i in window[2]], window[1])

    def keep(window: Window, vectors: Callable[[], Vectors]) -> None:
        rows = np.ascontiguousarray(vectors(), np.float32)
        if store:
            store.save(window[0], rows)
        output.put(window[1], window[2], rows)

    tokens = 0
    kept: deque[Future[None]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="keep") as beside:  # while a window is kept, the next one is computed
        for window, items in ahead(prepare, todo, _tokenisers(backend, job, todo)):
            kind = window[1]
            vectors = begin(lambda batch, kind=kind: backend.vectors(batch, kind), items, budget, progress)  # type: ignore[misc]
            kept.append(beside.submit(keep, window, vectors))
            if len(kept) > 1:
                kept.popleft().result()
            tokens += sum(item.length for item in items)
        for last in kept:
            last.result()
    return tokens


def _batch_tokens(backend: Backend, device: str) -> int:
    """Return how many tokens a batch holds at first."""
    if isinstance(backend, TorchBackend) and backend.looks_up:
        return MOST_TOKENS
    return CUDA_TOKENS if device.startswith("cuda") else CPU_TOKENS


def _tokenisers(backend: Backend, job: dict[str, Any], todo: list[Window]) -> int:
    """Return how many processes tokenise: vectors that are looked up, and a GPU, take tokens faster than threads of one process make them.

    Measured with 16 cores: 3,000 passages a second by the tokenizer's own threads, 2,000 by one alone, and 37,000 were taken.
    """
    if not isinstance(backend, TorchBackend) or sys.platform != "linux" or len(todo) < MOST_TOKENISERS:
        return 0
    cores = len(os.sched_getaffinity(0))
    spare = cores - 2 if job["device"].startswith("cuda") else cores if backend.looks_up else 0
    return min(MOST_TOKENISERS, spare) if spare > 1 else 0


def _choose(
    backend: Backend, loading: Callable[[], Backend], job: dict[str, Any], decided: dict[str, Any] | None
) -> tuple[Backend, dict[str, Any]]:
    """Make a model that PyTorch runs as fast as a sample of the texts allows; return it and what was decided, with why."""
    if not isinstance(backend, TorchBackend) or backend.engine != "torch" or backend.dtype == "none":
        return backend, {"why": "this backend computes as its files say"}
    plain = {"dtype": "float32", "compiled": False, "sped_up": False}
    if backend.looks_up:
        return backend, plain | {"why": "vectors that are only looked up are not had faster"}
    if decided:
        if decided.get("sped_up"):
            backend.speed_up(decided["dtype"], compiled=decided["compiled"])
        return backend, decided
    ways, why = _ways(job)
    if not ways:
        return backend, plain | {"why": why}
    texts = _sampled(backend, job)
    exact = _sample(backend, texts, job["device"])
    similarity = backend.about()["similarity"]
    tried = []
    for number, way in enumerate(ways):
        if number:
            backend = _again(backend, loading)
        try:
            backend.speed_up(way["dtype"], compiled=way["compiled"])
            difference = precision.compare(exact, _sample(backend, texts, job["device"]))
        except Exception as error:  # noqa: BLE001  # layers that look inside each other, operators that are missing: the plain way is left
            tried.append(way | {"error": f"{type(error).__name__}: {error}"[:200]})
            continue
        tried.append(way | difference)
        if precision.holds(difference, similarity) and (way["dtype"] != "float32" or difference["moved"] <= EXACT):
            return backend, way | {"sped_up": True, "tried": tried, "why": "a sample of the texts ranks as in float32"}
    return _again(backend, loading), plain | {"tried": tried, "why": "a sample of the texts did not rank as in float32"}


def _ways(job: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """Return the ways to compute, fastest first, beside the plain one."""
    compiles = job["device"] == "cpu" and find_spec("openvino") is not None
    if job["dtype"] == "exact":
        return [], "the plain way was asked for"
    size = sum(len(text) for kind in KINDS for text in job[kind])
    if size < precision.WORTH and job["dtype"] == "auto":
        return [], "there is too little text for it to pay"
    ways: list[dict[str, Any]] = []
    if job["dtype"] == "bfloat16" or (job["dtype"] == "auto" and precision.has_bfloat16(job["device"])):
        ways = [{"dtype": "bfloat16", "compiled": compiled} for compiled in ((True, False) if compiles else (False,))]
    if compiles and size >= precision.WORTH_FLOAT32:
        ways.append({"dtype": "float32", "compiled": True})
    return ways, "float32 was asked for" if job["dtype"] == "float32" else "this machine multiplies no bfloat16"


def _again(backend: TorchBackend, loading: Callable[[], Backend]) -> TorchBackend:
    """Load anew, after the old weights are gone: two copies may not fit."""
    import torch

    torch.set_num_threads(backend.threads)
    del backend.model
    fresh = loading()
    assert isinstance(fresh, TorchBackend)  # noqa: S101  # the same job gave one before
    return fresh


def _sampled(backend: Backend, job: dict[str, Any]) -> dict[Kind, list[str]]:
    """Return texts of all lengths, half of them queries where there are enough, with the shortest and what may have most tokens."""
    found = {}
    for kind in KINDS:
        texts = job[kind]
        places = precision.sample(texts, precision.SAMPLE // 2 - 2)
        if texts:
            likely = precision.likely_longest(texts)
            lengths = [item.length for item in backend.tokenise([texts[i] for i in likely], kind)]
            places += [likely[lengths.index(max(lengths))], min(range(len(texts)), key=lambda i, texts=texts: len(texts[i]))]  # type: ignore[misc]
        found[kind] = [texts[i] for i in dict.fromkeys(places)]
    return found


def _sample(backend: Backend, texts: dict[Kind, list[str]], device: str) -> Vectors:
    """Encode a sample of queries and documents."""
    import numpy as np

    parts = []
    for kind in KINDS:
        if texts[kind]:
            budget = Budget(CPU_TOKENS, backend.texts, device)
            parts.append(run(lambda batch, kind=kind: backend.vectors(batch, kind), backend.tokenise(texts[kind], kind), budget))  # type: ignore[misc]
    return np.concatenate(parts)
