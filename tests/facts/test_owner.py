"""Owners: what the Hub and the maker's pages say of them, names that look like another's, and cards that claim another's model."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response

from cardcheck.engine.evaluate import evaluate
from cardcheck.engine.library import load_rules
from cardcheck.engine.recorded import Recorded
from cardcheck.errors import UnavailableError
from cardcheck.facts import Facts, collect
from cardcheck.facts.maker import CLAIMS, OURS, bears_name_of, one_letter_off, resembles
from cardcheck.facts.model import Source
from cardcheck.facts.owner import collect_owner, page_text, read_page
from cardcheck.net.answers import Page
from cardcheck.net.online import Online
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from conftest import MakeModel
    from hub_double import HubDouble

NAME = "acme/ours-1"
LIST = "<h1>Models</h1><ul><li>tern-2</li><li><code>tern-code-2</code></li><li>tern-large-2</li></ul>"


def told(make_model: MakeModel, card: str, hub_id: str | None = NAME) -> Facts:
    """Return the facts of a card under a Hub id, with nobody asked."""
    path = make_model({"README.md": card})
    return collect(Subject(str(path), "folder", path, id=hub_id))


def known_to(outside: Any, make_model: MakeModel, hub_id: str | None = NAME, card: str = "# ours\n") -> Facts:
    """Return the facts of the groups `owner` and `pages` as somebody outside gives them."""
    facts = told(make_model, card, hub_id)
    facts.sources["owner"] = facts.sources["pages"] = Source("absent")
    collect_owner(facts, outside)
    return facts


@pytest.mark.parametrize(
    ("owner", "like", "how"),
    [
        ("sentence-transformer", "sentence-transformers", "one letter"),
        ("sentence_transformers", "sentence-transformers", "marks"),
        ("nomicai", "nomic-ai", "marks"),
        ("lntfloat", "intfloat", "letters"),
        ("jinaa1", "jinaai", "letters"),
        ("OpenAl", "openai", "letters"),
        ("g00gle", "google", "letters"),
        ("rnixedbread-ai", "mixedbread-ai", "letters"),
        ("\u0412AAI", "BAAI", "letters"),
        ("mircosoft", "microsoft", "one letter"),
        ("nvidja", "nvidia", "one letter"),
    ],
)
def test_owners_that_look_like_another(owner: str, like: str, how: str) -> None:
    """Look-alike letters, marks between words and one letter are told, with the organisation that is meant."""
    assert (resembles(owner) or ())[:2] == (like, how)


@pytest.mark.parametrize(
    "owner",
    ["sentence-transformers", "NVIDIA", "qwen", "Owen", "acme", "maver", "voyage-ai", "jina-ai", "tencentarc", "llm2vec", "", "x" * 5000],
)
def test_owners_of_their_own(owner: str) -> None:
    """Known owners in any capitals, their other accounts, and short names a letter away are nobody's look-alikes."""
    assert resembles(owner) is None


def test_one_letter() -> None:
    """A first letter and numbers tell names apart; one letter elsewhere may be wrong, missing, too many or exchanged."""
    assert all(one_letter_off("intfloat", other) for other in ("intflaot", "intfloa", "intfloats", "intfloet"))
    assert not any(one_letter_off("intfloat", other) for other in ("antfloat", "intfloat", "intfloat2", "intflott2", "infloats", ""))


def test_no_organisation_looks_like_another() -> None:
    """None of the owners of known models is told to look like another."""
    from cardcheck.catalogue.models import owners

    assert owners()["BAAI"] > 10
    assert [name for name in owners() if resembles(name)] == []


@pytest.mark.parametrize(
    ("card", "kind", "organisation"),
    [
        ("# ours\n\n- **Developed by:** [Jina AI](https://jina.ai)\n", "field", "Jina AI"),
        ("# ours\n\n| Developer | NVIDIA |\n", "field", "NVIDIA"),
        ("# ours\n\nThis embedding model was developed and released by the team at *Snowflake*.\n", "sentence", "Snowflake"),
        ("# ours\n\n© 2024 Salesforce. All rights reserved.\n", "copyright", "Salesforce"),
        ("# ours\n\nAs in our blog post [here](https://www.mixedbread.com/blog/x).\n", "our link", "Mixedbread"),
        ("# ours\n\nSee [our model page](https://huggingface.co/Qwen/Qwen3-Embedding-8B).\n", "our link", "Alibaba"),
        ("# intfloat/ours-1\n", "title", "Microsoft"),
    ],
)
def test_cards_that_claim_another_organisation(make_model: MakeModel, card: str, kind: str, organisation: str) -> None:
    """Fields, sentences, copyright, links to one's own pages and titles say whose model it is."""
    (row,) = told(make_model, card)["maker.claims"]
    assert (row["kind"], row["organisation"], row["owner"]) == (kind, organisation, "acme")
    assert row["line"] == (1 if kind == "title" else 3)


