"""What the Hub says of what a model is made from: its base models, whose weights it may hold, and its declared data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from cardcheck.errors import AbsentError
from cardcheck.facts.families import MODELS
from cardcheck.facts.hub import MAX_LOOKED_AT, NO_ID
from cardcheck.facts.lineage import base_problem
from cardcheck.facts.located import Location
from cardcheck.facts.model import Source
from cardcheck.facts.outside import asked
from cardcheck.facts.prose import without_code, without_comments
from cardcheck.facts.samefiles import collect_tree
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardcheck.facts.model import Facts
    from cardcheck.net.answers import File, Outside

Answer = TypeVar("Answer")
MAX_BASES, MAX_CANDIDATES, MAX_DATA = 3, 2, 5
IMPOSSIBLE = Pattern(r"--|\.\.|[-.](?:/|$)|\.git$")  # no id on the Hub has these, and huggingface_hub does not ask for one
# What training leaves beside weights, and weights of a part.
BESIDE = Pattern(r"(?:^|/)(?:training_args|optimizer|scheduler|rng_state\w{0,10}|adapter_model|tokenizer|vocab)[\w.-]{0,60}$|^checkpoint-")
FORMATS = ((".safetensors",), (".bin", ".pt", ".pth"), (".h5",), (".gguf",), (".onnx",))  # of the same weights, the usual one first


def collect_relatives(facts: Facts, outside: Outside, folder: Path | None = None) -> None:
    """Fill the groups `bases`, `tree` and `copies`; weights in `folder` are held against the Hub's by their sha256."""
    me: str = facts["subject.id"] or ""
    if not me:
        facts.sources |= dict.fromkeys(("bases", "tree", "copies"), NO_ID)
        return
    _bases(facts, outside)
    tree = asked(facts, "tree", lambda: outside.files(me)[: MAX_LOOKED_AT * 10], f"the files of {me}")
    if tree is None:
        facts.sources |= dict.fromkeys(("tree", "copies"), Source("unavailable", facts.sources["tree"].reason))
        return
    collect_tree(facts, tree, folder)
    _copies(facts, outside, tree, me)


def collect_data(facts: Facts, outside: Outside) -> None:
    """Fill the group `data`."""
    if not facts["subject.id"]:
        facts.sources["data"] = NO_ID
        return
    facts.sources["data"] = Source("absent", "the card declares no data set by its id")
    rows = [row for row in facts["training.datasets"] if row["problem"] in ("", "address", "folder") and not row["first"]]
    _declared(facts, "data", rows[:MAX_DATA], outside.dataset, "the data set")


def _bases(facts: Facts, outside: Outside) -> None:
    """Ask for the declared base models."""
    facts.sources["bases"] = Source("absent", "the card declares no base model by its id")
    rows = [row for row in facts["lineage.bases"] if row["problem"] in ("", "address") and not row["itself"]]
    _declared(facts, "bases", rows[:MAX_BASES], outside.model, "the base model")


def _declared(facts: Facts, source: str, rows: list[dict[str, Any]], ask: Callable[[str], Any], what: str) -> None:
    """Note of each declared id whether it exists on the Hub, under which id now, and in which state."""
    for row in rows:
        name: str = row["replacement"]
        found = _looked_up(facts, source, name, ask, f"{what} {name}")
        if found is None:
            continue
        now = found[0].id if found else ""
        facts.add(
            f"{source}.declared",
            Location(row["file"], row["line"], row["column"]),
            value=name[:120],
            now=now[:120],
            found=bool(found),
            renamed=_is_renamed(name, now),
            **{key: bool(found) and getattr(found[0], key) for key in ("gated", "private", "disabled")},
        )


def _looked_up(facts: Facts, source: str, name: str, ask: Callable[[str], Answer], what: str) -> list[Answer] | None:
    """Return what was asked for, or an empty list where it does not exist; None where nobody can say."""

    def question() -> list[Answer]:
        try:
            return [] if IMPOSSIBLE.search(name) else [ask(name)]
        except AbsentError:
            return []

    return asked(facts, source, question, what)


def _is_renamed(name: str, now: str) -> bool:
    """Tell whether the Hub knows it by another id; ids without an owner are followed by right."""
    return bool(now) and "/" in name and now.lower() != name.lower()


def _copies(facts: Facts, outside: Outside, tree: list[File], me: str) -> None:
    """Note other models that hold all of this one's weights."""
    mine = _weights(tree)
    others = _candidates(facts, me)
    if not mine or not others:
        reason = "nothing names another model that its weights could be" if mine else "the Hub tells no sha256 of weights"
        facts.sources["copies"] = Source("absent", reason)
        return
    lines = without_code(without_comments(facts["card.text"])).lower().split("\n")
    for name in others:
        theirs = _looked_up(facts, "copies", name, outside.files, f"the files of {name}")
        if not theirs or not set(mine) <= {file.sha256 for file in theirs[0] if file.sha256}:
            continue
        known = _looked_up(facts, "copies", name, outside.model, f"the model {name}")
        own = _looked_up(facts, "copies", me, outside.model, f"the model {me}")
        now = known[0].id if known else name
        if now.lower() == me.lower() or (known and own and known[0].created > own[0].created > ""):
            continue  # this one under an older name, or one that was made from it
        ids = {name.lower(), now.lower()}
        declared = {base.lower() for base in facts["card.base_model"]} | {row["now"].lower() for row in facts["bases.declared"]}
        path = min(mine.values())
        facts.add(
            "copies.same",
            Location(path),
            id=now[:120],
            path=path,
            files=len(mine),
            declared=bool(ids & declared),
            credited=any(one in line and line.strip("# *`") != one for line in lines for one in ids),  # the bare title credits nobody
            same_owner=now.partition("/")[0].lower() == me.partition("/")[0].lower(),
        )


def _weights(tree: list[File]) -> dict[str, str]:
    """Return path by sha256 of the weights, in the first format that there are any in."""
    for suffixes in FORMATS:
        found = {file.sha256: file.path for file in tree if file.path.endswith(suffixes) and not BESIDE.search(file.path)}
        if found:
            return {} if "" in found else found  # a small file has no hash: then nobody can say that all are the same
    return {}


def _candidates(facts: Facts, me: str) -> list[str]:
    """Return the models that this one may be a copy of, those first that the card need not credit: the title's and the configuration's."""
    title: str = facts["lineage.other_title"] or ""
    named = [MODELS.get(title.lower(), title), facts["config.name_or_path"] or ""]
    named += [row["id"] for row in facts["lineage.stated"]]
    gone = {row["value"].lower() for row in facts["bases.declared"] if not row["found"]}
    renamed = {row["value"].lower(): row["now"] for row in facts["bases.declared"] if row["found"]}
    named += [row["value"] for row in facts["bases.declared"]]
    ids: dict[str, str] = {}
    for value in named[:MAX_LOOKED_AT]:
        problem, meant = base_problem(value) if value else ("nothing", "")
        name = meant or ("" if problem else value.strip())
        name = renamed.get(name.lower(), name)
        if name and name.lower() not in gone and name.lower() != me.lower() and not IMPOSSIBLE.search(name):
            ids.setdefault(name.lower(), name)
    return list(ids.values())[:MAX_CANDIDATES]
