"""What runs a model: tokenise texts, and make vectors of what was tokenised. One small protocol, and PyTorch behind it.

Everything here runs in the child process.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from cardcheck.spotcheck.tokens import Tokenised

    Vectors = NDArray[np.float32]

Kind = Literal["query", "document"]
KINDS: tuple[Kind, Kind] = ("document", "query")
CHARACTERS_A_TOKEN = 4  # where a model tokenises by itself, to size batches by


class UnsupportedError(Exception):
    """A backend cannot run this model, or is not installed; the message says so to the user."""


@dataclass(frozen=True, slots=True)
class Item:
    """One text, tokenised as its backend likes it: `length` tokens, in row `row` of `data`."""

    length: int
    data: Any
    row: int = 0


class Backend(Protocol):
    """A loaded model."""

    texts: int  # a batch may hold at most so many

    def tokenise(self, texts: list[str], kind: Kind) -> list[Item]:
        """Prepare texts, with the prompt of their kind; runs in a thread beside `vectors`."""
        ...

    def vectors(self, items: list[Item], kind: Kind) -> Vectors | torch.Tensor:
        """Return one row for each item, in their order."""
        ...

    def about(self) -> dict[str, Any]:
        """Say what ran: max_seq_length, similarity, prompts, device, dtype and what is particular."""
        ...


class TorchBackend:
    """A model that sentence-transformers loads: transformers, static embeddings, OpenVINO, or code of its own."""

    def __init__(self, path: Path, *, device: str, trust_remote_code: bool, engine: Literal["torch", "openvino"] = "torch") -> None:
        import torch
        from sentence_transformers import SentenceTransformer

        from cardcheck.spotcheck.tokens import Tokeniser

        if engine == "openvino":
            _require_openvino(path)
        self.texts = 1 << 20
        self.engine = engine
        self.path = path
        self.model = SentenceTransformer(
            str(path),
            device=device,
            trust_remote_code=trust_remote_code,
            local_files_only=True,
            model_kwargs={"use_safetensors": True} if engine == "torch" else {},
            backend=engine,
        ).eval()
        parameter = next(self.model.parameters(), None)
        self.stored = _name(parameter.dtype) if parameter is not None else "none"
        if any(each.is_floating_point() and each.dtype != torch.float32 for each in self.model.parameters()):
            self.model.float()  # of what is stored shorter that is exact, and on a CPU also faster; nothing is computed in float64
        self.dtype = "none" if parameter is None else "float32"
        self.compiled, self.threads = False, torch.get_num_threads()
        self.looks_up = not any(
            parameter.ndim > 1
            for module in self.model.modules()
            if not isinstance(module, torch.nn.Embedding | torch.nn.EmbeddingBag)
            for parameter in module.parameters(recurse=False)
        )  # and multiplies nothing: tokenising is what takes the time
        self.prompts = {kind: _prompt(self.model, kind) for kind in KINDS}
        self.tokeniser = Tokeniser(self.model.preprocess)
        self.window: tuple[Tokenised, Tokenised] | None = None

    def speed_up(self, dtype: str, *, compiled: bool) -> None:
        """Compute in `dtype`, on a CPU compiled by OpenVINO where asked; not to be undone. Raises what PyTorch and OpenVINO raise."""
        import torch

        if compiled:
            from cardcheck.spotcheck.compiled import use

            forwards = use(self.model, dtype)
            for kind in KINDS:
                self.vectors(self.tokenise(["compile"], kind), kind)
            if not forwards or any(forward.request is None for forward in forwards):
                raise UnsupportedError("no transformer's forward is what computes its vectors")
            torch.set_num_threads(1)  # pooling is left to PyTorch, and its threads wait in a loop for more, on the cores that compute
        else:
            self.model.to(getattr(torch, dtype))
        self.dtype, self.compiled = dtype, compiled

    def tokenise(self, texts: list[str], kind: Kind) -> list[Item]:
        """Tokenise; models that want to see a batch as a whole get the texts themselves."""
        tokens = self.tokeniser(texts, self.prompts[kind], {"task": kind})
        if tokens is None:
            return [Item(1 + len(text) // CHARACTERS_A_TOKEN, text) for text in texts]
        return [Item(length, tokens, row) for row, length in enumerate(tokens.lengths)]

    def vectors(self, items: list[Item], kind: Kind) -> torch.Tensor:
        """Run one batch; on a GPU the result is there when it is asked for."""
        import torch

        if isinstance(items[0].data, str):
            features = self.model.preprocess([item.data for item in items], prompt=self.prompts[kind] or None, task=kind)
        else:
            features = self._moved(items[0].data).cut([item.row for item in items])
        device = self.model.device
        features = {name: value.to(device) if isinstance(value, torch.Tensor) else value for name, value in features.items()}
        with torch.inference_mode():
            result = self.model(features, task=kind)["sentence_embedding"]
            if self.model.truncate_dim is not None:
                result = result[..., : self.model.truncate_dim]
            vectors: torch.Tensor = result.to(torch.float32, copy=True)  # the next batch takes the room of this one
        return vectors

    def _moved(self, tokens: Tokenised) -> Tokenised:
        """Return the window on the model's device, where it stays while batches are cut out of it."""
        if self.window is None or self.window[0] is not tokens:
            self.window = (tokens, tokens.to(self.model.device))
        return self.window[1]

    def about(self) -> dict[str, Any]:
        """Say what ran."""
        length = self.model.max_seq_length
        return {
            "backend": self.engine,
            "max_seq_length": None if length is None or not math.isfinite(length) else int(length),
            "similarity": str(self.model.similarity_fn_name),
            "assumed_mean_pooling": not (self.path / "modules.json").is_file(),
            "prompts": self.prompts,
            "device": str(self.model.device),
            "dtype": self.dtype,
            "stored_dtype": self.stored,
            "compiled": self.compiled,
            "threads": self.threads,
        }


