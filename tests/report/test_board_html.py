"""The page of a board: harmless whatever stands in it, small, and quick to search and sort in a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from board_made import EVIL, hostile, many, model, report
from browser import browser, needs_browser
from bs4 import BeautifulSoup

from cardcheck.report.board import html, index
from cardcheck.report.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from browser import Page

PAGES = {
    "board": lambda: html.render(hostile()),
    "changes": lambda: html.changes(hostile().changes),  # type: ignore[arg-type]  # it has some
    "index": lambda: index.html([hostile()]),
}
OURS = {"board": 2, "changes": 0, "index": 0}  # scripts


@pytest.fixture(name="page", scope="module")
def _page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium")) as opened:
        yield opened


@pytest.fixture(name="thousand", scope="module")
def _thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "board.html"
    file.write_bytes(html.render(many(1000)))
    return file


@pytest.mark.parametrize("name", PAGES)
def test_hostile_names_stay_text(name: str) -> None:
    """No name becomes an element, an attribute, a script or an address; control characters and overrides are written out."""
    text = PAGES[name]().decode()
    soup = BeautifulSoup(text, "html.parser")
    assert len(soup.find_all("script")) == OURS[name]
    assert not soup.find_all(["img", "iframe", "object", "embed", "base"])
    attributes = {key for tag in soup.select("*") for key in tag.attrs}
    assert not {key for key in attributes if key.startswith("on")}
    addresses = {str(tag[key]) for tag in soup.select("*") for key in ("href", "src") if tag.has_attr(key)}
    assert not {address for address in addresses if re.match(r"\s*(?:javascript|https?):", address)}
    assert not [character for character in text if not character.isprintable() and character not in "\n\ufffe"]
    assert visible(EVIL[0]) in soup.get_text()


def test_the_data_cannot_end_their_element() -> None:
    """The JSON in the page has no angle bracket, and gives the texts back as they are shown elsewhere."""
    soup = BeautifulSoup(html.render(hostile()).decode(), "html.parser")
    text = str(soup.find(id="data").string)  # type: ignore[union-attr]  # it is there
    assert not set("<>&") & set(text)
    assert text.isascii()
    found = json.loads(text)
    assert {values[0] for values in found["models"]} >= {visible(EVIL[1]), f"acme/{EVIL[0]}"}


def test_only_our_script_and_style_are_let_in() -> None:
    """The policy names the hash of the one script and of the one style, and allows no request."""
    soup = BeautifulSoup(html.render(report(model("a/b"))).decode(), "html.parser")
    policy = str(soup.find("meta", attrs={"http-equiv": True})["content"])  # type: ignore[index]  # it is there
    allowed = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    script, style = soup.find_all("script")[-1].string, soup.find("style").string  # type: ignore[union-attr]  # they are there
    for kind, text in (("script-src", script), ("style-src", style)):
        assert allowed[kind] == f"'sha256-{base64.b64encode(hashlib.sha256(str(text).encode()).digest()).decode()}'"
    assert (allowed["default-src"], allowed["img-src"]) == ("'none'", "data:")
    assert not {"connect-src", "font-src", "frame-src"} & set(allowed)


def test_the_table_stands_in_the_page() -> None:
    """Without a script there is a table with every model and what is known of it, and a line that says what needs one."""
    soup = BeautifulSoup(html.render(report(model("a/first", 1, 0.81), model("a/none", None, None))).decode(), "html.parser")
    first, second = ([cell.get_text() for cell in row.find_all(["td", "th"])] for row in soup.select("#rows tr"))
    assert first[:8] == ["1", "a/first", "81.0 (76–86)", "1", "1", "0", "69.90", "2"]
    assert second[:8] == ["–", "a/none", "–", "–", "–", "–", "–", "–"]
    assert "need JavaScript" in soup.find("noscript").get_text()  # type: ignore[union-attr]  # it is there


def test_columns_without_content_are_left_out() -> None:
    """A board that ranks nobody has no official columns, and one that knows no memory none for that."""
    bare = replace(model("a/b", None), memory=None)
    soup = BeautifulSoup(html.render(report(bare)).decode(), "html.parser")
    assert [head["data-key"] for head in soup.select("#table thead th")] == ["credible", "model", "score", "findings"]
    assert len(soup.select("#rows td, #rows th")) == 4


def test_places_are_compared_among_models_of_both_orders() -> None:
    """The shift counts among the models that both orders place, so a model that one of them lacks moves nobody."""
    models = [replace(model(f"a/{place}", place), credible_place=at) for at, place in enumerate((9, 2, 5), 1)]
    between = replace(model("a/unplaced", None), credible_place=4)
    assert html.shifts(report(*models, between)) == {"a/9": (3, 2), "a/2": (1, -1), "a/5": (2, -1)}


def test_a_thousand_models_are_small() -> None:
    """A thousand models with their evidence take less than two megabytes."""
    assert len(html.render(many(1000))) < 2_000_000


@needs_browser
def test_nothing_is_fetched_and_nothing_runs(page: Page, tmp_path: Path) -> None:
    """A hostile page asks for nothing but itself, breaks no policy, and shows each model's section with the texts as texts."""
    file = tmp_path / "hostile.html"
    file.write_bytes(html.render(hostile()))
    page.requests.clear()
    page.errors.clear()
    page.open(file)
    page.run("window.alert = () => { window.hit = true }")
    for at in range(len(EVIL)):
        page.run(f"location.hash = document.querySelectorAll('#rows a')[{at}].hash")
        page.until("document.querySelector('#model h2')?.textContent", visible(hostile().models[at].model))
        assert page.run("document.querySelectorAll('#model script, #model img, #model [onload]').length") == 0
    assert page.run("window.hit") is None
    assert set(page.requests) == {file.as_uri(), "data:,"} - ({"data:,"} - set(page.requests))
    assert page.errors == []