@pytest.mark.parametrize(
    "card",
    [
        "# ours\n\n- **Developed by:** Acme\n- **Finetuned from:** Google's BERT\n",
        "# ours\n\n- **Developed by:** Metadata Lab\n- **Model creator:** Amazonian Research\n",
        "# ours\n\nThis model was developed by Jane Doe, not by Google.\n",
        "# ours\n\nThis model was originally released by Microsoft.\n",
        "# ours\n\n```\nThis model was developed by Google\n```\n<!-- Copyright 2024 Google -->\n",
        "# ours\n\nOur results differ from [theirs](https://jina.ai/news/x); our fork of [the code](https://github.com/FlagOpen/x).\n",
        "# ours\n\nFine-tuned from [e5](https://huggingface.co/intfloat/e5-base).\n\n- **Developed by:** Microsoft\n",
        "---\nbase_model: BAAI/bge-m3\n---\n# BAAI/ours-1\n",
    ],
)
def test_cards_that_claim_nothing(make_model: MakeModel, card: str) -> None:
    """Other words with the same letters, denials, code, and organisations whose model this one is made from are no claims."""
    assert told(make_model, card)["maker.claims"] == []


def test_without_an_id_nobody_is_the_owner(make_model: MakeModel) -> None:
    """A folder without a Hub id gets no fact on its owner, and nobody is asked."""
    assert told(make_model, "# ours\n\n- **Developed by:** Google\n", None)["maker.claims"] == []
    facts = known_to(Recorded({}), make_model, None)
    assert {facts.sources[name].state for name in ("owner", "pages")} == {"absent"}
    assert facts["owner.name"] is None


def test_names_on_profiles() -> None:
    """A full name is an organisation's where it is nothing but that, with a word such as Research."""
    names = {"OpenAI": "OpenAI", "Google  Research": "Google", "The BAAI": "BAAI", "NVIDIA, Inc.": "NVIDIA"}
    assert {text: found.name for text in names if (found := bears_name_of(text))} == names
    assert not any(map(bears_name_of, ("Friends of Google", "Ada Apple", "", "Meta Learning Group", "Microsoft fan club", "x" * 20_000)))


def test_an_organisation(hub: HubDouble, online: Online, make_model: MakeModel) -> None:
    """The overview and the list of models are noted in two requests."""
    hub.organization("acme", isVerified=True, fullname="Acme Research", numModels=7)
    hub.model(NAME)
    facts = known_to(online, make_model)
    found = {key: facts[f"owner.{key}"] for key in ("name", "exists", "kind", "fullname", "verified", "members", "followers", "models")}
    assert found == {
        "name": "acme", "exists": True, "kind": "organization", "fullname": "Acme Research", "verified": True, "members": 3,
        "followers": 10, "models": 7,
    }  # fmt: skip
    assert (facts["owner.listed"], facts["owner.listed_models"], facts["owner.bears"]) == (True, 1, None)
    assert facts.sources["owner"] == Source("known")
    assert len(hub.asked) == 2


def test_a_person(hub: HubDouble, online: Online, make_model: MakeModel) -> None:
    """A person is found after no organisation is, and may bear an organisation's name."""
    hub.user("acme", fullname="Microsoft")
    facts = known_to(online, make_model)
    assert (facts["owner.exists"], facts["owner.kind"], facts["owner.bears"], facts["owner.listed"]) == (True, "user", "Microsoft", False)
    assert len(hub.asked) == 4  # the model itself, which is not in the list, is asked for as well


def test_nobody(online: Online, make_model: MakeModel) -> None:
    """That the Hub knows nobody of the name is an answer."""
    facts = known_to(online, make_model)
    assert (facts["owner.exists"], facts["owner.kind"], facts.sources["owner"].state) == (False, None, "known")


