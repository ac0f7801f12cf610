"""The HTML report."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from bs4 import BeautifulSoup
from made import CHECKS as SHAPES
from made import check as check_of

from cardcheck.engine.evaluate import Finding, Judgement
from cardcheck.engine.library import load_rules
from cardcheck.facts.located import Location
from cardcheck.pipeline import Audit, lint
from cardcheck.pipeline import Run as RunOf
from cardcheck.report import words
from cardcheck.report.chart import differences, scatter
from cardcheck.report.html import SHOWN
from cardcheck.report.html import render as render_run
from cardcheck.spotcheck.panel import Level
from cardcheck.spotcheck.result import Point, SpotCheck

if TYPE_CHECKING:
    from pathlib import Path

EVIL = "\u202e\x1b[31m<script>alert('x')</script>\"&"
POINTS = [
    Point("sentence-transformers/all-MiniLM-L6-v2", "as published", 43.8, 66.3, "the leaderboard"),
    Point("BAAI/bge-small-en-v1.5", "8 bits", 52.1, 76.0, "the leaderboard"),
    Point("BAAI/bge-base-en-v1.5", "", 54.0, 79.1, "the leaderboard"),
    Point("acme/a-name-that-is-longer-than-any-label", "a hash of each word", 4.0, 29.1, "measured by cardcheck"),
]
UNEXPLAINED = dataclasses.replace(
    SHAPES["unexplained by the split"],
    published={"SciFact": 64.5, "ArguAna": 50.2},
    source="the card's model-index",
    panel=Level(44.1, 0.1, {"SciFact": 64.5, "ArguAna": 50.2}, "the card's model-index"),
    references=POINTS,
    same_weights_as="acme/original",
)
CHECKS = SHAPES | {
    "crowded": UNEXPLAINED,
    "no references": dataclasses.replace(UNEXPLAINED, verdict="inconclusive", panel=None, residual=None, references=[]),
    "failed by a stranger": SpotCheck("failed", f"OSError: {EVIL}", settle="a model that can be run would settle it"),
}


def render(audit: Audit, *, now: datetime | None = None) -> str:
    """Return the page of one audit."""
    return render_run(RunOf("audit", [audit]), now=now)


def _hostile(folder: Path) -> Audit:
    """Return an audit of a folder whose name, card and configuration all try to get out of the page."""
    model = folder / f'"model" & <b>{EVIL.replace("/", "")}'
    model.mkdir()
    card = f"---\nlicense: [{EVIL}\n---\n# {EVIL}\n\n| {EVIL} |\n|---|\n\n[a](javascript:alert(1)) {EVIL * 40} {{MODEL_NAME}}\n"
    (model / "README.md").write_text(card + "[More Information Needed] <img src=x onerror=alert(1)>\n" * 30, encoding="utf-8")
    (model / "config.json").write_text(f'{{"auto_map": {{"AutoModel": "{EVIL}"', encoding="utf-8")
    (model / "pytorch_model.bin").write_bytes(b"x")
    return lint(model)


def _plain(folder: Path) -> Audit:
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Ours\n\nA model.\n", encoding="utf-8")
    return lint(folder)


def _text(page: str) -> str:
    """Return what a reader sees, blanks made one."""
    return " ".join(BeautifulSoup(page, "html.parser").get_text().split())


@pytest.mark.parametrize("check", [None, *CHECKS.values()], ids=["none", *CHECKS])
def test_hostile_strings_are_shown_and_do_nothing(tmp_path: Path, check: SpotCheck | None) -> None:
    """Whatever a subject is called or says, the page has no script, no control character and no image."""
    if check:
        point = Point(f"acme/{EVIL}", EVIL, 30.0, 50.0, EVIL)
        check = dataclasses.replace(check, references=[point, *check.references], same_weights_as=EVIL)
        if check.panel:
            check.panel = Level(44.1, 0.1, {EVIL: 64.5}, EVIL)
        if check.public:
            check.public = dataclasses.replace(check.public, source=EVIL, left_out={"rewording": EVIL})
        check.no_public = EVIL
        if check.encoding:
            check.encoding = {**check.encoding, "dtype": EVIL, "prompts": {"query": EVIL}}
    page = render(dataclasses.replace(_hostile(tmp_path), spotcheck=check))
    assert "<script" not in page.lower()
    assert "<img" not in page
    assert not [character for character in page if not character.isprintable() and character != "\n"]
    assert "\\u202e\\x1b[31m<script>alert('x')" in _text(page)
    soup = BeautifulSoup(page, "html.parser")
    assert not [name for tag in soup.select("*") for name in tag.attrs if name.startswith("on")]
    assert not [tag for tag in soup.find_all(href=True) if "javascript" in str(tag["href"])]


def test_only_addresses_of_the_web_become_links(tmp_path: Path) -> None:
    """A rule's reference is a link with rel where it is http or https, and text otherwise."""
    web = 'https://example.org/a?b=1&c="2"'
    rule = dataclasses.replace(load_rules()[0], references=(web, "javascript:alert(1)", "https://a.b/\u202e", " https://c.d"))
    finding = Finding(rule, "message", Location("README.md"))
    page = render(dataclasses.replace(_plain(tmp_path), judgements=[Judgement(rule, "fail", findings=[finding])]))
    links = [tag for tag in BeautifulSoup(page, "html.parser").find_all("a") if not str(tag["href"]).startswith("#")]
    assert [(tag["href"], tag["rel"]) for tag in links] == [(web, ["noopener", "noreferrer"])]
    assert "javascript:alert(1)" in _text(page)


