"""The arXiv papers that a card names, as the Hub and arXiv know them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response

from cardcheck.engine.evaluate import evaluate
from cardcheck.engine.library import load_rules
from cardcheck.engine.recorded import Recorded
from cardcheck.errors import UnavailableError
from cardcheck.facts import Facts, collect
from cardcheck.facts import papers as module
from cardcheck.facts.cited import arxiv_numbers, compare_authors, compare_titles, looks_like_title, read_entry
from cardcheck.facts.model import Source
from cardcheck.facts.naming import names_of, owner_key
from cardcheck.facts.papers import collect_papers
from cardcheck.net.answers import Page, Paper
from cardcheck.net.online import Online
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeModel
    from hub_double import HubDouble

    Read = Callable[..., Facts]

HEAD = "---\ntags: [sentence-transformers]\n---\n"
OURS = HEAD + "# ours\n\nSee [our paper](https://arxiv.org/abs/2401.01234).\n"
FEED = "<?xml version='1.0'?>\n<feed xmlns='http://www.w3.org/2005/Atom'><title>query</title>{}</feed>"
ENTRY = (
    "<entry><id>http://arxiv.org/abs/2401.01234v2</id><published>2024-01-05T00:00:00Z</published><title>Embeddings\n  for help &amp; desk"
    "</title><summary>About zebra.</summary><author><name>Ada Ours</name></author><author><name>Bob Mine</name></author></entry>"
)


@pytest.fixture
def read(make_model: MakeModel) -> Read:
    """Give the reader of a card with what the outside answers."""

    def facts(card: str, hub_id: str | None = "acme/ours", outside: Any = None, **answers: Any) -> Facts:
        path = make_model({"README.md": card})
        found = collect(Subject(str(path), "folder", path, id=hub_id))
        collect_papers(found, outside or Recorded(answers))
        return found

    return facts


def feed(*entries: str) -> dict[str, Any]:
    """Return arXiv's answer on the paper of OURS."""
    return {module.ARXIV + "2401.01234": {"kind": "application/atom+xml", "text": FEED.format("".join(entries))}}


def test_a_card_without_papers_asks_nothing(read: Read) -> None:
    """Where no paper on arXiv is named, the source is absent, and impossible numbers are not asked for."""
    facts = read(HEAD + "# ours\n\nSee https://arxiv.org/abs/9999.99999, arXiv:2413.00001 and https://acme.example/2401.01234.\n")
    assert (facts.sources["papers"].state, facts["papers.looked_up"]) == ("absent", [])


def test_three_papers_its_own_first(read: Read) -> None:
    """Of many papers those are looked up that the card makes most its own: by words, by a tag, by a citation."""
    card = (
        "---\ntags: [sentence-transformers, 'arxiv:2401.00002']\n---\n# ours\n\nBuilt on [BERT](https://arxiv.org/abs/1810.04805) and "
        "[theirs](https://arxiv.org/abs/2401.00004).\n\nDetails are in\n[our technical report](https://arxiv.org/pdf/2401.00001v3.pdf).\n\n"
        "## Citation\n\n```\n@misc{x,\n  title={A title},\n  eprint={2401.00003},\n  archivePrefix={arXiv},\n}\n```\n"
    )
    facts = read(card, paper={f"2401.0000{n}": {"title": f"Paper {n}"} for n in range(1, 5)})
    assert [(row["number"], row["how"]) for row in facts["papers.looked_up"]] == [
        ("2401.00001", "words"),
        ("2401.00002", "tag"),
        ("2401.00003", "citation"),
    ]
    assert facts["papers.more"] == 2
    assert facts["papers.looked_up"][1]["line"] == 2


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("See [our paper](URL).", True),
        ("Details are in our ACL 2024 paper [A title](URL).", True),
        ("This model was introduced in [this paper](URL).", True),
        ("请看我们的论文 [论文](URL)", True),
        ("See the [paper](URL).", False),
        ("- **Paper:** [Few-Shot Learning](URL)", False),
        ("Like in our tests. The loss is from the [paper](URL) of others.", False),
    ],
)
def test_words_that_make_a_paper_the_cards_own(read: Read, text: str, own: bool) -> None:  # noqa: FBT001
    """`Our paper` does, `the paper` does not, and only within the sentence."""
    facts = read(HEAD + f"# ours\n\n{text.replace('URL', 'https://arxiv.org/abs/2401.01234')}\n", paper={"2401.01234": {"title": "T"}})
    assert [row["how"] == "words" for row in facts["papers.looked_up"]] == [own]


