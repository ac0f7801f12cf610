"""Names of training sets, in every way of writing them, and the tasks that they mean."""

from __future__ import annotations

import time

import pytest

from cardcheck.catalogue import aliases, tasks, training


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("MSMARCO", "MSMARCO"),
        ("ms_marco", "MSMARCO"),
        ("mteb/msmarco", "MSMARCO"),
        ("sentence-transformers/msmarco", "MSMARCO"),
        ("sentence-transformers/msmarco-co-condenser-margin-mse-sym-mnrl-mean-v1", "MSMARCO"),
        ("unicamp-dl/mmarco", "MMarcoRetrieval"),
        ("clarin-knext/msmarco-pl", "MSMARCO-PL"),
        ("BeIR/nq-generated-queries", "NQ"),
        ("natural_questions", "NQ"),
        ("tomaarsen/natural-questions-hard-negatives", "NQ"),
        ("MTEB HotpotQA", "HotpotQA"),
        ("hotpot_qa", "HotpotQA"),
        ("HotPotQAHardNegatives", "HotpotQAHardNegatives"),
        ("FEVER-PL", "FEVER"),
        ("fever", "FEVER"),
        ("embedding-data/QQP", "QuoraRetrieval"),
        ("mteb/banking77", "Banking77Classification"),
        ("PolyAI/banking77", "Banking77Classification"),
        ("stsb_multi_mt", "STSBenchmark"),
        ("C-MTEB/T2Retrieval", "T2Reranking"),
        ("zeta-alpha-ai/NanoFEVER", "NanoFEVERRetrieval"),
        ("CosQARetrieval", "CosQA"),
        ("SIB200", "SIB200ClusteringS2S"),
        ("sentence-transformers/embedding-training-data", "FEVER"),
        ("Shitao/bge-m3-data", "MIRACLRetrieval"),
        ("SciDocsReranking", "SciDocsRR"),
    ],
)
def test_a_name_means_a_task(name: str, task: str) -> None:
    """Ids, old names, owners, parts, languages and collections lead to the task, and it is said why."""
    match = aliases.data_set(name)
    assert match is not None
    assert match.kind == "same"
    assert task in match.tasks
    assert match.why


@pytest.mark.parametrize(
    "name", ["acme/pairs", "acme/fever", "somebody/emotion", "acme/news", "acme/train", "msmacro", "", "/", "…", "acme/reddit", "D"]
)
def test_what_means_nothing_is_not_known(name: str) -> None:
    """Data of one's own, common words under a strange owner, and misspellings mean nothing: that is not the same as clean."""
    assert aliases.data_set(name) is None


@pytest.mark.parametrize("name", ["snli", "sentence-transformers/all-nli", "gooaq", "allenai/c4", "deepvk/ru-WANLI", "trivia_qa"])
def test_known_sets_of_which_no_task_is_made(name: str) -> None:
    """Some sets are known, and known to be no task's data."""
    match = aliases.data_set(name)
    assert match is not None
    assert (match.kind, match.tasks) == ("none", ())


@pytest.mark.parametrize("name", ["s2orc", "flax-sentence-embeddings/stackexchange_xml", "embedding-data/SPECTER", "glue"])
def test_the_same_source_is_not_the_same_data(name: str) -> None:
    """What was drawn from the same place may coincide, and may not."""
    match = aliases.data_set(name)
    assert match is not None
    assert match.kind == "source"


def test_a_name_for_two_tasks() -> None:
    """STS-B is the STS Benchmark to some and its Chinese translation to others; the task of that name is not meant by it."""
    for name in ("STS-B", "sts-b", "STSB"):
        match = aliases.data_set(name)
        assert match is not None
        assert (match.kind, match.tasks) == ("ambiguous", ("STSBenchmark", "STSB"))


def test_names_of_test_data() -> None:
    """A Nano set and a set's judgements are the part that is evaluated; others are not."""
    for name, tests in (("zeta-alpha-ai/NanoFEVER", True), ("BeIR/scifact-qrels", True), ("BeIR/scifact", False), ("mteb/nfcorpus", False)):
        match = aliases.data_set(name)
        assert match is not None
        assert match.tests is tests


