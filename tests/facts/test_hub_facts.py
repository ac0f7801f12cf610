"""What the Hub says of a model, its bases and its data, asked on loopback, and what becomes of answers that are not to be had."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response

from cardcheck.engine.recorded import Recorded
from cardcheck.facts import collect
from cardcheck.facts.hub import collect_hub, dispute
from cardcheck.facts.hubdata import collect_data, collect_relatives
from cardcheck.net.online import Online
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeModel
    from hub_double import HubDouble

    from cardcheck.facts.model import Facts
    from cardcheck.net.answers import Outside

NAME = "acme/tiny-embed"
CARD = "---\nbase_model: acme/encoder\ndatasets: [acme/pairs, acme/gone]\n---\n# tiny-embed\n"
Given = dict[str, dict[str, Any]]
MINE, THEIRS = "a" * 64, "b" * 64


@pytest.fixture
def ask() -> Callable[[Path, Outside], Facts]:
    """Give who asks for the facts of this part, and no others."""

    def collected(folder: Path, outside: Outside, hub_id: str | None = NAME) -> Facts:
        facts = collect(Subject(str(folder), "folder", folder, id=hub_id), embedding=True)
        for collector in (collect_hub, collect_relatives, collect_data):
            collector(facts, outside)
        return facts

    return collected


def without_place(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows without where they stand."""
    return [{key: value for key, value in row.items() if key not in ("file", "line", "column")} for row in rows]


def usual(hub: HubDouble) -> None:
    """Set a model with a base, data, a history and weights of its own."""
    hub.model(
        NAME,
        baseModels={"relation": "finetune", "models": [{"_id": "1", "id": "acme/encoder"}]},
        childrenModelCount={"quantized": 3, "finetune": 1},
        securityRepoStatus={"scansDone": True, "filesWithIssues": [{"path": "old.bin", "level": "unsafe"}]},
        tags=["sentence-transformers"],
    )
    hub.model("acme/encoder", gated="manual")
    hub.file(NAME, "model.safetensors", 900, MINE)
    hub.file(NAME, "README.md", 50)
    hub.file("acme/encoder", "model.safetensors", 900, THEIRS)
    hub.commit(NAME, "Upload model.safetensors", "2024-08-01T12:00:00.000Z")
    hub.commit(NAME, "Add MTEB results", "2024-05-02T12:00:00.000Z")
    hub.commit(NAME, "Add weights", "2024-05-01T12:00:00.000Z")
    hub.discuss(NAME, "Cannot reproduce the MTEB scores")
    hub.discuss(NAME, "Adding `safetensors` variant of this model", pull_request=True, author="SFconvertbot")
    hub.dataset("acme/pairs", gated="auto")


def test_a_usual_model(hub: HubDouble, online: Online, make_model: MakeModel, ask: Any) -> None:
    """All groups are filled from the Hub's own shapes, with no more requests than the budget allows."""
    usual(hub)
    folder = make_model({"README.md": CARD}, {"model.safetensors": {"w": ("F32", [1, 4])}})
    facts = ask(folder, online)
    assert {facts.sources[name].state for name in ("hub", "scan", "history", "disputes", "bases", "tree", "copies", "data")} == {"known"}
    assert (facts["hub.downloads"], facts["hub.created"], facts["hub.renamed_to"]) == (7, "2024-05-31", None)
    assert (facts["hub.bases"], facts["hub.relation"], facts["hub.quantizations"]) == (["acme/encoder"], "finetune", 3)
    assert without_place(facts["scan.issues"]) == [{"path": "old.bin", "level": "unsafe"}]
    assert (facts["history.results_changed"], facts["history.weights_changed"]) == ("2024-05-02", "2024-08-01")
    assert facts["history.days_after"] == 91
    assert [(row["num"], row["kind"]) for row in facts["disputes.rows"]] == [(1, "results")]
    base = {"value": "acme/encoder", "now": "acme/encoder", "found": True, "renamed": False, "gated": True}
    assert without_place(facts["bases.declared"]) == [base | {"private": False, "disabled": False}]
    assert [(row["value"], row["found"], row["gated"]) for row in facts["data.declared"]] == [
        ("acme/pairs", True, True),
        ("acme/gone", False, False),
    ]
    assert [(row["path"], row["there"]) for row in facts["tree.differ"]] == [("model.safetensors", "900 bytes")]
    assert facts["copies.same"] == []
    assert len(hub.asked) <= 10


