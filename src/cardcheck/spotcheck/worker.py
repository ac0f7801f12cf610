"""The child process that loads a stranger's model and encodes text.

It reads one job from standard input, a line of JSON followed by one for each text, gives up the network and sets its memory limit before
anything of the subject is read, and writes progress as JSON lines to the standard output it was started with.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardcheck.spotcheck.inside import require_inside
from cardcheck.spotcheck.memory import limit_memory, tight

if TYPE_CHECKING:
    from collections.abc import Callable

    Tell = Callable[..., None]

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
ENVIRONMENT = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TOKENIZERS_PARALLELISM": "false",  # it runs in a thread or in processes beside the computing
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",  # it keeps a kernel for every shape of a batch, and of the usual 1,024 a gigabyte
}


def leave_network() -> bool:
    """Move this process into a network namespace of its own, in which nothing can be reached; tell whether it worked.

    Must run before any thread starts. Without privileges a user namespace is needed as well; some systems forbid it.
    """
    if sys.platform != "linux":
        return False
    unshare = ctypes.CDLL(None, use_errno=True).unshare
    return any(unshare(flags) == 0 for flags in (CLONE_NEWNET, CLONE_NEWUSER | CLONE_NEWNET))


def serve(work: Callable[[dict[str, Any], Tell], None]) -> int:
    """Do one job apart from the network and within its memory; the exit status is 0 also where the model is at fault, which is told."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints goes to stderr

    def tell(**fields: Any) -> None:
        answers.write(json.dumps(fields) + "\n")
        answers.flush()

    job = json.loads(sys.stdin.readline())
    isolation = {"network": leave_network()}
    try:
        import_libraries()
        _ready_libraries()
        # after the libraries, whose start never ends when a small limit refuses their buffers, and before anything of the subject
        isolation["memory"] = limit_memory(job["memory_mb"])
        tell(isolation=isolation)
        if job["backend"] != "mteb":  # whose files lie in the Hub's cache, and which needs no folder
            require_inside(Path(job["path"]))
        work(job, tell)
    except MemoryError:
        tell(error="it needs more memory than the limit allows")
    except Exception as error:  # noqa: BLE001  # anything may come out of a stranger's model; it is told, not hidden
        from cardcheck.spotcheck.batches import is_out_of_memory

        if type(error).__name__ == "UnsupportedError":  # says by itself what is wrong
            tell(error=str(error)[:2000])
        else:
            memory = "it needs more memory than the limit allows: " if is_out_of_memory(error) else tight(job)
            tell(error=f"{memory}{type(error).__name__}: {error}"[:2000])
    return 0


def _encode(job: dict[str, Any], tell: Tell) -> None:
    from cardcheck.spotcheck.work import work

    job |= {kind: [json.loads(sys.stdin.readline()) for _ in range(job[kind])] for kind in ("query", "document")}
    tell(done=work(job, lambda count: tell(encoded=count)))


def import_libraries() -> None:
    """Import what runs a model, without starting threads: a process that is forked afterwards has all of it."""
    os.environ |= ENVIRONMENT
    gc.disable()  # importing makes many objects and no cycles; looking for some takes a sixth of it
    import torch
    from sentence_transformers import SentenceTransformer

    del torch, SentenceTransformer
    gc.enable()
    gc.freeze()


def _ready_libraries() -> None:
    """Start the threads of the libraries' matrix products, and forbid them to load pickles."""
    import numpy as np
    import torch

    def refuse(*_args: Any, **_options: Any) -> Any:
        raise ValueError("a pickle is not loaded: weights come from safetensors files only")

    for ones in (np.ones((256, 256)), torch.ones(8, 8)):
        ones @ ones
    torch.load = refuse


def main() -> int:
    """Be the child process; return its exit status."""
    return serve(_encode)


if __name__ == "__main__":
    raise SystemExit(main())