@pytest.mark.parametrize("check", [None, *CHECKS.values()], ids=["none", *CHECKS])
def test_one_file_with_landmarks(tmp_path: Path, check: SpotCheck | None) -> None:
    """The page refers to nothing outside, has one h1, headings without gaps, and labels that exist."""
    page = render(dataclasses.replace(_plain(tmp_path), spotcheck=check))
    soup = BeautifulSoup(page, "html.parser")
    assert not soup.find_all(["script", "link", "img", "iframe", "object"])
    assert not soup.find_all(src=True)
    assert "url(" not in page
    assert "@import" not in page
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    assert policy
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"
    assert all(len(soup.find_all(name)) == 1 for name in ("header", "nav", "main", "footer", "h1"))
    levels = [int(tag.name[1]) for tag in soup.find_all(["h1", "h2", "h3"])]
    assert all(after <= before + 1 for before, after in zip([0, *levels], levels, strict=False))
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    wanted = [str(tag["href"])[1:] for tag in soup.select('a[href^="#"]')]
    wanted += [name for tag in soup.select("[aria-labelledby]") for name in str(tag["aria-labelledby"]).split()]
    assert set(wanted) <= set(ids)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_spot_check_in_the_words_of_the_text_report(tmp_path: Path, check: SpotCheck) -> None:
    """Whatever became of the spot check, the page gives its verdict, and for a measured model how it was run."""
    text = _text(render(dataclasses.replace(_plain(tmp_path), spotcheck=check)))
    assert check.verdict in text
    if check.status == "done":
        assert words.panel(check) in text
        assert " ".join(words.encoding(check).split()) in text
        assert "66.3" in text
    assert check.status == "failed" or words.verdict(check) in text


@pytest.mark.parametrize("check", SHAPES.values(), ids=SHAPES)
def test_every_test_has_a_row_and_a_mark(tmp_path: Path, check: SpotCheck) -> None:
    """Each test that was run has a row with all that is known of it and a mark in the picture; each that was not has its reason."""
    page = render(dataclasses.replace(_plain(tmp_path), spotcheck=check))
    rows = [" ".join(row.get_text(" ").split()) for row in BeautifulSoup(page, "html.parser").select(".tests tbody")]
    assert len(rows) == len(check.tests)
    for row, test in zip(rows, check.tests, strict=True):
        name, on, *cells = words.test_cells(test)
        assert row.startswith(f"{name} on {on} ")
        assert not [cell for cell in cells if cell not in row]
    assert page.count('class="least"') == len(check.tests)
    assert not [line for line in words.left_out(check) if line not in _text(page)]