def test_papers_of_libraries_are_background(read: Read) -> None:
    """Cards that a library wrote call its paper `our publication`; that makes it nobody's own."""
    facts = read(HEAD + "# m\n\nCite our publication [S](http://arxiv.org/abs/1908.10084).\n", paper={"1908.10084": {"title": "S"}})
    assert [row["how"] for row in facts["papers.looked_up"]] == ["link"]


def test_arxiv_is_asked_for_what_the_hub_lacks(read: Read) -> None:
    """Title, day and authors come from arXiv's feed; where that has no entry the paper does not exist."""
    (row,) = read(OURS, page=feed(ENTRY))["papers.looked_up"]
    assert (row["exists"], row["title"], row["published"]) == (True, "Embeddings for help & desk", "2024-01-05")
    (row,) = read(OURS, page=feed())["papers.looked_up"]
    assert (row["exists"], row["title"]) == (False, "")
    error = "<entry><id>http://arxiv.org/api/errors#x</id><title>Error</title><summary>incorrect id format for 2401.01234</summary></entry>"
    assert read(OURS, page=feed(error))["papers.looked_up"][0]["exists"] is False


@pytest.mark.parametrize(
    "answers",
    [
        {"paper": {"2401.01234": "the Hub asks to come back later (429)"}},
        {"page": {}},
        {"page": {module.ARXIV + "2401.01234": "export.arxiv.org answered 503"}},
        {"page": {module.ARXIV + "2401.01234": {"text": "<html>Log in to the hotel's network</html>"}}},
        {"page": feed("<entry><id>http://arxiv.org/api/errors#y</id><summary>database down</summary></entry>")},
    ],
)
def test_what_nobody_can_say_is_unavailable(read: Read, answers: dict[str, Any]) -> None:
    """A paper is missing only where both have said so: anything else leaves the rules unknown."""
    facts = read(OURS, **answers)
    assert facts.sources["papers"].state == "unavailable"
    assert facts.sources["papers"].reason


@pytest.mark.parametrize("name", ["acme/ours", "acme/base"])
def test_days_that_nobody_can_say(read: Read, name: str) -> None:
    """Where the model or its base cannot be asked for, only what depends on their days is unknown, not the paper."""
    model = {"acme/ours": {"created": "2024-01-15"}, "acme/base": {"created": "2024-02-05"}} | {name: "the Hub answered 503"}
    facts = read(OURS.replace("tags:", "base_model: acme/base\ntags:"), paper={"2401.01234": {"title": "T"}}, model=model)
    assert facts.sources["papers"].state == "known"
    assert facts["papers.looked_up"][0]["exists"]
    assert facts.sources["papers.days"] == Source("unavailable", f"the day of {name}: the Hub answered 503")


def test_days_between_paper_model_and_base(read: Read) -> None:
    """The days are counted for a paper of its own; the Hub's first day stands for any earlier one and counts as unknown."""
    card = OURS.replace("tags:", "base_model: acme/base\ntags:")
    paper = {"2401.01234": {"title": "T", "published": "2024-01-05"}}
    model = {"acme/ours": {"created": "2024-01-15"}, "acme/base": {"created": "2024-02-05"}}
    row = read(card, paper=paper, model=model)["papers.looked_up"][0]
    assert (row["before_model"], row["before_base"]) == (10, 31)
    paper["2401.01234"]["published"] = "2019-01-05"
    model = {"acme/ours": {"created": "2022-03-02"}, "acme/base": {"created": "soon"}}
    row = read(card, paper=paper, model=model)["papers.looked_up"][0]
    assert (row["before_model"], row["before_base"]) == (0, 0)


