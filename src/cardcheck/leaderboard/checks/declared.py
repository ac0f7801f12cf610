"""What mteb's annotators say of a model's training data: listed, none, or nothing; verifiable or not; misspelt, and what that changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardcheck.catalogue import tasks, training
from cardcheck.leaderboard.checks.seen import Records, is_baseline
from cardcheck.leaderboard.credible_table import bare
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.catalogue.training import Annotation
    from cardcheck.leaderboard.checks.seen import Seen

USUAL_BOARD = "MTEB(eng, v2)"  # the zero-shot share is of a benchmark; of this one where none was chosen
# Prompts that were searched or fitted, by how a run is named: `evolved_prompts=True`, `prompt-tuned`, `optimized_prompts`
TUNED = Pattern(r"(?:evolved|optimi[sz]ed|tuned|searched)[-_ ]?prompts?|prompts?[-_ ]?(?:evolved|optimi[sz]ed|tuned|searched)")


def find(seen: Seen) -> Records:
    """Return of each model what is said of its training."""
    board = seen.board.name if seen.board and tasks.tasks_of(seen.board.name) else USUAL_BOARD
    models = sorted({seen.runs.model.names[code] for code in set(seen.runs.model.of.tolist())})
    return {model: _said(model, board) for model in models if not is_baseline(model)}


def _said(model: str, board: str) -> dict[str, Any]:
    known, name = training.annotation(bare(model)), bare(model)
    found: dict[str, Any] = {"zero_shot_of": board, "tuned_prompts": TUNED.search(model.lower()) is not None}
    if known is None:
        return found | {"training": "unregistered"}
    exact, ambiguous = training.zero_shot(name, board), training.zero_shot(name, board, mended=True, ambiguous=True)
    return found | {
        "training": "unsaid" if known.data is None else "listed" if known.data else "none",
        "training_listed": len(known.data or ()),
        "training_public": known.public_data is not None,
        "unknown_parent": _unknown_parent(known),
        "zero_shot": exact,
        "zero_shot_mended": training.zero_shot(name, board, mended=True),
        "zero_shot_ambiguous": ambiguous,
        "misspelt": [
            {"name": item, "task": task, "ambiguous": training.is_ambiguous(item), "evidence": [f"{item!r} is {task!r} in mteb"]}
            for item in known.data or ()
            if (task := training.misspelt(item))
        ],
    }


def _unknown_parent(known: Annotation) -> str | None:
    """Return the model that this one was made from where mteb knows nothing of that, and so takes over none of its training data."""
    return known.adapted_from if known.adapted_from and training.annotation(known.adapted_from) is None else None
