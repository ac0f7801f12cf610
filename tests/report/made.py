"""Audits made for the tests of reporters: findings with any message, at any place, in subjects of any kind."""

from __future__ import annotations

import dataclasses
import unicodedata
from pathlib import Path
from statistics import NormalDist
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
from cardcheck.spotcheck.panel import Level
from cardcheck.spotcheck.result import Point, PublicTask, SpotCheck
from cardcheck.spotcheck.statistics import Interval
from cardcheck.spotcheck.verdict import Kind, Outcome, verdict
from cardcheck.spotcheck.verdict import judged as judged_together
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
ERRORS: dict[Kind, float] = {"residual": 6.1, "split": 1.3, "rewording": 1.6, "reproduction": 0.5}  # standard errors, in points


def test_of(kind: Kind, gap: float) -> Outcome:
    """Return the outcome of a test that found this difference, not yet judged."""
    error, alone = ERRORS[kind], kind == "residual"
    return Outcome(
        kind, "heldout-en-1" if alone else "SciFact", gap, Interval(gap - 2 * error, gap + 2.5 * error), NormalDist().cdf(-gap / error),
        3 * error, error, 180 if alone else 300, 0 if kind == "reproduction" else 7,
    )  # fmt: skip


def public_task(rerun: float | None) -> PublicTask:
    """Return the public task, with a score that is published by so much above the one measured, or none."""
    here = {"test": 64.5, "other": 63.2, "reworded": 59.9}
    if rerun is None:
        return PublicTask("SciFact", "fedcba9876543210" * 4, 5183, here, None, "")
    return PublicTask("SciFact", "fedcba9876543210" * 4, 5183, here, 64.5 + rerun, "the card's model-index")


def residual_of(gap: float) -> statistics.Residual:
    """Return the held-out residual that is so far above zero, where 66.3 is measured."""
    expected, around = Interval(57.9 + gap, 72.6 + gap), Interval(gap - 9, gap + 10)
    return statistics.Residual("consistent", 66.3 + gap, expected, gap, around, 14.9, 3.1, 4.2, 6.1, 5, 0.5, "")


def check(gaps: dict[Kind, float], settle: str = "") -> SpotCheck:
    """Return the spot check of a model that was measured, with a test for each of the `gaps` (test → points), judged as they are.

    Without a residual there are no published scores, without the others no public task.
    """
    tests = judged_together([test_of(kind, gaps[kind]) for kind in ERRORS if kind in gaps])
    public = public_task(gaps.get("reproduction")) if set(gaps) - {"residual"} else None
    return SpotCheck(
        "done",
        verdict=verdict(tests),
        settle=settle,
        set_name="heldout-en-1",
        set_hash="0123456789abcdef" * 4,
        documents=600,
        queries=180,
        measured=66.3,
        measured_interval=Interval(61.1, 71.4),
        published={"SciFact": 64.5} if "residual" in gaps else {},
        source="the card's model-index" if "residual" in gaps else "",
        panel=Level(44.1, 0.1, {"SciFact": 64.5}, "the card's model-index") if "residual" in gaps else None,
        residual=residual_of(gaps["residual"]) if "residual" in gaps else None,
        references=[Point("acme/a", "", 43.8, 66.3, "the leaderboard"), Point("acme/b", "8 bits", 52.1, 76.0, "the leaderboard")],
        encoding={
            "assumed_mean_pooling": False,
            "load_s": 2.1,
            "encode_s": 38.4,
            "dimension": 384,
            "max_seq_length": 256,
            "threads": 2,
            "torch": "2.9",
            "device": "cpu",
            "dtype": "float32",
            "similarity": "cosine",
            "prompts": {"query": "query: "},
        },
        isolation={"network": True},
        search_s=0.012,
        per_query={"q1": 0.5},
        tests=tests,
        public=public,
        no_public="" if public else "the data set mteb/scifact cannot be had: it is not in the local cache",
        public_queries=1400 if public else 0,
    )


HONEST: dict[Kind, float] = {"residual": 1.6, "split": 0.4, "rewording": -0.7, "reproduction": 0.1}
# Every shape that a spot check has: its name, and what it found.
CHECKS: dict[str, SpotCheck] = {
    "consistent": check(HONEST),
    "unexplained by the residual": check(HONEST | {"residual": 26.4}),
    "unexplained by the split": check(HONEST | {"split": 8.1}),
    "unexplained by the rewording": check(HONEST | {"rewording": 9.3}),
    "unexplained by the reproduction": check(HONEST | {"reproduction": 6.7}),
    "unexplained by all": check({"residual": 26.4, "split": 8.1, "rewording": 9.3, "reproduction": 6.7}),
    "no public task": check({"residual": 1.6}, "more reference models would settle it"),
    "no published score": check({"split": 0.4, "rewording": -0.7}),
    "too few references": check({"residual": 1.6, "reproduction": 0.1}),
    "nothing to compare with": check({}, "published scores would settle it"),
    "skipped": SpotCheck("skipped", "torch is not installed", settle="measuring the model would settle it"),
    "failed": SpotCheck("failed", "the model cannot be run", settle="a model that can be run would settle it"),
}
PROMPTS = "the card tells prompts in words alone, which a rerun cannot take over"
CHECKS["prompts in words"] = dataclasses.replace(
    check({"residual": 1.6, "split": 0.4, "rewording": -0.7}),
    public=dataclasses.replace(public_task(0.1), left_out={"reproduction": PROMPTS}),
)
TRAINED = "SciFact's training queries are declared as training data"
CHECKS["trained on the train split"] = dataclasses.replace(
    check({"residual": 1.6, "split": 0.4, "reproduction": 0.1}),
    public=dataclasses.replace(public_task(0.1), left_out={"rewording": TRAINED}),
)
CHECKS["scores on training data"] = dataclasses.replace(CHECKS["consistent"], published={"SciFact": 64.5, "NFCorpus": 31.6})
DONE = CHECKS["unexplained by the residual"]
VERDICTS = {"unexplained": DONE, "inconclusive": CHECKS["failed"], "consistent": CHECKS["consistent"]}


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
    source = dataclasses.replace(public_task(0.1), source=text)
    measured = dataclasses.replace(CHECKS["too few references"], public=source, same_weights_as=text)
    unmeasured = dataclasses.replace(CHECKS["nothing to compare with"], no_public=text, settle=text)
    named = Subject(text, "folder", Path("models") / (text.replace("/", "").replace("\0", "")[:200] or "x"))
    return Run(
        "lint",
        [
            audit(*judgements, subject=named, remarks=(remark,), facts=judged(text), spotcheck=measured),
            hub(*judgements, remarks=(remark,), spotcheck=check),
            audit(
                failed(finding(text, Location("."))),
                subject=Subject("a.py", "application", Path(), only=(f"{text}.py", "b.py")),
                spotcheck=unmeasured,
            ),
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