def test_public_task_has_its_scores(tmp_path: Path) -> None:
    """What was measured of the public task stands beside what is published of it."""
    text = _text(render(dataclasses.replace(_plain(tmp_path), spotcheck=SHAPES["unexplained by the reproduction"])))
    for part in ("SciFact test queries; published by the card's model-index 64.5 published 71.2", "other queries 63.2", "words 59.9"):
        assert part.replace(" ", "") in text.replace(" ", "")


def test_spot_check_numbers(tmp_path: Path) -> None:
    """The page has the measured and expected scores, every reference model and the panel scores."""
    text = _text(render(dataclasses.replace(_plain(tmp_path), spotcheck=UNEXPLAINED)))
    for part in ("61.1 to 71.4", "67.9", "59.5 to 74.2", "byte for byte, those of acme/original"):
        assert part in text
    for point in POINTS:
        for part in (point.id, point.note, f"{point.level:.1f}", f"{point.heldout:.1f}", point.source):
            assert part in text
    assert "SciFact64.5" in text
    assert "held-out set heldout-en-1 (SHA-256 0123456789ab…)" in text


def test_every_finding_is_explained(tmp_path: Path) -> None:
    """Each failed rule comes with place, message, why, fix, references and page, the gravest first."""
    rules = load_rules()
    location = Location("README.md", 3, 5)
    judgements = [Judgement(rule, "fail", findings=[Finding(rule, f"what {rule.id} found", location, "key: value")]) for rule in rules]
    page = render(dataclasses.replace(_plain(tmp_path), judgements=judgements))
    text = _text(page)
    for rule in rules:
        said = (
            f"what {rule.id} found",
            rule.why,
            rule.fix,
            rule.page,
            f"cardcheck rules explain {rule.id}",
            *rule.references,
        )
        assert not [part for part in said if " ".join(part.replace("`", "").split()) not in text]
    assert "README.md:3:5" in text
    severities = [tag.get_text() for tag in BeautifulSoup(page, "html.parser").select("h3 .badge")]
    assert severities == sorted(severities, key=("error", "warning", "note").index)
    assert len(severities) == len(rules)


@pytest.mark.parametrize(
    ("line", "column", "marked"),
    [("key: value", 6, "v"), ("a" * 100 + "b" + "c" * 100, 101, "b"), ("\x1b\u202e!", 3, "!"), ("short", 99, None)],
)
def test_caret_stands_under_the_place(tmp_path: Path, line: str, column: int, marked: str | None) -> None:
    """The caret points at the column, also in a line that was cut or has hidden characters."""
    rule = load_rules()[0]
    finding = Finding(rule, "message", Location("README.md", 7, column), line)
    page = render(dataclasses.replace(_plain(tmp_path), judgements=[Judgement(rule, "fail", findings=[finding])]))
    pre = BeautifulSoup(page, "html.parser").pre
    assert pre
    source, caret = pre.get_text().split("\n")
    assert source[caret.index("^") : caret.index("^") + 1] == (marked or "")
    assert len(source) < 110


def test_many_findings_of_a_rule_are_counted(tmp_path: Path) -> None:
    """Of one rule's findings the page shows the first and counts the rest."""
    rule = load_rules()[0]
    findings = [Finding(rule, f"finding {number};", Location("README.md", number + 1)) for number in range(SHOWN + 2)]
    judged = Judgement(rule, "fail", findings=findings, more=5)
    text = _text(render(dataclasses.replace(_plain(tmp_path), judgements=[judged])))
    assert f"finding {SHOWN - 1};" in text
    assert f"finding {SHOWN};" not in text
    assert "and 7 more" in text


def test_what_was_not_checked_is_said(tmp_path: Path) -> None:
    """Rules without an outcome are listed with their reasons and are no pass."""
    rule = load_rules()[0]
    text = _text(render(dataclasses.replace(_plain(tmp_path), judgements=[Judgement(rule, "unknown", "weights: <damaged>")])))
    assert "Not checked" in text
    assert "Unknown is not a pass" in text
    assert f"{rule.id} {rule.name}weights: <damaged>" in text
    assert "no findings" in text


