"""Whether a check, or a test of it, can be run at all: what is installed, what the subject's folder holds, what the machine has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck.backends import graph_alone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardcheck.facts.model import Facts
    from cardcheck.spotcheck.encode import Backend
    from cardcheck.spotcheck.verdict import Kind

WITHOUT_WEIGHTS = {"BoW", "Normalize", "Dropout"}  # modules that are all in their settings
PARTS = {"CQADupstackRetrieval": ("CQADupstackGamingRetrieval", "CQADupstackUnixRetrieval")}  # tasks of the panel within others
OTHER_SPLIT = ("other", "unknown")  # as `overlap.tasks` has it: what is declared without its split is trained on by its train split


def missing_packages() -> str | None:
    """Return what to install when a package of the spot check is missing, without importing any of them."""
    from importlib.util import find_spec

    missing = [name for name in ("torch", "sentence_transformers", "pytrec_eval", "scipy") if find_spec(name) is None]
    return f"{', '.join(missing)} not installed: pip install 'cardcheck[spotcheck]'" if missing else None


def require_device(device: str) -> None:
    """Raise CardcheckError where this machine has no such device: a wish that cannot be met is no fault of the subject."""
    if device == "cpu":  # it always can, and PyTorch is imported while the child does the same
        return
    import torch

    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0].partition(". ")[0][:160]
        raise CardcheckError(f"the device {device} cannot be used: {reason}", hint="--device cpu always can") from None


def not_measurable(facts: Facts, *, trust_remote_code: bool, backend: Backend = "auto") -> str | None:
    """Say why a subject is not even loaded by this backend."""
    if backend == "mteb":
        return None if facts["subject.id"] else "mteb's loader takes a model by its Hub id; say with --id which it is"
    graphs = [path for path in facts["files.paths"] if path.endswith(".onnx")]
    modules = [(row["class"], row["path"]) for row in facts["st.modules"]]
    if backend == "onnx" or (backend == "auto" and graph_alone(facts["files.paths"], modules)):
        return _not_a_graph(facts, graphs)
    weights, broken = facts["weights.safetensors"], facts["weights.broken"]
    missing = not weights and not (modules and {kind for kind, _ in modules} <= WITHOUT_WEIGHTS)
    unsafe = [row["path"] for row in facts["st.modules"] if row["path"] and _only_pickled(facts, row["path"].rstrip("/") + "/")]
    needs_code = bool(facts["config.auto_map"] or facts["st.custom_modules"])
    reasons = (
        (facts["subject.kind"] == "card", "only a card was given; a spot check needs the model's folder"),
        (bool(broken), " ".join(broken[0][key] for key in ("path", "problem")) if broken else ""),
        (missing and backend == "torch", "there are no readable safetensors weights, and nothing else is run here"),
        (missing, "there are no readable safetensors weights and no ONNX graph, and no other format is loaded"),
        (
            bool(weights) and all(row["parameters"] is None for row in weights),
            "the weights are not in the local cache: run once without --offline",
        ),
        (bool(unsafe), f"the module in {', '.join(unsafe)} has its weights as a pickle only, which is not loaded"),
        (facts.sources["st"].state == "unavailable", facts.sources["st"].reason),
        (not facts["files.tokenizer"] and facts["config.model_type"] is not None, "there is no tokenizer"),
        (
            needs_code and not trust_remote_code,
            "it needs code from its repository; read it, then allow it with --trust-remote-code",
        ),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _not_a_graph(facts: Facts, graphs: list[str]) -> str | None:
    tokenizers = {"tokenizer.json", "onnx/tokenizer.json"}
    reasons = (
        (facts["subject.kind"] == "card", "only a card was given; a spot check needs the model's folder"),
        (not graphs, "there is no ONNX graph"),
        (tokenizers.isdisjoint(facts["files.paths"]), "there is no tokenizer.json, which the ONNX backend needs"),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _only_pickled(facts: Facts, folder: str) -> bool:
    """Tell whether a module's folder holds a pickle and no safetensors file."""
    pickled, safe = (any(row["path"].startswith(folder) for row in facts[f"weights.{kind}"]) for kind in ("pickle", "safetensors"))
    return pickled and not safe


def says_nothing(facts: Facts, prompts: Mapping[str, str], task: str) -> dict[Kind, str]:
    """Return the tests on a public task that would say nothing of this model, with why; `prompts` are those that were put before texts."""
    why: dict[Kind, str] = {}
    if facts["says.mentions_prompts"] and not any(prompts.values()):
        why["reproduction"] = "the card tells prompts in words alone, which a rerun cannot take over"
    if any(row["task"] == task and row["split"] in OTHER_SPLIT and row["relation"] != "source" for row in facts["overlap.tasks"]):
        why["rewording"] = f"{task}'s training queries are declared as training data, and whoever learned their style loses more without it"
    return why


def trained_on(facts: Facts) -> set[str]:
    """Return the tasks whose data, of whatever split, somebody names as training data of the model or of what it was made of.

    Their scores promise nothing of other text.
    """
    found = {row["task"] for row in facts["overlap.tasks"] if row["relation"] != "source"}
    return found | {part for whole, parts in PARTS.items() if whole in found for part in parts}