@needs_browser
def test_search_filter_and_sort(page: Page, thousand: Path) -> None:
    """Words narrow the table down, filters too, heads sort and say so, what is missing stands last, and reset brings all back."""
    page.open(thousand)
    counted = "document.getElementById('counted').textContent"
    shown = f"{SETTLED}.then(() => [...document.querySelectorAll('#rows tr:not([hidden]) a')].map((link) => link.textContent))"
    assert page.run(counted) == "1000 of 1000 models"
    assert page.run(_entered("query", "OWNER7/ model-7")) == "3 of 1000 models"
    assert page.run(shown) == ["owner7/model-727", "owner7/model-767", "owner7/model-7"]
    assert page.run(_entered("query", "")) == "1000 of 1000 models"
    assert page.run(_entered("findings", "error")) == "334 of 1000 models"
    assert page.run(_entered("findings", "none")) == "333 of 1000 models"
    page.run("document.querySelector('[data-key=mean] button').click()")
    assert (
        page.run("document.querySelector('[aria-sort]').dataset.key + ' ' + document.querySelector('[aria-sort]').ariaSort")
        == "mean descending"
    )
    assert page.run(shown)[:2] == ["owner2/model-2", "owner4/model-4"]
    assert page.run(shown)[-1] == "owner20/model-980"
    page.run("document.querySelector('[data-key=mean] button').click()")
    assert page.run(shown)[-1] == "owner20/model-980"
    page.run("document.getElementById('choose').reset()")
    page.until(counted, "1000 of 1000 models")
    page.until("document.querySelector('[aria-sort]').dataset.key", "credible")


# What a script waits for: all rows that are to be seen are.
SETTLED = """(async () => {
  while (document.getElementById("rows").hasAttribute("aria-busy")) await new Promise((done) => setTimeout(done, 10));
})()"""


def _entered(field: str, value: str) -> str:
    """Return a script that enters a value, waits for the table, and returns what is counted."""
    return f"""(async () => {{
      const field = document.getElementById({json.dumps(field)});
      field.value = {json.dumps(value)};
      field.dispatchEvent(new Event("input", {{ bubbles: true }}));
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      return document.getElementById("counted").textContent;
    }})()"""