def test_models_that_have_moved(make_model: MakeModel) -> None:
    """A model with another id by now, and a list that may go on, leave it open whether it is listed."""
    moved = Recorded({"owner": {"acme": {}}, "models_of": {"acme": []}, "model": {NAME: {"id": "acme/ours-2"}}})
    assert known_to(moved, make_model)["owner.listed"] is None
    long = Recorded({"owner": {"acme": {}}, "models_of": {"acme": [f"acme/{n}" for n in range(500)]}})
    assert known_to(long, make_model)["owner.listed"] is None
    other_case = Recorded({"owner": {"acme": {}}, "models_of": {"acme": [NAME.upper()]}})
    assert known_to(other_case, make_model)["owner.listed"] is True


@pytest.mark.parametrize("kind", ["owner", "models_of"])
def test_the_hub_cannot_say(make_model: MakeModel, kind: str) -> None:
    """Where one of the two questions fails the source is unavailable, with the reason, whatever the other answers."""
    given: dict[str, dict[str, Any]] = {"owner": {"acme": {}}, "models_of": {"acme": [NAME]}}
    given[kind] = {"acme": "the Hub answered 503"}
    source = known_to(Recorded(given), make_model).sources["owner"]
    assert source.state == "unavailable"
    assert "503" in source.reason


def page_facts(make_model: MakeModel, pages: dict[str, Any], card: str, details: str = "", hub_id: str = "ternai/tern-lite-02") -> Facts:
    """Return the facts of a maker called ternai whose pages are these."""
    given: dict[str, Any] = {
        "owner": {"ternai": {"fullname": "Tern AI", "details": details}},
        "models_of": {"ternai": [hub_id]},
        "page": pages,
    }
    return known_to(Recorded(given), make_model, hub_id, card)


def test_makers_pages(make_model: MakeModel) -> None:
    """Pages on the maker's own site are read, two at most; those of the profile first, and what is elsewhere not at all."""
    card = (
        "# m\n\n[pricing](https://www.tern.example/pricing) [docs](https://docs.ternai.example/v1#top) [x](https://docs.ternai.example/v1)\n"
        "[docs](https://library.example/docs) [docs](https://github.com/ternai/docs) [blog](https://tern.example/blog)\n"
        "[docs](https://[broken/docs)\n"
    )
    pages = {"https://docs.ternai.example/v1": {"text": LIST}, "https://www.tern.example/pricing": {"text": "<p>x"}}
    facts = page_facts(make_model, pages, card)
    rows = [(row["url"], row["names_it"], row["others"], row["line"]) for row in facts["pages.lists"]]
    assert rows == [("https://www.tern.example/pricing", False, 0, 3), ("https://docs.ternai.example/v1", False, 3, 3)]
    assert facts["pages.lists"][1]["shown"] == "tern-2, tern-code-2, tern-large-2"
    assert facts.sources["pages"] == Source("known")
    facts = page_facts(make_model, {"https://birds.example/models": {"text": LIST}}, "# m\n", "Our models: https://birds.example/models.")
    assert [row["url"] for row in facts["pages.lists"]] == ["https://birds.example/models"]


@pytest.mark.parametrize(
    ("name", "fails"), [("voyage-lite-02-instruct", True), ("voyage-large-2-instruct", False), ("voyage-code-2", False)]
)
def test_a_model_that_its_makers_documentation_leaves_out(hub: HubDouble, make_model: MakeModel, name: str, fails: bool) -> None:  # noqa: FBT001
    """The case that the project began with: the documentation lists the maker's other models, served ones too, and not this one."""
    listed = (
        "voyage-large-2-instruct",
        "voyage-finance-2",
        "voyage-multilingual-2",
        "voyage-law-2",
        "voyage-code-2",
        "voyage-large-2",
        "voyage-2",
    )
    rows = "".join(f"<tr><td><code>{one}</code></td><td>16000</td></tr>" for one in listed)
    hub.organization("voyageai", fullname="Voyage AI", details=f"Documentation: {hub.url}/docs/embeddings")
    hub.model(f"voyageai/{name}")
    hub.pages["/docs/embeddings"] = f"<nav>Docs</nav><h1>Text Embeddings</h1><table>{rows}</table><script>track('page')</script>"
    facts = known_to(Online(endpoint=hub.url), make_model, f"voyageai/{name}", f"# {name}\n")
    (judged,) = evaluate(facts, [rule for rule in load_rules() if rule.id == "CC235"])
    assert judged.outcome == ("fail" if fails else "pass")
    if fails:
        assert "names 7 other models of the maker (voyage-2, voyage-code-2, " in judged.findings[0].message
        assert judged.findings[0].message.endswith("and not this one")


