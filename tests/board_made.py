"""Reports on a board, made by hand: as hostile or as plain as a test wants them."""

from __future__ import annotations

from dataclasses import replace

from cardcheck.report.board.records import Cell, Change, Changes, Finding, Model, Report

# What a model may be called by whoever registers it, or say through its results.
EVIL = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "=cmd|' /C calc'!A0",
    "\u202egnp.exe\x1b[31m\x00\ufffe",
    "`|`` @someone [x](javascript:alert(1)) \\|",
    "-->]]>&amp;\u2028::error::x ##[group]x",
    "'\"/><svg onload=alert(1)>",
)


def finding(text: str = "SciFact is published at 95.0, where 60.0 is expected", **fields: str) -> Finding:
    """Return a finding."""
    given = {"rule": "CC701", "name": "cell-high", "severity": "warning", "confidence": "medium", "task": "SciFact", "key": "CC701:SciFact"}
    return Finding(message=text, evidence=("the line that it rests on",), **(given | fields))


def model(name: str, place: int | None = 1, score: float | None = 0.7, *, group: int = 1, half: float = 0.05) -> Model:
    """Return a model at a place in both orders, whose score has an interval of twice `half`."""
    firm, ranked = score is not None and half <= 0.1, place is not None
    return Model(
        model=name, revision="a" * 40, place=place, group=group if ranked else None, mean=0.7 - (place or 0) / 1000 if ranked else None,
        tasks=2 if ranked else 0, credible_place=place if firm else None, score=score, low=None if score is None else score - half,
        high=None if score is None else score + half, results=12, retrieval=8, private=0, strongest=("SciFact",),
        why=("nothing is said of its training data",), findings=(), unknown={}, cells=(Cell("SciFact", 0.95, 0.6, 0.5, 0.7, 4.2),),
        scores={"SciFact": 0.95, "ArguAna": 0.5}, memory=100.0 * (place or 1), parameters=22_000_000, dimension=384, max_tokens="512",
        license="mit",
    )  # fmt: skip


def report(*models: Model, date: str = "2026-08-20", board: str = "MTEB(eng, v2)") -> Report:
    """Return a report of these models."""
    return Report(board, date, "results", "2026-08-20T10:00:00+00:00", 100, ("ArguAna", "SciFact"), ("2 groups",), models, None, "0.1.0")


def hostile() -> Report:
    """Return a report whose every text tries to get out of where it is put, in models, findings, tasks and changes."""
    models = []
    for at, evil in enumerate(EVIL):
        found = Finding(evil, evil, "warning", evil, evil, (evil,), evil, evil)
        whole = model(f"acme/{evil}", at + 1, 0.8 - at / 50)
        models.append(
            replace(
                whole, model=evil if at % 2 else whole.model, revision=evil, strongest=(evil,), why=(evil,), findings=(found,),
                unknown={evil: evil}, cells=(Cell(evil, 0.9, 0.5, 0.4, 0.6, 3.0),), scores={evil: 0.5}, license=evil, max_tokens=evil,
            )
        )  # fmt: skip
    changes = Changes(EVIL[0], "2026-05-20", EVIL[3], tuple(Change("new model", evil, evil, severity=evil) for evil in EVIL), EVIL)
    return replace(report(*models, board=EVIL[0]), source=EVIL[1], synced=EVIL[2], notes=EVIL, changes=changes)


def many(count: int = 1000) -> Report:
    """Return a report of so many models; each third has a finding, each fifth no official place, each seventh no firm score."""
    models = []
    for at in range(count):
        made = model(
            f"owner{at % 40}/model-{at}", None if at % 5 == 0 else at + 1, 0.9 - at / (2 * count), half=0.3 if at % 7 == 0 else 0.04
        )
        grave = ("error", "warning", "note")[at % 3]
        cells = tuple(Cell(f"Task{number}", 0.5 + number / 50, 0.5, 0.4, 0.6, number / 4) for number in range(12))
        found = (finding(severity=grave, rule=f"CC70{at % 9}", name=f"rule-{at % 9}"),) if at % 3 == 0 else ()
        models.append(replace(made, findings=found, cells=cells, unknown={"CC709": "no answer"} if at % 2 else {}))
    return report(*models)