@pytest.mark.parametrize(
    ("hub_id", "title", "summary", "wanted"),
    [
        ("acme/gte-large-en-v1.5", "On text", "We present GTE, a model.", "yes"),
        ("acme/gte-large-en-v1.5", "mGTE: Longer", "", "yes"),
        ("acme/gte-large-en-v1.5", "On text", "We present an aggregate of tests and integer gates.", "no"),
        ("acme/gtr-t5-base", "On duals", "Generalizable T5-based dense Retrievers (GTR) outperform.", "yes"),
        ("acme/cde-small", "Contextual Document Embeddings", "", "yes"),
        ("WhereIsAI/UAE-Large-V1", "AnglE-optimized Text Embeddings", "", "yes"),
        ("acme/bert-base-multilingual", "On stars", "About stars.", "unsaid"),
        ("acme/müsli-v2", "Musli", "", "yes"),
    ],
)
def test_whether_a_paper_names_the_model(read: Read, hub_id: str, title: str, summary: str, wanted: str) -> None:
    """A part of the name that tells it from others is enough, as are first letters or a known family; short parts match whole words."""
    card = OURS.replace("# ours", "Text")
    paper = {"2401.01234": {"title": title, "summary": summary + " It is as long as an abstract is." * 4}}
    assert read(card, hub_id, paper=paper)["papers.looked_up"][0]["names"] == wanted


def test_too_short_an_abstract_says_nothing(read: Read) -> None:
    """A title alone is no proof that the paper does not name the model."""
    assert read(OURS, "acme/zebra", paper={"2401.01234": {"title": "T"}})["papers.looked_up"][0]["names"] == "unsaid"


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"organization": "Acme-AI"}, True),
        ({"github": "https://github.com/acme/code"}, True),
        ({"models": ["acme/other"]}, True),
        ({"models": ["acme/ours", "acmeist/other"]}, False),
        ({"authors": ["Ac Me", "Li Wu"]}, False),
    ],
)
def test_whose_the_paper_is_by_the_hub(read: Read, more: dict[str, Any], wanted: bool) -> None:  # noqa: FBT001
    """Organisation, code and another linked model of the owner show it; the subject itself is linked by any card that links the paper."""
    assert read(OURS, paper={"2401.01234": {"title": "T"} | more})["papers.looked_up"][0]["owners"] is wanted


def test_an_author_who_is_the_owner(read: Read) -> None:
    """A person's account is known by an author's name."""
    paper = {"2401.01234": {"title": "T", "authors": ["Carol Sky"]}}
    assert read(OURS, "carol-sky/zebra", paper=paper)["papers.looked_up"][0]["owners"] is True
    assert owner_key("Alibaba-NLP") == "alibaba"


@pytest.mark.parametrize(
    ("text", "bare", "numbers"),
    [
        ("https://arxiv.org/pdf/2212.03533.pdf", False, ["2212.03533"]),
        ("https://huggingface.co/papers/2212.03533v2", False, ["2212.03533"]),
        ("https://doi.org/10.48550/arXiv.2209.11055", False, ["2209.11055"]),
        ("https://acme.example/2212.03533", False, []),
        ("arXiv preprint arXiv:0704.0001", True, ["0704.0001"]),
        ("doi 10.18653/2212.035331", True, []),
        ("2213.03533 9999.99999 0612.0001 2212.00000 2212.0353", True, []),
    ],
)
def test_numbers(text: str, bare: bool, numbers: list[str]) -> None:  # noqa: FBT001
    """Only numbers that arXiv can have given count, in addresses or, in citations, anywhere."""
    assert arxiv_numbers(text, bare=bare) == numbers