def test_nothing_is_asked_without_an_id(hub: HubDouble, online: Online, make_model: MakeModel, ask: Any) -> None:
    """A folder that is known by no id is nobody on the Hub."""
    facts = ask(make_model({"README.md": CARD}), online, None)
    assert hub.asked == []
    assert facts.sources["hub"].state == facts.sources["bases"].state == facts.sources["data"].state == "absent"


def test_a_model_that_does_not_exist(hub: HubDouble, online: Online, make_model: MakeModel, ask: Any) -> None:
    """What a model is that is not there, or is private, is unknown; nothing more is asked of it, but its bases and data are looked up."""
    hub.model("acme/encoder")
    facts = ask(make_model({"README.md": CARD}), online)
    assert {facts.sources[name].state for name in ("hub", "scan", "history", "disputes", "tree", "copies")} == {"unavailable"}
    assert "does not exist" in facts.sources["scan"].reason
    assert [row["found"] for row in facts["bases.declared"]] == [True]
    assert [row["found"] for row in facts["data.declared"]] == [False, False]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (f"/api/models/{NAME}/commits/main", "history"),
        (f"/api/models/{NAME}/discussions", "disputes"),
        (f"/api/models/{NAME}/tree/main", "tree"),
        ("/api/models/acme/encoder", "bases"),
        ("/api/models/acme/encoder/tree/main", "copies"),
        ("/api/datasets/acme/pairs", "data"),
    ],
)
def test_each_source_can_be_out_of_reach_alone(hub: HubDouble, make_model: MakeModel, ask: Any, path: str, source: str) -> None:
    """What one question cannot answer is unknown; the others are answered all the same."""
    usual(hub)
    hub.instead[path] = lambda _: Response("no", status=403)
    facts = ask(make_model({"README.md": CARD}), Online(endpoint=hub.url))
    found = {name for name in ("hub", "scan", "history", "disputes", "bases", "data") if facts.sources[name].state == "unavailable"}
    assert facts.sources[source].state == "unavailable"
    assert "403" in facts.sources[source].reason
    assert found <= {source}


def test_a_copy_is_known_by_its_weights(make_model: MakeModel, ask: Any) -> None:
    """Weights with the same hash under another name are a copy, credited or not; sharded ones count as a whole."""
    shards = [{"path": f"model-0000{n}-of-00002.safetensors", "size": 9, "sha256": str(n)} for n in (1, 2)]
    config = '{"_name_or_path": "others/encoder"}'
    given: Given = {"model": {NAME: {}, "others/encoder": {}}, "files": {NAME: shards, "others/encoder": shards}}
    plain = ask(make_model({"README.md": "# tiny-embed\n", "config.json": config}), Recorded(given))
    row = {"id": "others/encoder", "path": shards[0]["path"], "files": 2, "declared": False, "credited": False, "same_owner": False}
    assert without_place(plain["copies.same"]) == [row]
    text = "# tiny-embed\n\nA copy of `others/encoder`.\n"
    named = ask(make_model({"README.md": text, "config.json": config}), Recorded(given))
    assert named["copies.same"][0]["credited"]
    half: Given = given | {"files": {NAME: shards, "others/encoder": shards[:1]}}
    assert ask(make_model({"README.md": "# tiny-embed\n", "config.json": config}), Recorded(half))["copies.same"] == []


