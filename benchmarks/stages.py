"""What the stages of an encoding could do alone: passages tokenised a second, tokens computed a second by batch size, and where that goes.

    python benchmarks/stages.py --device cuda --documents 16384
    python benchmarks/stages.py --documents 200 --model large

Speed from end to end is benchmarks/speed.py's.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from speed import MODEL, large, matrix_rate, read, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

BATCHES = {"cpu": (2048, 4096, 8192), "cuda": (16384, 65536, 131072)}  # tokens
SHOWN = 12  # operators


def seconds(work: Callable[[], object], device: str) -> float:
    """Return what the better of two runs takes, a GPU's work included."""
    import torch

    taken = []
    for _ in range(2):
        started = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - started)
    return min(taken)


def main() -> None:
    """Measure one model on one device."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(MODEL), help="a folder, or `large`: random weights")
    parser.add_argument("--device", default="cpu", choices=sorted(BATCHES))
    parser.add_argument("--documents", type=int, default=400)
    args = parser.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    import torch
    from torch.profiler import ProfilerActivity, profile

    from cardcheck.spotcheck.backends import TorchBackend
    from cardcheck.spotcheck.batches import Budget, run, windows

    unpack()
    corpus = list(read(args.documents)[1].values())
    texts = [corpus[i] for window in windows(corpus, len(corpus)) for i in window]
    backend = TorchBackend(large() if args.model == "large" else Path(args.model), device=args.device, trust_remote_code=False)
    linear = [(name, module) for name, module in backend.model.named_modules() if isinstance(module, torch.nn.Linear)]
    layers = [module.weight.numel() for name, module in linear if "pooler" not in name]  # the pooler runs once a text
    backend.speed_up("bfloat16", compiled=args.device == "cpu")
    kept: dict[str, Any] = {}
    taken = seconds(lambda: kept.update(items=backend.tokenise(texts, "document")), "cpu")
    items, tokens = kept["items"], sum(item.length for item in kept["items"])
    print(f"{len(texts) / taken:,.0f} passages a second tokenised by one process on {len(os.sched_getaffinity(0))} cores")
    rate = matrix_rate(args.device, "bfloat16")

    def compute(batch: int) -> None:
        run(lambda some: backend.vectors(some, "document"), items, Budget(batch, 1 << 20))

    for batch in BATCHES[args.device]:
        taken = seconds(lambda batch=batch: compute(batch), args.device)  # type: ignore[misc]
        share = (
            f", {2 * sum(layers) * tokens / taken / rate:.0%} of the matrix rate in linear layers" if layers else ""
        )  # compiled ones hide
        print(
            f"batches of {batch:6,} tokens: {tokens / taken / 1e6:.3f} million tokens a second, {len(texts) / taken:,.0f} passages{share}"
        )
    if args.device == "cpu":  # OpenVINO computes there
        return
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as found:
        compute(BATCHES[args.device][-1])
    print(found.key_averages().table(sort_by="self_cuda_time_total", row_limit=SHOWN, max_name_column_width=50))


if __name__ == "__main__":
    main()