def test_a_misspelling() -> None:
    """The known name that an unknown one is a letter away from is given where there is one, its numbers are the same, and it is long."""
    assert aliases.near("msmacro") == "msmarco"
    assert aliases.near("acme/hotpoqa") == "hotpotqa"
    for name in ("acme/banking78", "ms_marco", "acme/pairs", "nqq"):
        assert aliases.near(name) is None


@pytest.mark.parametrize(
    ("given", "right", "slip"),
    [("msmacro", "msmarco", True), ("hotpoqa", "hotpotqa", True), ("hotpotqaa", "hotpotqa", True), ("hotpotqa", "hotpotqa", False),
     ("sts12", "sts13", False), ("abcd", "abdd", True), ("abcdef", "abxyef", False), ("", "a", True)],
)  # fmt: skip
def test_one_letter(given: str, right: str, *, slip: bool) -> None:
    """One letter missing, too many, wrong or exchanged is a slip; another number is another name."""
    assert aliases.is_slip(given, right) is slip


def test_names_in_running_text() -> None:
    """Names are found by their words, the longest first, with their places; capitals count where the name is a common word."""
    text = "Trained on MS MARCO, Natural Questions (NQ), FEVER and Mr. TyDi; a fever of emotion and some DuReader、T2Ranking."
    found = [(text[at : at + len(words)], words, match.tasks[0]) for at, words, match in aliases.in_text(text)]
    assert [(words, task) for _, words, task in found] == [
        ("MS MARCO", "MSMARCO"),
        ("Natural Questions", "NQ"),
        ("NQ", "NQ"),
        ("FEVER", "FEVER"),
        ("Mr. TyDi", "MrTidyRetrieval"),
        ("DuReader", "DuRetrieval"),
        ("T2Ranking", "T2Retrieval"),
    ]
    assert all(shown == words for shown, words, _ in found)


def test_words_far_apart_are_no_name() -> None:
    """The words of a name stand together."""
    assert list(aliases.in_text("we say ms, and then marco")) == []


def test_what_mteb_does_not_join() -> None:
    """Tasks on the same data that mteb leaves apart are related, each with the reason; the task itself comes first."""
    related = aliases.related("MSMARCO")
    assert next(iter(related)) == "MSMARCO"
    assert {"MSMARCO-PL", "NanoMSMARCORetrieval", "MMarcoRetrieval", "mMARCO-NL"} <= related.keys()
    assert {"STS12", "STSBenchmark-VN", "STSBenchmarkMultilingualSTS"} <= aliases.related("STSBenchmark").keys()
    assert "STS13" not in aliases.related("STS12")
    assert all(tasks.is_task(name) for name in related)


def test_data_without_a_training_part() -> None:
    """It is known of which tasks the data set holds nothing but tests."""
    assert aliases.is_test_only("ArguAna")
    assert not aliases.is_test_only("MSMARCO")


def test_the_misspelt_names_in_mtebs_lists() -> None:
    """The names in mteb's annotations that differ from a task's in capitals and punctuation are found, in 58 models' lists."""
    found: dict[str, set[str]] = {}
    for model in training.models():
        known = training.annotation(model)
        for name in known.data or () if known else ():
            task = tasks.task(training.misspelt(name) or "")
            if task and not task.beta:
                found.setdefault(name, set()).add(model)
    assert {"HotPotQA", "nfcorpus", "SCIFACT", "Xmarket", "STS-B", "ocnli", "OCNLI", "Reddit-Clustering"} <= found.keys()
    assert (len(found), len(set().union(*found.values()))) == (24, 58)


@pytest.mark.parametrize(
    "name", ["a" * 100_000, "-" * 100_000, "msmarco-" * 20_000, "ms " * 40_000, "MTEB" + " " * 100_000 + "x", "é/" * 50_000]
)
def test_hostile_names(name: str) -> None:
    """Names and texts of any length are answered in a moment."""
    start = time.perf_counter()
    aliases.data_set(name)
    aliases.near(name)
    list(aliases.in_text(name))
    assert time.perf_counter() - start < 1