def _with_weights(make_model: MakeModel, **hashes: str) -> Facts:
    """Return the facts of a folder of three files of weights as it is held against a Hub that tells these hashes of theirs."""
    folder = make_model({"README.md": CARD, "onnx/model.onnx": "graph", "pytorch_model.bin": "pickle"}, {"model.safetensors": {}})
    files = ("model.safetensors", "onnx/model.onnx", "pytorch_model.bin")
    rows = [
        {"path": path, "size": (folder / path).stat().st_size, "sha256": hashes.get(Path(path).stem) or _sha256(folder / path)}
        for path in files
    ]
    facts = collect(Subject(str(folder), "folder", folder, id=NAME), embedding=True)
    collect_relatives(facts, Recorded({"model": {NAME: {}}, "files": {NAME: rows}}), folder)
    return facts


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_weights_that_were_changed_here(make_model: MakeModel) -> None:
    """A folder's weights are held against the Hub's by sha256, graphs and pickles too; what only has the same length is not the same."""
    facts = _with_weights(make_model)
    assert (facts["tree.hashed"], facts["tree.differ"], facts.sources["tree"].state) == (3, [], "known")
    facts = _with_weights(make_model, model="0" * 64)
    there = f"sha256 {'0' * 12}…"
    assert {(row["path"], row["there"]) for row in facts["tree.differ"]} == {("model.safetensors", there), ("onnx/model.onnx", there)}
    assert all(row["here"].startswith("sha256 ") and row["here"] != there for row in facts["tree.differ"])


def test_what_is_fetched_is_not_hashed(make_model: MakeModel, ask: Any) -> None:
    """Without a folder of somebody's own, sizes alone are compared, and a strange hash is none."""
    same_length = {"path": "model.safetensors", "size": 10, "sha256": "0" * 64}
    facts = ask(make_model({}, {"model.safetensors": {}}), Recorded({"model": {NAME: {}}, "files": {NAME: [same_length]}}))
    assert (facts["tree.files"], facts["tree.hashed"], facts["tree.differ"]) == (1, 0, [])
    assert _with_weights(make_model, model="none", pytorch_model="../etc")["tree.hashed"] == 0


