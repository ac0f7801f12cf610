"""A transformer on a CPU as OpenVINO computes it: layers fused, attention that keeps its scores in the cores' caches, bfloat16 throughout.

The model's own forward is traced and becomes a graph with batches and widths left open. Whoever uses this compares results first: what a
model decides by looking at its input is decided once, by the example. Why not PyTorch with its own compiler: that needs a C++ compiler
and half a minute; docs/spotcheck.md has the figures.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

if TYPE_CHECKING:
    from collections.abc import Callable

OUTPUT = "last_hidden_state"
PRECISIONS = {"bfloat16": "bf16", "float32": "f32"}
WIDTHS = (8, 5)  # tokens of the example's two texts: padding is seen too, or no mask would be looked at


class Compiled:
    """The forward of a transformers model, built at its first call, after which the model's weights are gone."""

    def __init__(self, model: PreTrainedModel, dtype: str) -> None:
        self.model, self.plain, self.dtype = model, model.forward, dtype
        self.names: list[str] = []
        self.request: Any = None
        self.table: int | None = None  # rows of the embedding that token ids look up

    def __call__(self, **given: Any) -> BaseModelOutput:
        """Return what the model's last layer gives, float32 of shape (texts, tokens, dimension), in room that the next call takes again.

        Raises RuntimeError for other inputs than the first call had, or any but tensors, IndexError for token ids beyond the table, which
        OpenVINO would take for something, and whatever tracing and OpenVINO raise.
        """
        tensors = {name: value for name, value in given.items() if isinstance(value, torch.Tensor)}
        if others := given.keys() - tensors.keys() - {"return_dict"}:
            raise RuntimeError(f"called with {', '.join(sorted(others))}, which a graph does not know")
        if self.request is None:
            self.names = list(tensors)
            self.request = self._build()
        if list(tensors) != self.names:
            raise RuntimeError(f"compiled for {', '.join(self.names)}, called with {', '.join(tensors)}")
        ids = tensors.get("input_ids")
        if self.table is not None and ids is not None and ids.numel() and int(ids.max()) >= self.table:
            raise IndexError(f"token id {int(ids.max())} is beyond the {self.table} rows of the table")
        # With one thread `infer` raises nothing where it fails, and the batch before would be taken for this one's; waiting raises.
        self.request.start_async([value.numpy() for value in tensors.values()], share_inputs=True)
        self.request.wait()
        return BaseModelOutput(last_hidden_state=torch.from_numpy(self.request.get_output_tensor(0).data))

    def _build(self) -> Any:
        sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # it would tell others that it is used
        import openvino
        from openvino.frontend import FrontEndManager
        from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

        # Written out: PyTorch's own attention gives zeros where a padded token attends to nothing, OpenVINO's NaN. It is fused either way.
        self.model.set_attn_implementation("eager")
        self.model.config.use_cache = False
        mask = (torch.arange(max(WIDTHS)) < torch.tensor(WIDTHS)[:, None]).long()
        example = {"input_ids": mask, "attention_mask": mask}
        inputs = tuple(example.get(name, torch.zeros_like(mask)) for name in self.names)
        with torch.inference_mode(mode=False), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what the example decides is held against the plain model afterwards
            module = _ByPlace(self.model, self.plain, self.names, ends_in_product=self.dtype == "bfloat16")
            traced = torch.jit.trace(module, inputs, check_trace=False, strict=False)  # type: ignore[no-untyped-call]
            # openvino.convert_model takes a second and a half longer: it also readies the graph for saving
            frontend = FrontEndManager().load_by_framework("pytorch")
            decoder = TorchScriptPythonDecoder(traced, example_input=inputs)  # what is loaded does not keep it alive
            graph = frontend.convert(frontend.load(decoder))
        settings = {
            "INFERENCE_PRECISION_HINT": PRECISIONS[self.dtype],
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "ENABLE_CPU_PINNING": False,  # other processes of ours would be pinned to the same cores
            "CPU_RUNTIME_CACHE_CAPACITY": 64,  # shapes of batches whose kernels are kept: of the usual 5,000, gigabytes
        }
        request = openvino.Core().compile_model(graph, "CPU", settings).create_infer_request()
        with contextlib.suppress(NotImplementedError, AttributeError):
            table: Any = self.model.get_input_embeddings()
            self.table = int(table.num_embeddings)
        for parameter in self.model.parameters():
            parameter.data = torch.empty(0)
        return request


class _ByPlace(nn.Module):
    """A model's forward as a tracer wants it: tensors by place, and one back.

    OpenVINO keeps float32 from the last matrix product to the end, and with it whatever sums reach around that product: those of all
    layers. A product that changes nothing at the very end leaves them in bfloat16, a twentieth of the whole time.
    """

    def __init__(self, model: nn.Module, forward: Callable[..., Any], names: list[str], *, ends_in_product: bool) -> None:
        super().__init__()
        self.model, self.call, self.names, self.ends_in_product = model, forward, names, ends_in_product

    def forward(self, *tensors: torch.Tensor) -> torch.Tensor:
        """Return the last layer's output."""
        result: torch.Tensor = self.call(**dict(zip(self.names, tensors, strict=True)), return_dict=True)[OUTPUT]
        return result @ torch.eye(int(result.shape[-1])) if self.ends_in_product else result


def use(model: nn.Module, dtype: str) -> list[Compiled]:
    """Let the transformers in a model compute so; return what takes the place of their forwards."""
    inner = [module for module in model.modules() if isinstance(module, PreTrainedModel)]
    within = {id(part) for module in inner for part in module.modules() if part is not module}
    found = []
    for module in inner:
        if id(module) not in within:
            module.forward = Compiled(module, dtype)
            found.append(module.forward)
    return found