@needs_browser
def test_it_works_by_keyboard(page: Page, thousand: Path) -> None:
    """A slash leads to the search, arrows from model to model, return opens one with the focus on its name, back leads back to the row."""
    page.open(thousand)
    focus = "document.activeElement.id || document.activeElement.textContent"
    page.key("/", 191, "/")
    assert page.run(focus) == "query"
    assert page.run("document.getElementById('query').value") == ""
    page.run("document.querySelector('#rows a').focus()")
    page.key("ArrowDown", 40)
    second = page.run(focus)
    assert second == page.run("document.querySelectorAll('#rows a')[1].textContent")
    page.key("Enter", 13, "\r")
    page.until("document.activeElement.tagName + document.getElementById('list').hidden", "H2true")
    assert page.run(focus) == second
    page.run("history.back()")
    row = "document.activeElement.tagName + document.activeElement.textContent + document.getElementById('list').hidden"
    page.until(row, f"A{second}false")


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_and_can_be_read(page: Page, thousand: Path, width: int, *, dark: bool) -> None:
    """Nothing is wider than the window, in the list and in a model's section, and all text has a contrast of at least 4.5 to 1."""
    page.open(thousand, width=width, dark=dark)
    for address in ("", "#model=owner3%2Fmodel-3"):
        page.run(f"location.hash = {address!r}")
        page.until("document.getElementById('list').hidden", bool(address))
        page.run(SETTLED)
        assert page.run("document.documentElement.scrollWidth <= innerWidth")
        assert page.run(CONTRAST) == []


# All elements with text of their own whose colour lies too near to the one behind it (WCAG 2.2, 1.4.3).
CONTRAST = """(() => {
  const parts = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = parts(getComputedStyle(at).backgroundColor);
      if (found.length === 3 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const poor = new Set();
  for (const element of document.querySelectorAll("body *")) {
    if (!element.checkVisibility() || ![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    const style = getComputedStyle(element);
    const colour = parts(element.namespaceURI.endsWith("svg") ? style.fill : style.color);
    const [one, other] = [light(colour), light(behind(element))].sort((a, b) => b - a);
    if ((one + 0.05) / (other + 0.05) < 4.5) poor.add(`${element.tagName}.${element.className}`);
  }
  return [...poor];
})()"""


@needs_browser
def test_without_script_the_table_is_there(page: Page, thousand: Path) -> None:
    """With scripts switched off the rows are all seen, and no search that would do nothing."""
    page.open(thousand, script=False)
    text = page.call("DOM.getDocument", depth=1)
    root = text["root"]["nodeId"]
    assert len(page.call("DOM.querySelectorAll", nodeId=root, selector="#rows tr:not([hidden])")["nodeIds"]) == 1000
    assert len(page.call("DOM.querySelectorAll", nodeId=root, selector="#choose[hidden], #charts[hidden]")["nodeIds"]) == 2


@needs_browser
def test_charts_are_drawn_and_lead_to_models(page: Page, thousand: Path) -> None:
    """Three charts have a dot for each model or result that they can show, and a click on one opens its model."""
    page.open(thousand)
    dots = (
        f"{SETTLED}.then(() => [...document.querySelectorAll('#charts svg')].map((chart) => [...chart.querySelectorAll('path:not(.front)')]"
    )
    dots += ".reduce((sum, path) => sum + (path.getAttribute('d').match(/M/g) || []).length, 0)))"
    both = sum(1 for model in many(1000).models if model.place and model.credible_place)
    assert page.run(dots) == [both, 1000, 12_000]
    page.run(_entered("query", "owner7/"))
    assert page.run(dots) == [both, 1000, 12_000]
    opened = """(() => {
      const chart = document.querySelector("#chart-memory svg");
      const [x, y] = chart.querySelector("path.clear").getAttribute("d").match(/[\\d.]+/g).map(Number);
      const box = chart.getBoundingClientRect();
      const at = { clientX: box.left + (x / 400) * box.width, clientY: box.top + (y / 330) * box.height };
      chart.dispatchEvent(new MouseEvent("click", at));
    })()"""
    page.run(opened)
    page.until("document.querySelector('#model h2')?.textContent.startsWith('owner7/')", wanted=True)
