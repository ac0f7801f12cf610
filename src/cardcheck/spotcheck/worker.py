"""The child process that loads a stranger's model and encodes text. Run as `python -m cardcheck.spotcheck.worker`.

It reads one job as JSON from standard input, gives up the network and sets its memory limit before anything of the subject is read, and
writes progress as JSON lines to the standard output it was started with.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
BATCH = 32


def leave_network() -> bool:
    """Move this process into a network namespace of its own, in which nothing can be reached; tell whether it worked.

    Must run before any thread starts. Without privileges a user namespace is needed as well; some systems forbid it.
    """
    if sys.platform != "linux":
        return False
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    return any(unshare(flags) == 0 for flags in (CLONE_NEWNET, CLONE_NEWUSER | CLONE_NEWNET))


def limit_memory(megabytes: int) -> bool:
    """Limit private memory (heap and anonymous mappings) to so much on top of what the libraries hold; tell whether it worked."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        held = next(int(line.split()[1]) << 10 for line in status if line.startswith("VmData:"))
        limit = held + (megabytes << 20)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    except (ValueError, OSError, StopIteration):
        return False
    return True


def main() -> int:
    """Do one job; the exit status is 0 also where the model is at fault, which is told in the last line."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints goes to stderr

    def tell(**fields: Any) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    job = json.load(sys.stdin)
    isolation = {"network": leave_network()}
    os.environ |= {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    try:
        _import_libraries()
        # after the libraries, whose start never ends when a small limit refuses their buffers, and before anything of the subject
        isolation["memory"] = limit_memory(job["memory_mb"])
        tell(isolation=isolation)
        tell(done=_encode(job, tell))
    except MemoryError:
        tell(error="it needs more memory than the limit allows")
    except SystemError as error:  # what some extensions raise where they are refused memory
        tell(error=f"SystemError: {error}; a memory limit that is too small does this too"[:2000])
    except Exception as error:  # noqa: BLE001  # anything may come out of a stranger's model; it is told, not hidden
        tell(error=f"{type(error).__name__}: {error}"[:2000])
    return 0


def _import_libraries() -> None:
    import numpy as np
    import torch
    from sentence_transformers import SentenceTransformer

    del np, SentenceTransformer
    torch.ones(8, 8) @ torch.ones(8, 8)  # starts the threads of its matrix library


def _encode(job: dict[str, Any], tell: Callable[..., None]) -> dict[str, Any]:
    import numpy as np
    import torch
    from sentence_transformers import SentenceTransformer

    torch.manual_seed(job["seed"])
    started = time.perf_counter()
    model = SentenceTransformer(
        job["path"],
        device=job["device"],
        trust_remote_code=job["trust_remote_code"],
        local_files_only=True,
        model_kwargs={"use_safetensors": True},
    )
    loaded = time.perf_counter()
    vectors = {}
    for kind, encode in (("document", model.encode_document), ("query", model.encode_query)):
        vectors[kind] = _in_batches(encode, job[kind], lambda count: tell(encoded=count))
        np.save(job["out"] + f".{kind}.npy", vectors[kind])
    encoded = time.perf_counter()
    parameter = next(model.parameters(), None)
    return {
        "load_s": loaded - started,
        "encode_s": encoded - loaded,
        "dimension": int(vectors["query"].shape[1]),
        "max_seq_length": model.max_seq_length,
        "similarity": str(model.similarity_fn_name),
        "assumed_mean_pooling": not Path(job["path"], "modules.json").is_file(),
        "prompts": {kind: _prompt(model, kind) for kind in ("query", "document")},
        "device": str(model.device),
        "dtype": str(parameter.dtype).removeprefix("torch.") if parameter is not None else "none",
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }


def _prompt(model: Any, kind: str) -> str:
    """Return the prompt that sentence-transformers puts before texts of this kind."""
    names = [kind] if kind == "query" else ["document", "passage", "corpus"]
    prompts = model.prompts or {}
    found = next((prompts[name] for name in names if prompts.get(name)), None)
    return str(found or prompts.get(model.default_prompt_name or "", ""))


def _in_batches(encode: Callable[..., Any], texts: list[str], progress: Callable[[int], None]) -> Any:
    """Encode texts longest first, so that a batch holds texts of like length and the largest comes when memory is emptiest."""
    import numpy as np

    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    parts = []
    for start in range(0, len(order), BATCH):
        batch = [texts[i] for i in order[start : start + BATCH]]
        parts.append(np.asarray(encode(batch, batch_size=BATCH, show_progress_bar=False, convert_to_numpy=True), dtype=np.float32))
        progress(len(batch))
    return np.concatenate(parts)[np.argsort(order)]


if __name__ == "__main__":
    raise SystemExit(main())