def test_date_is_in_utc(tmp_path: Path) -> None:
    """The page is dated with the moment that was passed in."""
    page = render(_plain(tmp_path), now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert '<time datetime="2026-01-02T03:04:05Z">2026-01-02 03:04 UTC</time>' in page


@pytest.mark.parametrize("check", [check for check in CHECKS.values() if check.status == "done"])
def test_chart_is_well_formed(check: SpotCheck) -> None:
    """The picture is XML with a title, a text alternative and a dot a reference model, whatever the models are called."""
    odd = Point(f"acme/{EVIL}", EVIL, 99.9, 0.1, EVIL)
    svg = ET.fromstring(scatter(dataclasses.replace(check, references=[*check.references, odd])))  # noqa: S314  # our own
    space = "{http://www.w3.org/2000/svg}"
    assert svg[0].tag == f"{space}title"
    assert "66.3" in (svg.findtext(f"{space}desc") or "")
    assert len(svg.findall(f"{space}circle")) == len(check.references) + 1
    assert (svg.find(f".//{space}path[@class='subject']") is not None) == (check.residual is not None)
    assert (svg.find(f"{space}line[@class='measured']") is not None) == (check.residual is None)


def test_chart_labels_do_not_overlap() -> None:
    """Labels of reference models that lie close together stand at different places."""
    crowd = [Point(f"acme/model-{number}", "", 40.0 + number / 10, 60.0, "") for number in range(6)]
    svg = ET.fromstring(scatter(dataclasses.replace(UNEXPLAINED, references=[*POINTS, *crowd])))  # noqa: S314  # our own
    places = [(text.get("x"), text.get("y")) for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("check", [check for check in CHECKS.values() if check.tests])
def test_tests_stand_on_one_axis(check: SpotCheck) -> None:
    """The picture of the tests is XML with a text alternative, and marks and zero lie in it where the axis says."""
    svg = ET.fromstring(differences(check))  # noqa: S314  # our own
    space = "{http://www.w3.org/2000/svg}"
    told = svg.findtext(f"{space}desc") or ""
    assert not [test for test in check.tests if words.tested(test) not in told]
    ticks = [(float(text.get("x", "nan")), float(text.text or "nan")) for text in svg.findall(f"{space}text[@class='tick']")]
    (first, low), (last, high) = ticks[0], ticks[-1]
    scale = (last - first) / (high - low)
    (zero,) = svg.findall(f"{space}line[@class='zero']")
    assert float(zero.get("x1", "nan")) == pytest.approx(first - low * scale, abs=0.1)
    for kind, points in (("subject", {test.statistic for test in check.tests if test.rejected}),
                         ("open", {test.statistic for test in check.tests if not test.rejected}),
                         ("least", {test.detectable for test in check.tests})):  # fmt: skip
        marks = [str(path.get("d")).split()[0].removeprefix("M") for path in svg.iter(f"{space}path") if path.get("class") == kind]
        assert sorted(map(float, marks)) == pytest.approx(sorted(first + (point - low) * scale for point in points), abs=0.1)


@pytest.mark.parametrize("gap", [-99.0, -2.0, 0.0, 2.0, 99.0])
def test_no_difference_leaves_the_picture(gap: float) -> None:
    """However wide a difference, its mark and its interval lie inside the picture, and the axis has few steps."""
    svg = ET.fromstring(differences(check_of({"residual": gap, "split": 0.4})))  # noqa: S314  # our own
    width = float(svg.get("viewBox", "").split()[2])
    space = "{http://www.w3.org/2000/svg}"
    places = [float(number) for path in svg.iter(f"{space}path") for number in re.findall(r"[MH](-?[\d.]+)", str(path.get("d")))]
    assert len(places) == 8
    assert min(places) >= 0
    assert max(places) <= width
    assert len(svg.findall(f"{space}text[@class='tick']")) <= 10
