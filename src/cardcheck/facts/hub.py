"""What the Hub says of the model itself: its state, its scan, when it changed by the titles of commits, and what people dispute."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING

from cardcheck.facts.located import Location
from cardcheck.facts.model import Source
from cardcheck.facts.outside import asked
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.facts.model import Facts
    from cardcheck.net.answers import Commit, Discussion, Model, Outside, Scan

NO_ID = Source("absent", "the subject has no Hub id")
OWN = ("scan", "history", "disputes")  # questions that only a model that exists can answer
MAX_TITLE = 200
MAX_LOOKED_AT = 500  # commits, discussions or files of one model
MAX_TAGS = 300
MAX_COUNT = 10**12

# Titles of commits. The API tells no more of a commit than its title, so that all that follows from it is weak evidence.
RESULTS = Pattern(
    r"(?<![a-z])(?:model[-_ ]?index|readme|(?:model[-_ ]?)?card|c?-?mteb|beir|eval\w{0,12}|results?|scores?|benchmark\w{0,3}|metrics?"
    r"|leaderboard|metadata)(?![a-z])|评测|评估|结果|指标|分数|榜",
    re.IGNORECASE,
)
# Whole folders and what training programs push: weights and card may both be in it, so that both count as changed.
ALL = Pattern(
    r"^(?:upload (?:folder|model and|\d{1,4} files)|add (?:new )?\w{1,40} model|model save|end of training|first commit|initial (?:release"
    r"|upload|model)|super-squash|(?:update|new|release):? v\d)",
    re.IGNORECASE,
)
WEIGHTS = Pattern(
    r"\b(?:weights?|checkpoints?|ckpt|safetensors|pytorch_model)\b|\.(?:safetensors|bin|pth?|ckpt)\b|^training in progress"
    r"|^(?:upload|push(?:ed)?|update|replace|add)(?: the| new| final| best)? (?:model|\w{2,40}(?:Model|ForMaskedLM|Classification))$"
    r"|权重|检查点",
    re.IGNORECASE,
)
# The same weights in another format or place, or something beside them.
UNCHANGED = Pattern(
    r"variant|onnx|openvino|gg(?:uf|ml)|quanti[sz]|int[48]|(?:fp|bf|float)_?16|half|convert|conversion|tensorflow|(?<![a-z])tf(?![a-z])"
    r"|flax|jax|rust|core_?ml|remov|delet|renam|mov(?:e|ing)|tokenizer|readme|card|shard|\blink|typo|转换|量化|删除",
    re.IGNORECASE,
)

# Titles of discussions. A published result has to stand beside a word of dispute: "similarity scores are too high" disputes none.
BOARD = r"(?:c-?mteb|mm?teb|rteb|beir|benchmarks?|leaderboard)"
NUMBERS = r"(?:results?|scores?|numbers|metrics?|performance|accuracy|values)"
RESULT = (
    rf"(?:\b{BOARD}|\bndcg(?:@10)?|\b(?:evaluation|eval|reported|claimed|published|model[- ]card|your) {NUMBERS}"
    r"|\b(?:as|was|is|those) (?:reported|claimed|published))\b"
)
WRONG = (
    r"(?:\bmis-?match\w{0,4}|\bdiscrepanc\w{1,4}|\binconsisten\w{1,4}|\b(?:do(?:es)?|did)(?:n['\u2019]?t| not) (?:match|add up|agree)"
    r"|\bincorrect|\bwrong|\bfake|\bcheat\w{0,4}|\binflated|\bmislead\w{1,4}|\b(?:lower|worse) than|\bnot (?:match\w{0,3}|accurate))"
)
CANNOT = (
    r"(?:can(?:['\u2019]?t|not| not)|couldn['\u2019]?t|could not|unable to|not able to|fail(?:ed|s|ing|ure)? (?:to|in|at)|impossible to"
    r"|trouble|difficulty|problems?(?: in)?|issues?(?: in)?)"
)
TESTS = rf"(?:tests?|test[- ]?sets?|{BOARD})\b"
DISPUTES = {
    "results": (
        rf"\b{CANNOT}(?: \w{{1,15}})? (?:reproduc|replicat)\w{{1,4}}|\b(?:not|non-?|ir)\s?reproducible"
        rf"|\breproducib\w{{1,6}} (?:issue|problem|concern|fail)|{RESULT}[^.]{{0,40}}?{WRONG}|{WRONG}[^.]{{0,30}}?{RESULT}"
        rf"|\b(?:lower|worse) than (?:\w{{1,12}} ){{0,3}}(?:paper|reported|claimed|published)\b"
        rf"|\boverfit\w{{0,4}} (?:to|on) (?:the )?{TESTS}"
        r"|(?:无法|不能|没法|未能|难以|無法)(?:复现|復現|重现)|复现不(?:了|出|到)|刷榜|作弊"
        r"|(?:评测|榜单|论文|报告|公布|mteb)[^。]{0,12}(?:不一致|对不上|不符|偏低|造假|有误|错误)"
    ),
    "data": (
        r"\b(?:test|benchmark|eval(?:uation)?|mteb|data)(?:[- ]?(?:set|data|split))?[- ](?:leak\w{0,4}|contaminat\w{1,4})"
        rf"|\bcontaminat(?:ed|ion)\b|\b(?:trained|fine-?tuned) on (?:the |all (?:of )?)?(?:\w{{1,20}} )?{TESTS}"
        r"|\btest (?:set|data|split) (?:in|used (?:in|for)) (?:the )?training|(?:数据|测试集?)(?:泄[露漏]|污染)"
        r"|(?:用|包含|混入|加入)了?[^。]{0,6}测试集[^。]{0,4}(?:训练|微调)(?!集)|训练(?:集|数据)?[中里]?(?:包含|含有|混入|用)了?[^。]{0,4}测试"
    ),
    "licence": (
        r"\blicen[cs](?:e|es|ing)(?: \w{1,12})? (?:conflict|violat|issue|problem|mis-?match|concern|inconsisten|incompatib|contradict"
        r"|missing|wrong|unclear|incorrect|breach)"
        r"|\b(?:violat|breach|conflict|incompatib|wrong|incorrect|missing|contradict|unclear)\w{0,8}(?: \w{1,15}){0,3} licen[cs]"
        r"|(?:许可证?|协议|版权|授权)[^。]{0,6}(?:冲突|问题|不一致|缺失|有误|侵权)|违反[^。]{0,10}(?:许可|协议)"
    ),
    "safety": (
        r"\b(?:malware|malicious (?:code|files?|payloads?|pickles?|weights)|back-?doors?|trojans?|virus(?:es)?)\b"
        r"|恶意(?:代码|软件)|后门|病毒|木马"
    ),
}
KINDS = {kind: Pattern(pattern, re.IGNORECASE) for kind, pattern in DISPUTES.items()}
SETTLED = Pattern(r"false[- ]positive|误报|\[?(?:solved|resolved|fixed)\b|已解决", re.IGNORECASE)
BOTS = Pattern(r"(?:^|[-_])bot\b|bot$|converter$", re.IGNORECASE)
BOT_TITLE = Pattern(r"^adding `?\w{1,20}`? variant of this model|^librarian bot|^\[?auto(?:mated)?\b", re.IGNORECASE)


def collect_hub(facts: Facts, outside: Outside) -> None:
    """Fill the groups `hub`, `scan`, `history` and `disputes`."""
    me: str = facts["subject.id"] or ""
    if not me:
        facts.sources |= dict.fromkeys(("hub", *OWN), NO_ID)
        return
    model = asked(facts, "hub", lambda: outside.model(me), f"the model {me}")
    if model is None:  # who does not answer the first question need not be asked three more
        # what is not there, or is private, has a state and a history that nobody tells
        facts.sources |= dict.fromkeys(("hub", *OWN), Source("unavailable", facts.sources["hub"].reason))
        return
    _state(facts, model, me)
    if (scan := asked(facts, "scan", lambda: outside.scan(me), f"the scan of {me}")) is not None:
        _scan(facts, scan)
    if (commits := asked(facts, "history", lambda: outside.commits(me), f"the commits of {me}")) is not None:
        _history(facts, commits[:MAX_LOOKED_AT])
    if (discussions := asked(facts, "disputes", lambda: outside.discussions(me), f"the discussions of {me}")) is not None:
        _disputes(facts, discussions[:MAX_LOOKED_AT])


def _state(facts: Facts, model: Model, me: str) -> None:
    if model.id.lower() != me.lower():
        facts.set("hub.renamed_to", _shown(model.id))
    for name in ("gated", "private", "disabled"):
        facts.set(f"hub.{name}", getattr(model, name))
    for name in ("downloads", "likes"):
        facts.set(f"hub.{name}", _count(getattr(model, name)))
    for name in ("created", "modified"):
        facts.set(f"hub.{name}", _shown(getattr(model, name)) or None)
    facts.set("hub.tags", [_shown(tag) for tag in model.tags[:MAX_TAGS]])
    facts.set("hub.bases", [_shown(base) for base in model.bases[:MAX_TAGS]])
    facts.set("hub.relation", _shown(model.relation) or None)
    counts = {kind: _count(number) or 0 for kind, number in model.children.items()}
    for name, kind in (("finetunes", "finetune"), ("adapters", "adapter"), ("merges", "merge"), ("quantizations", "quantized")):
        facts.set(f"hub.{name}", counts.get(kind, 0))


def _scan(facts: Facts, scan: Scan) -> None:
    """Note what the scanners found; one that is not done and found nothing says nothing yet."""
    facts.set("scan.done", scan.done)
    if not scan.done and not scan.issues:
        facts.sources["scan"] = Source("unavailable", "the Hub's scan of the files is not finished")
    known = set(facts["files.paths"])
    for path, level in scan.issues[:MAX_LOOKED_AT]:
        place = Location(path) if path in known else facts.place(("card",))
        facts.add("scan.issues", place, path=_shown(path), level=_shown(level).lower())


def _history(facts: Facts, commits: list[Commit]) -> None:
    """Note when results and weights last changed, by the titles of commits, and the days between."""
    titles = [(day, _shown(commit.title)) for commit in commits if (day := _day(commit.date))]
    # safetensors that came after pickles are most often the same weights
    alone = bool(facts["weights.safetensors"]) and not facts["weights.pickle"] and not any(".bin" in title for _, title in titles)
    results = [one for one in titles if RESULTS.search(one[1]) or ALL.search(one[1])]
    weights = [one for one in titles if _is_of_weights(one[1], alone=alone)]
    facts.set("history.commits", len(commits))
    for name, found in (("results", results), ("weights", weights)):
        if found:
            day, title = max(found, key=lambda one: one[0])
            facts.set(f"history.{name}_changed", day.isoformat())
            facts.set(f"history.{name}_title", title)
    if results and weights:
        told = max(day for day, _ in results)
        if min(day for day, _ in weights) <= told:  # else they came first with the later commit, and are those that were measured
            facts.set("history.days_after", max(0, (max(day for day, _ in weights) - told).days))


def _is_of_weights(title: str, *, alone: bool) -> bool:
    if ALL.search(title):
        return True
    if not WEIGHTS.search(title) or UNCHANGED.search(title):
        return False
    return alone or "safetensors" not in title.lower()


def _disputes(facts: Facts, discussions: list[Discussion]) -> None:
    """Note open discussions whose titles dispute something."""
    facts.set("disputes.open", len(discussions))
    for one in discussions:
        title = _shown(one.title)
        kind = "" if BOTS.search(one.author[:MAX_TITLE]) else dispute(title)
        if kind:
            facts.add("disputes.rows", facts.place(("card",)), num=_count(one.num) or 0, title=title, kind=kind, date=_shown(one.date))


def dispute(title: str) -> str:
    """Return what a title disputes: `results`, `data`, `licence` or `safety`; empty where it disputes nothing."""
    if BOT_TITLE.search(title) or SETTLED.search(title):
        return ""
    return next((kind for kind, pattern in KINDS.items() if pattern.search(title)), "")


def _shown(text: str) -> str:
    """Return a stranger's words in one line that is not too long."""
    return " ".join(text[:MAX_TITLE].split())


def _count(number: int | None) -> int | None:
    return None if number is None else max(0, min(number, MAX_COUNT))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None