def test_reading_a_citation() -> None:
    """Braces, accents and one-line entries are read; a book's title is not the title."""
    entry = '@article{x,\n  booktitle = {A book},\n  title={{Jina} Embeddings {2}},\n  author={G{\\"u}nther, Michael and Ong, J.},\n}'
    cited = read_entry(entry)
    assert (cited.title, cited.authors) == ("Jina Embeddings 2", ("Gunther, Michael", "Ong, J."))
    cited = read_entry('@misc{x, title = "On stars", author = "Ada Ours", year = 2024}')
    assert (cited.title, cited.authors) == ("On stars", ("Ada Ours",))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Improving Text Embeddings with Large Language Models", True),
        ("Making Text Embedders Few-Shot Learners", True),
        ("the technical report on all we did with it", False),
        ("Our Paper On Many Good Things", False),
        ("Mr. TyDi", False),
        ("CLIP (Contrastive Language-Image Pre-Training)", False),
        ("Generalizable T5-based Dense Retrievers (GTR)", False),
        ("Making Text Embedders (Really) Few-Shot Learners", True),
        ("https://arxiv.org/abs/2401.01234", False),
    ],
)
def test_link_texts_that_are_titles(text: str, wanted: bool) -> None:  # noqa: FBT001
    """Only what looks like a work's title is compared with one."""
    assert looks_like_title(text) is wanted


C_PACK = Paper(
    "2309.07597", "C-Pack: Packed Resources For General Chinese Embeddings", "We introduce C-Pack, a package of resources.", ["Shitao Xiao"]
)


@pytest.mark.parametrize(
    ("title", "authors", "titled", "authored"),
    [
        ("C-Pack: Packaged Resources To Advance General Chinese Embedding", ("Xiao, S.",), "agrees", "agrees"),
        ("Weak supervision of many dense encoders", ("Xiao, Shitao",), "unsaid", "agrees"),
        ("Weak supervision of many dense encoders", ("Ours, Ada",), "differs", "differs"),
        ("Weak supervision of many dense encoders", (), "differs", "unsaid"),
        ("C-Pack", (), "unsaid", "unsaid"),
        ("General Chinese embeddings and resources", ("Acme Team",), "agrees", "unsaid"),
        ("General Chinese embeddings and resources", ("Ours, Ada",), "agrees", "differs"),
        ("通用中文向量", ("肖",), "unsaid", "unsaid"),
    ],
)
def test_titles_and_authors(title: str, authors: tuple[str, ...], titled: str, authored: str) -> None:
    """A changed title is the same paper's; another's title and another's authors are told; teams and other scripts are not compared."""
    assert compare_authors(authors, C_PACK.authors) == authored
    assert compare_titles(title, C_PACK, authored) == titled


def test_through_the_client(make_model: MakeModel, hub: HubDouble, online: Online) -> None:
    """The whole way: a paper of the Hub's, one request for it, none to arXiv."""
    hub.paper("2401.01234", "Ours: embeddings", models=("acme/ours",))
    path = make_model({"README.md": OURS})
    facts = collect(Subject(str(path), "folder", path, id="acme/ours"))
    collect_papers(facts, online)
    assert [row["names"] for row in facts["papers.looked_up"]] == ["yes"]
    assert hub.count() == {"/api/papers/2401.01234": 1, "/api/models/acme/ours": 1}


@pytest.mark.parametrize(
    ("name", "card", "of"),
    [
        ("nvidia", OURS, "NVIDIA"),
        ("NVIDIA", OURS, "NVIDIA"),
        ("nvidia", OURS.replace("tags:", "base_model: nvidia/NV-Embed-v2\ntags:"), ""),
        ("acme", OURS, ""),
        ("some-university", OURS, ""),
    ],
)
def test_a_paper_of_another_organisation(make_model: MakeModel, hub: HubDouble, name: str, card: str, of: str) -> None:
    """The organisation that the Hub shows on a paper's page is told where it is a known one, and neither the owner nor a base's maker."""
    hub.paper("2401.01234", "Tiny embeddings", organization={"_id": "1", "name": name, "fullname": name, "avatar": ""})
    folder = make_model({"README.md": card})
    facts = collect(Subject(str(folder), "folder", folder, id="acme/ours"), embedding=True)
    collect_papers(facts, Online(endpoint=hub.url))
    assert [row["of"] for row in facts["papers.looked_up"]] == [of]