def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


def _prompt(model: Any, kind: Kind) -> str:
    """Return the prompt that sentence-transformers puts before texts of this kind."""
    return chosen_prompt(model.prompts or {}, model.default_prompt_name, kind)


def chosen_prompt(prompts: dict[str, str], default: str | None, kind: Kind) -> str:
    """Choose as encode_query and encode_document do: the first name that is there, also where its prompt is empty; else the default."""
    names = ("query",) if kind == "query" else ("document", "passage", "corpus")
    found = next((name for name in names if name in prompts), default or "")
    return str(prompts.get(found) or "")


def _require_openvino(path: Path) -> None:
    from importlib.util import find_spec

    if find_spec("optimum") is None or find_spec("openvino") is None:
        raise UnsupportedError("the OpenVINO backend is not installed: pip install 'optimum-intel[openvino]'")
    if not any(path.rglob("openvino_model*.xml")):
        raise UnsupportedError("there is no openvino_model.xml, and none is made of other weights")


def graph_alone(files: Iterable[str], modules: Iterable[tuple[str, str]]) -> bool:
    """Tell whether a model is to be run from an ONNX graph: it has one, and no safetensors file that any of its modules is loaded from.

    `modules` are class and folder of each. Weights that lie elsewhere in the repository, or in a hidden folder, are none of the model's.
    """
    files, modules = list(files), list(modules)
    folders = {".", *(str(PurePosixPath(folder)) for _, folder in modules)}
    has_weights = any(name.endswith(".safetensors") and str(PurePosixPath(name).parent) in folders for name in files)
    has_graph = any(name.endswith(".onnx") and str(PurePosixPath(name).parent) in (".", "onnx") for name in files)
    return has_graph and not has_weights and not any(kind in ("Router", "Asym") for kind, _ in modules)  # whose folders are its own


def load(job: dict[str, Any]) -> Callable[[], Backend]:
    """Return what loads the job's model by the backend it asks for; `auto` takes ONNX only where `graph_alone`."""
    path, name = Path(job["path"]), job["backend"]
    if name == "auto":
        from cardcheck.spotcheck.onnx import modules

        files = (file.relative_to(path).as_posix() for suffix in ("safetensors", "onnx") for file in path.rglob(f"*.{suffix}"))
        name = "onnx" if graph_alone(files, modules(path)) else "torch"
    if name == "onnx":
        from cardcheck.spotcheck.onnx import OnnxBackend

        return lambda: OnnxBackend(path, device=job["device"])
    if name == "mteb":
        from cardcheck.spotcheck.wrapper import MtebBackend

        return lambda: MtebBackend(job["mteb"], device=job["device"], trust_remote_code=job["trust_remote_code"])
    return lambda: TorchBackend(path, device=job["device"], trust_remote_code=job["trust_remote_code"], engine=name)
