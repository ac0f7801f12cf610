"""A model through mteb's own loader, for those that need its prompts or instructions: by name, out of the Hub's cache, without network.

Not supported: late interaction (several vectors a text), sparse encoders, and cross-encoders. Each is refused by name.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cardcheck.spotcheck.backends import CHARACTERS_A_TOKEN, Item, Kind, UnsupportedError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

INSTRUCTION = "Given a question, retrieve passages that answer the question"


class MtebBackend:
    """A model of mteb's registry, which tokenises by itself."""

    def __init__(self, name: str, *, device: str, trust_remote_code: bool) -> None:
        try:
            import mteb
        except ImportError:
            raise UnsupportedError("mteb is not installed: pip install mteb") from None
        self.texts = 1 << 20
        meta = mteb.get_model_meta(name)
        if others := set(meta.model_type) - {"dense"}:
            raise UnsupportedError(f"models of the kind {', '.join(sorted(others))} are not supported: one vector a text is")
        if not trust_remote_code:
            refuse_remote_code()
            if (meta.loader_kwargs or {}).get("trust_remote_code"):
                raise UnsupportedError(f"{name} needs code from its repository; read it, then allow it with --trust-remote-code")
        self.name, self.meta, self.device = name, meta, device
        self.model = meta.load_model(device=device)
        self.task = _task(mteb)

    def tokenise(self, texts: list[str], kind: Kind) -> list[Item]:  # noqa: ARG002  # the protocol's
        """Hand the texts on: the model tokenises by itself."""
        return [Item(1 + len(text) // CHARACTERS_A_TOKEN, text) for text in texts]

    def vectors(self, items: list[Item], kind: Kind) -> Vectors:
        """Run one batch with the model's own prompt or instruction for a retrieval task."""
        import numpy as np
        from datasets import Dataset  # type: ignore[import-not-found, unused-ignore]  # mteb brings it
        from mteb.types import PromptType
        from torch.utils.data import DataLoader

        texts: Any = Dataset.from_dict({"text": [item.data for item in items]})
        found = self.model.encode(
            DataLoader(texts, batch_size=len(items)),
            task_metadata=self.task,
            hf_split="test",
            hf_subset="default",
            prompt_type=PromptType(kind),
            batch_size=len(items),
            show_progress_bar=False,
        )
        found = found.float().cpu().numpy() if hasattr(found, "cpu") else np.asarray(found, np.float32)
        if found.ndim != 2 or len(found) != len(items):
            raise UnsupportedError(f"{self.name} gives several vectors a text, which is not supported")
        return np.ascontiguousarray(found, np.float32)

    def about(self) -> dict[str, Any]:
        """Say what ran."""
        similarity = getattr(self.meta.similarity_fn_name, "value", self.meta.similarity_fn_name)
        inner: Any = getattr(self.model, "model", None)
        parameter = next(inner.parameters(), None) if hasattr(inner, "parameters") else None
        return {
            "backend": "mteb",
            "model": self.name,
            "revision": self.meta.revision,
            "max_seq_length": _limit(self.meta.max_tokens),
            "similarity": str(similarity or "cosine"),
            "assumed_mean_pooling": False,
            "prompts": {},  # mteb puts them
            "instruction": INSTRUCTION if self.meta.use_instructions else "",
            "device": self.device,
            "dtype": "unknown" if parameter is None else str(parameter.dtype).removeprefix("torch."),
        }


def _limit(tokens: float | None) -> int | None:
    """Return a limit of tokens; None where none is known, and where mteb's entry says that there is none (infinity)."""
    return None if tokens is None or not math.isfinite(tokens) else int(tokens)


def refuse_remote_code() -> None:
    """Let transformers import no code of a repository in this process, whatever a loader asks for."""
    from transformers import dynamic_module_utils

    def refuse(*_args: Any, **_options: Any) -> str:
        raise UnsupportedError("it needs code from its repository; read it, then allow it with --trust-remote-code")

    dynamic_module_utils.get_cached_module_file = refuse


def _task(mteb: Any) -> Any:
    """Make the description of a retrieval task from which mteb's wrappers take prompt and instruction."""
    return mteb.TaskMetadata(
        name="HeldOutRetrieval",
        description="Retrieve passages that answer a question.",
        type="Retrieval",
        category="t2t",
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
        main_score="ndcg_at_10",
        dataset={"path": "held-out", "revision": "1"},
        prompt={"query": INSTRUCTION},
    )