def test_pages_that_cannot_be_read(make_model: MakeModel) -> None:
    """An unreachable page makes the source unavailable; one that is gone does not, where another one can be read."""
    card = "# m\n\n[docs](https://ternai.example/docs) [models](https://ternai.example/models)\n"
    one = {"https://ternai.example/docs": {"text": LIST}}
    assert page_facts(make_model, one, card).sources["pages"] == Source("known")
    assert page_facts(make_model, {}, card).sources["pages"].state == "absent"
    failing = page_facts(make_model, one | {"https://ternai.example/models": "out of reach: timed out"}, card)
    assert failing.sources["pages"].state == "unavailable"
    assert failing.sources["owner"] == Source("known")
    assert "neither the card nor" in page_facts(make_model, {}, "# m\n").sources["pages"].reason


def test_pages_over_the_network(hub: HubDouble, make_model: MakeModel) -> None:
    """A page is fetched as any other; an answer that is no page is told so."""
    hub.organization("localhost", details=f"{hub.url}/models and {hub.url}/docs")
    hub.model("localhost/tern-1")
    hub.pages["/models"] = LIST
    hub.instead["/docs"] = lambda _: Response(b"%PDF", mimetype="application/pdf")
    facts = known_to(Online(endpoint=hub.url), make_model, "localhost/tern-1")
    assert [row["others"] for row in facts["pages.lists"]] == [3]
    assert "application/pdf" in facts.sources["pages"].reason
    assert len(hub.asked) == 4


@pytest.mark.parametrize(
    ("page", "me", "named", "others"),
    [
        (LIST, "tern-lite-02-instruct", False, ["tern-2", "tern-code-2", "tern-large-2"]),
        (LIST, "Tern_Code-2", True, ["tern-2", "tern-code-2", "tern-large-2"]),
        (LIST + "<script>{'id': 'tern-lite-02'}</script>", "tern-lite-02", True, ["tern-2", "tern-code-2", "tern-large-2"]),
        (LIST, "tern-code-2-gguf", True, ["tern-2", "tern-code-2", "tern-large-2"]),
        ("<p>Gull-7 and plain</p>", "ours", False, ["gull-7"]),
        ("<p>tern-based, x/tern-5</p>", "tern-9", False, []),
    ],
)
def test_what_a_page_names(page: str, me: str, named: bool, others: list[str]) -> None:  # noqa: FBT001
    """The subject counts anywhere in the page, others of the maker where people see them."""
    assert read_page(Page("https://x.example", text=page), me, {"gull-7", "plain"}) == (named, others)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("application/json", "{}"), ("", "x"), ("text/html", ""), ("text/html", "<script>render()</script>"), ("text/html", "<p>" * 41_000)],
)
def test_what_is_no_page(kind: str, text: str) -> None:
    """Other types, pages without text and pages that are too large are told, and none is taken for a list."""
    with pytest.raises(UnavailableError):
        read_page(Page("https://x.example", kind, text), "ours", set())


@pytest.mark.parametrize(
    "markup",
    [
        '<a href="' * 40_000,
        "<a " + 'x="1" ' * 60_000,
        "<" * 400_000,
        "<!--" * 90_000,
        "x<script>" * 60_000,
        "<div>" * 39_000 + "x",
        "&#x41" * 70_000,
    ],
    ids=range(7),
)
def test_hostile_pages(markup: str) -> None:
    """Markup that parsers choke on is read, or refused, in no time."""
    start = time.monotonic()
    page_text(markup)
    assert time.monotonic() - start < 5


def test_hostile_cards() -> None:
    """Words of claims, repeated without end, cost no more than their length."""
    start = time.monotonic()
    for text in ("our own page " * 40_000, "copyright (c) 2024 the " * 20_000, "*" * 500_000, "**developed by**: *****\n" * 20_000):
        for *_, pattern in CLAIMS:
            assert list(pattern.finditer(text)) == []
        assert list(OURS.finditer(text)) == []
    assert time.monotonic() - start < 10