def test_a_request_for_all_that_the_hub_lacks(
    make_model: MakeModel, hub: HubDouble, online: Online, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A card with many papers costs three requests to the Hub and one to arXiv."""
    monkeypatch.setattr(module, "ARXIV", f"{hub.url}/query?id_list=")
    hub.instead["/query"] = lambda _: Response(FEED.format(""), mimetype="application/atom+xml")
    links = "".join(f"\n- [p](https://arxiv.org/abs/2401.0000{n})" for n in range(1, 9))
    path = make_model({"README.md": f"{HEAD}# ours\n{links}\n"})
    facts = collect(Subject(str(path), "folder", path, id="acme/ours"))
    collect_papers(facts, online)
    assert [row["exists"] for row in facts["papers.looked_up"]] == [False] * 3
    assert len(hub.asked) == 4


@pytest.mark.parametrize(
    "text",
    [
        "<feed>" + "<entry><title>" * 30_000,
        "<feed><entry>" + "<title>a" * 50_000,
        "<feed><entry><id>http://arxiv.org/abs/2401.01234</id><title>" + "&lol;" * 60_000,
        '<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;">]><feed><entry><id>http://arxiv.org/abs/2401.01234</id><title>&c;</title></entry></feed>',
        "<feed>" + "\x00\x1b[31m" * 50_000,
    ],
)
def test_a_hostile_feed(read: Read, text: str) -> None:
    """A feed that is made to be slow or to expand is neither."""
    start = time.perf_counter()
    facts = read(OURS, page={module.ARXIV + "2401.01234": {"text": text}})
    assert time.perf_counter() - start < 3
    assert all("bb" not in row["title"] for row in facts["papers.looked_up"])


def test_a_hostile_paper(read: Read) -> None:
    """Control characters do not reach a message, and huge values take no time."""
    paper = {
        "title": "A\x1b[31m \u202etitle\n" + "x " * 9000,
        "summary": "zq" * 9000,
        "authors": ["a " * 9000] * 5000,
        "published": "9" * 9000,
    }
    card = OURS + "\n```\n@misc{x,\n  title={" + "a {" * 900 + "},\n  author={" + "and " * 900 + "},\n  note={arXiv:2401.01234}\n}\n```\n"
    start = time.perf_counter()
    row = read(card, paper={"2401.01234": paper})["papers.looked_up"][0]
    assert time.perf_counter() - start < 3
    assert row["title"].isprintable()
    assert len(row["title"]) <= module.MAX_SHOWN


# What the outside would say of well-known models' papers. Written from memory in November 2026, abstracts cut short: not recorded answers.
KNOWN: dict[str, tuple[str, str, str, str, str]] = {
    "intfloat/e5-base-v2": (
        "2212.03533", "Text Embeddings by Weakly-Supervised Contrastive Pre-training", "Liang Wang", "2022-12-07",
        "This paper presents E5, a family of state-of-the-art text embeddings that transfer well to a wide range of tasks.",
    ),
    "BAAI/bge-large-en-v1.5": (
        "2309.07597", "C-Pack: Packed Resources For General Chinese Embeddings", "Shitao Xiao", "2023-09-14",
        "We introduce C-Pack, a package of resources that advance the field of general Chinese embeddings: C-MTEB, C-MTP, C-TEM.",
    ),
    "Alibaba-NLP/gte-Qwen2-7B-instruct": (
        "2308.03281", "Towards General Text Embeddings with Multi-stage Contrastive Learning", "Zehan Li", "2023-08-07",
        "We present GTE, a general-purpose text embedding model trained with multi-stage contrastive learning over a mixture of datasets.",
    ),
    "nomic-ai/nomic-embed-text-v1.5": (
        "2402.01613", "Nomic Embed: Training a Reproducible Long Context Text Embedder", "Zach Nussbaum", "2024-02-02",
        "This technical report describes the training of nomic-embed-text-v1, the first fully reproducible English text embedding model.",
    ),
    "jinaai/jina-embeddings-v3": (
        "2409.10173", "jina-embeddings-v3: Multilingual Embeddings With Task LoRA", "Saba Sturua", "2024-09-16",
        "We introduce jina-embeddings-v3, a novel text embedding model with 570 million parameters, for multilingual and long texts.",
    ),
    "Snowflake/snowflake-arctic-embed-l": (
        "2405.05374", "Arctic-Embed: Scalable, Efficient, and Accurate Text Embedding Models", "Luke Merrick", "2024-05-08",
        "This report describes the training dataset creation and recipe behind the family of arctic-embed text embedding models.",
    ),
    "sentence-transformers/gtr-t5-base": (
        "2112.07899", "Large Dual Encoders Are Generalizable Retrievers", "Jianmo Ni", "2021-12-15",
        "Dual encoders often fail on other domains. Our Generalizable T5-based dense Retrievers (GTR) outperform existing ones.",
    ),
    "sentence-transformers/sentence-t5-base": (
        "2108.08877", "Sentence-T5: Scalable Sentence Encoders from Pre-trained Text-to-Text Models", "Jianmo Ni", "2021-08-19",
        "We provide the first exploration of sentence embeddings from text-to-text transformers (T5), which are useful for many tasks.",
    ),
    "sentence-transformers/LaBSE": (
        "2007.01852", "Language-agnostic BERT Sentence Embedding", "Fangxiaoyu Feng", "2020-07-03",
        "While BERT is an effective method for learning monolingual sentence embeddings, cross-lingual ones have yet to be explored.",
    ),
    "hkunlp/instructor-large": (
        "2212.09741", "One Embedder, Any Task: Instruction-Finetuned Text Embeddings", "Hongjin Su", "2022-12-19",
        "We introduce INSTRUCTOR, a new method for computing text embeddings given task instructions, evaluated on 70 embedding tasks.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("hub_id", KNOWN)
def test_known_models_and_their_papers(make_model: MakeModel, hub_id: str) -> None:
    """No rule on papers finds anything in ten well-known models that call their well-known papers their own, and cite them."""
    number, title, author, published, summary = KNOWN[hub_id]
    name = hub_id.rpartition("/")[2]
    card = (
        f"{HEAD}# {name}\n\nSee [our paper](https://arxiv.org/abs/{number}): [{title}](https://arxiv.org/pdf/{number}).\n\n"
        f"```\n@misc{{x,\n  title={{{title}}},\n  author={{{author} and others}},\n  eprint={{{number}}},\n  note={{arXiv}}\n}}\n```\n"
    )
    path = make_model({"README.md": card})
    paper = {"title": title, "authors": [author, "Some Body"], "published": published, "summary": summary, "models": [hub_id]}
    outside = Recorded({"paper": {number: paper}, "model": {hub_id: {"created": published}}})
    facts = collect(Subject(str(path), "folder", path, id=hub_id))
    collect_papers(facts, outside)
    rules = [rule for rule in load_rules() if "papers" in rule.needs]
    assert len(rules) >= 6
    assert {judgement.rule.id: judgement.outcome for judgement in evaluate(facts, rules) if judgement.outcome != "pass"} == {}


def test_names_of_a_subject_without_an_id(make_model: MakeModel) -> None:
    """A folder is known by its card's title."""
    path = make_model({"README.md": HEAD + "# Zebra Embeddings v2\n"})
    assert names_of(collect(Subject(str(path), "folder", Path(path)))).parts == {"zebra"}


def test_no_error_leaves_the_collector(read: Read) -> None:
    """Whatever is asked for, the answer may be that nobody can say."""

    class Nobody:
        """An outside that never answers."""

        def __getattr__(self, name: str) -> Any:
            """Refuse."""

            def refuse(*_: Any) -> Page:
                raise UnavailableError("out of reach")

            return refuse

    assert read(OURS, outside=Nobody()).sources["papers"].reason == "the Hub's page of arXiv:2401.01234: out of reach"