def test_weights_that_are_not_hashed_are_unknown(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many bytes, and files that cannot be read, leave it unknown whether weights are the Hub's, unless some are known not to be."""
    monkeypatch.setattr("cardcheck.facts.samefiles.MAX_HASHED", 11)
    facts = _with_weights(make_model)  # the two short ones are read
    assert (facts["tree.hashed"], facts.sources["tree"].state) == (2, "unavailable")
    assert "more than is hashed" in facts.sources["tree"].reason
    facts = _with_weights(make_model, pytorch_model="0" * 64)
    assert ([row["path"] for row in facts["tree.differ"]], facts.sources["tree"].state) == (["pytorch_model.bin"], "known")


def test_small_weights_have_no_hash(make_model: MakeModel, ask: Any) -> None:
    """Where a file of weights has no hash, nobody can say that all are the same, and that is told."""
    files = [{"path": "model.safetensors", "size": 9}]
    given: Given = {"model": {NAME: {}}, "files": {NAME: files, "others/encoder": files}}
    facts = ask(make_model({"README.md": "# t\n", "config.json": '{"_name_or_path": "others/encoder"}'}), Recorded(given))
    assert facts.sources["copies"].state == "absent"
    assert "sha256" in facts.sources["copies"].reason


def test_an_unfinished_scan_is_no_clean_one(make_model: MakeModel, ask: Any) -> None:
    """As long as scanners are at work, finding nothing says nothing."""
    given: Given = {"model": {NAME: {}}, "scan": {NAME: {"done": False}}}
    assert ask(make_model({"README.md": "# t\n"}), Recorded(given)).sources["scan"].state == "unavailable"


def test_hostile_answers(make_model: MakeModel, ask: Any) -> None:
    """Answers of absurd size and strange shape become short facts, and end nothing."""
    long = "benchmark wrong " * 100_000
    given: Given = {
        "model": {
            NAME: {"id": long, "downloads": -(2**52), "created": long, "tags": [long] * 5000, "children": {"merge": 2**50, "finetune": -1}}
        },
        "scan": {NAME: {"done": True, "issues": [["../../etc/passwd\n\u202e", "UNSAFE\n"]] * 5000}},
        "commits": {
            NAME: [{"id": "c", "title": "a.bin" * 9999, "date": day} for day in ("", "2024-99-99", long, "0001-01-01", "9999-12-31")]
        },
        "discussions": {NAME: [{"num": n, "title": long, "date": long} for n in range(5000)]},
        "files": {NAME: [{"path": "m.safetensors", "size": -5, "sha256": long}] * 5000},
    }
    facts = ask(make_model({"README.md": CARD}), Recorded(given))
    assert len(facts["hub.renamed_to"]) <= 200
    assert (facts["hub.downloads"], facts["hub.merges"]) == (0, 10**12)
    assert (len(facts["hub.tags"]), len(facts["scan.issues"]), len(facts["disputes.rows"])) == (300, 500, 500)
    assert facts["scan.issues"][0]["file"] == "README.md"
    assert "\n" not in facts["scan.issues"][0]["path"] + facts["scan.issues"][0]["level"]


def test_ids_that_cannot_be_are_not_asked(hub: HubDouble, online: Online, make_model: MakeModel, ask: Any) -> None:
    """huggingface_hub refuses some ids before it asks; these do not exist, and leave the rest known."""
    hub.model(NAME)
    card = "---\nbase_model: [acme/a--b, acme/encoder.git]\ndatasets: [acme/a..b]\n---\n# t\n"
    facts = ask(make_model({"README.md": card}), online)
    assert [row["found"] for row in facts["bases.declared"] + facts["data.declared"]] == [False] * 3
    assert facts.sources["bases"].state == facts.sources["data"].state == "known"


def test_no_more_is_asked_than_the_budget(hub: HubDouble, online: Online, make_model: MakeModel, ask: Any) -> None:
    """Long lists of bases and data are cut."""
    usual(hub)
    names = ", ".join(f"acme/x{n}" for n in range(40))
    ask(make_model({"README.md": f"---\nbase_model: [{names}]\ndatasets: [{names}]\n---\n# t\n"}), online)
    assert len(hub.asked) <= 4 + 3 + 1 + 2 + 5


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Can't reproduce the results on NFCorpus", "results"),
        ("Failed to replicate MTEB", "results"),
        ("MTEB scores don\u2019t match the leaderboard", "results"),
        ("My accuracy is much lower than reported", "results"),
        ("Scores are lower than in the paper", "results"),
        ("Overfitted on the benchmark?", "results"),
        ("mteb 分数与榜单不一致", "results"),
        ("刷榜模型", "results"),
        ("Test set leakage", "data"),
        ("Is this model trained on MTEB?", "data"),
        ("是不是用测试集训练的", "data"),
        ("License incompatible with Gemma terms", "licence"),
        ("协议冲突", "licence"),
        ("Trojan in model.pkl", "safety"),
    ],
)
def test_titles_that_dispute(title: str, kind: str) -> None:
    """English and Chinese titles that doubt results, data, licence or files are known by their kind."""
    assert dispute(title) == kind


@pytest.mark.parametrize(
    "title",
    [
        "Add MTEB results",
        "Update README.md",
        "Adding `safetensors` variant of this model",
        "Librarian Bot: Add base_model information to model",
        "How can I reproduce the results?",
        "Cosine similarity scores are too high",
        "Inconsistent embeddings between ONNX and PyTorch",
        "The results are wrong with batch size 2",
        "Wrong dimension in the evaluation script",
        "Incorrect formula in the paper",
        "Overfitting when I fine-tune on my data",
        "Which data was it trained on?",
        "Memory leak in data loader",
        "How to train on BEIR",
        "训练集和测试集怎么划分",
        "训练数据是什么",
        "微调后效果变差",
        "License?",
        "Add license",
        "Commercial use",
        "Antivirus false positive: trojan",
        "Does it tell malicious prompts apart?",
        "Request: GGUF quants",
        "Does not work with vLLM",
        "Different result from sentence-transformers",
        "Is a prompt needed for queries?",
        "max_seq_length is wrong",
        "Update the benchmark table",
    ],
)
def test_titles_that_dispute_nothing(title: str) -> None:
    """Questions, requests and other faults are no disputes."""
    assert dispute(title) == ""
