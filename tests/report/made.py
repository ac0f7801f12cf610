"""Audits made for the tests of reporters: findings with any message, at any place, in subjects of any kind."""

from __future__ import annotations

import dataclasses
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardcheck.engine.evaluate import Finding, Judgement, Silenced
from cardcheck.engine.library import load_rules
from cardcheck.engine.suppress import Remark
from cardcheck.facts import Facts
from cardcheck.facts.located import Location
from cardcheck.facts.model import Source
from cardcheck.facts.overlap import add_verdict
from cardcheck.pipeline import Audit, Run
from cardcheck.spotcheck import statistics
from cardcheck.spotcheck.check import Point, SpotCheck
from cardcheck.spotcheck.panel import Level
from cardcheck.spotcheck.statistics import Interval
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from cardcheck.engine.rule import Rule, Severity

RULES = load_rules()
HOSTILE = [
    "\x1b[31mred\x1b[0m\x9b1m",
    "::set-output name=a::b",
    "a\n::error file=x::injected",
    "a\r\n::stop-commands::x",
    "##[add-mask]a ##vso[task.setvariable variable=a]b",
    "a]]>b<!--c",
    "| a | \\| b |",
    "` `` ``` a",
    "``",
    "\\",
    "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;",
    "@octocat and @org/team, #1, GH-1, a@b.example",
    "[text](https://evil.example) https://evil.example www.evil.example <https://evil.example>",
    "**bold** _it_ ~~no~~ # head $x$ :tada:",
    "%0A::error::x%25",
    "a,line=9::b:c",
    "\ud800 and \udcff",
    "\x00\x0b\x1f\x7f\ufffe\uffff",
    "\u202e\u2066\u200b\u2028\u2029\x85",
    "x" * 10_000,
    "|" * 10_000,
    "`" * 10_000,
    "{0} {MODEL} {{",
    "日本語 🤗",
    "",
    " ",
]
DONE = SpotCheck(
    "done",
    verdict="unexplained",
    set_name="heldout-en-1",
    set_hash="0123456789abcdef" * 4,
    documents=600,
    queries=180,
    measured=39.4,
    measured_interval=Interval(34.1, 44.6),
    panel=Level(44.1, 0.1, {"SciFact": 64.5}, "the card's model-index"),
    residual=statistics.Residual("unexplained", 65.8, Interval(57.9, 72.6), 26.4, Interval(17.2, 35.1), 14.9, 3.1, 4.2, ""),
    references=[Point("acme/a", "", 43.8, 66.3, "the leaderboard")],
    encoding={
        "assumed_mean_pooling": False,
        "load_s": 2.1,
        "encode_s": 38.4,
        "device": "cpu",
        "dtype": "float32",
        "similarity": "cosine",
        "prompts": {"query": "query: "},
    },
    isolation={"network": True},
    search_s=0.012,
)
VERDICTS = {
    "unexplained": DONE,
    "inconclusive": SpotCheck("failed", "the model cannot be run", settle="a model that can be run would settle it"),
    "consistent": dataclasses.replace(DONE, verdict="consistent"),
}


def rule(number: int = 0, severity: Severity = "warning", **changes: Any) -> Rule:
    """Return one of the packaged rules with another severity."""
    return dataclasses.replace(RULES[number], severity=severity, **changes)


def finding(message: str = "a message", location: Location | None = None, **changes: Any) -> Finding:
    """Return a finding, by default in line 3 of README.md."""
    by = changes.pop("rule", None) or rule()
    return Finding(by, message, location or Location("README.md", 3, 5), key=f"{by.id} {message} {location}", **changes)


def failed(*findings: Finding, more: int = 0) -> Judgement:
    """Return the judgement of a rule that has these findings."""
    return Judgement(findings[0].rule, "fail", findings=findings, more=more)


def audit(*judgements: Judgement, **changes: Any) -> Audit:
    """Return an audit of the folder `model` with these judgements."""
    subject = changes.pop("subject", Subject("model", "folder", Path("model")))
    return Audit(subject, changes.pop("facts", None) or Facts(), list(judgements), **changes)


def hub(*judgements: Judgement, **changes: Any) -> Audit:
    """Return an audit of a repository at the Hub."""
    subject = Subject("acme/ours", "hub", Path("/cache/snapshots/0123abc"), "acme/ours", "0123abc")
    return audit(*judgements, subject=subject, **changes)


def silenced() -> Judgement:
    """Return a judgement of which a comment, the settings and the baseline silence a finding each."""
    by = rule(1)
    ways = [Silenced(finding(f"silenced by {way}", rule=by), way, f"reason of {way}") for way in ("comment", "settings", "baseline")]
    return Judgement(by, "pass", silenced=ways)


def everything(text: str = "a message") -> Run:
    """Return a run in which `text` stands wherever a subject has a say."""
    place = Location(f"sub/{text.replace('/', '')}.md", 2, 3)
    judgements = [
        failed(finding(text, place, source_line=text), finding(f"{text}!", Location("README.md")), more=7),
        failed(finding(text, rule=rule(2, "error"))),
        failed(finding(text, rule=rule(3, "note"), edit=("old", "new"))),
        Judgement(rule(4), "unknown", f"weights: {text}"),
        Judgement(rule(5), "not_applicable", text),
        Judgement(rule(6), "pass", silenced=[Silenced(finding(text, rule=rule(6)), "comment", text)]),
    ]
    remark = Remark(place, text)
    check = SpotCheck("failed", f"OSError: {text}", settle="a model that can be run would settle it")
    named = Subject(text, "folder", Path("models") / (text.replace("/", "").replace("\0", "")[:200] or "x"))
    return Run(
        "lint",
        [
            audit(*judgements, subject=named, remarks=(remark,), facts=judged(text)),
            hub(*judgements, remarks=(remark,), spotcheck=check),
            audit(failed(finding(text, Location("."))), subject=Subject("a.py", "application", Path(), only=(f"{text}.py", "b.py"))),
            audit(),
        ],
    )


def all_texts(value: Any) -> list[str]:
    """Return every text in plain values, keys among them."""
    if isinstance(value, dict):
        return [text for pair in value.items() for text in all_texts(list(pair))]
    return [text for item in value for text in all_texts(item)] if isinstance(value, list) else [value] if isinstance(value, str) else []


def harmful(text: str, allowed: str = "") -> list[str]:
    """Return the characters that steer a terminal or hide; the joiners, which people need, are none of them."""
    hidden = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return [
        hex(ord(character)) for character in text if unicodedata.category(character) in hidden and character not in f"\u200c\u200d{allowed}"
    ]


def judged(text: str = "acme/pairs", **changes: Any) -> Facts:
    """Return facts of a subject of which two benchmarks were judged; `text` stands wherever a subject has a say."""
    facts, place = Facts(), Location("README.md", 4, 3)
    facts.sources["overlap"] = Source("known")
    facts.set("overlap.annotation", "listed")
    add_verdict(
        facts, place, benchmark="BEIR", verdict="declared overlap", tasks=15, overlapping=1, zero_shot=100, mended=100, ours=93,
        **{"why": "mteb leaves out tasks: 1 that the card alone declares", "ways": [f"front matter → {text} → FEVER"], **changes},
    )  # fmt: skip
    add_verdict(facts, place, benchmark="RTEB(beta)", verdict="cannot be verified", tasks=30, unclear=2, private=13, ours=100)
    path = {"origin": "front matter", "name": text, "relation": "same", "split": "other", "path": f"front matter → {text} → FEVER"}
    facts.add("overlap.tasks", place, task="FEVER", **path)
    facts.add("overlap.unrecognised", place, name=text, origin="text", problem="unknown", meant=None, why="")
    facts.add("overlap.parents", place, id=text, via="base_model", depth=1, state="unknown")
    return facts
