"""Names of data sets in results: what is an id on the Hub, what is a commit, which tasks are evaluated on a split called train."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from cardcheck.facts.located import Location
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from cardcheck.facts.located import Located
    from cardcheck.facts.model import Facts
    from cardcheck.facts.results import Result


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COMMIT = Pattern(r"^[0-9a-f]{7,40}$")
# What mteb writes where a task joins others and has no data of its own, and sentence-transformers where it gives the mean over data sets.
COMBINED = Pattern(r"combined[_ ]dataset|aggregate tasks do not have|revision not applicable|^(?:multilingual)?nanobeir_", re.IGNORECASE)
SHOWN = 5  # ids of many that a message names
ID = Pattern(r"^[\w.-]{1,96}/[\w.-]{1,96}$")
NAME = Pattern(r"^[\w.-]{1,96}$")
PLACEHOLDERS = _words(
    """
    unknown none null nan n/a na tbd todo tba ? - -- ... dataset custom your_dataset your-dataset dataset_name dataset_id
    dataset_type string placeholder xxx test_dataset my_dataset
    """
)
BENCHMARKS = _words("mteb beir c-mteb c_mteb cmteb rteb mmteb mteb/mteb miracl-benchmark benchmark leaderboard")
# Ids that the Hub gave without an owner until 2023, and still follows.
LEGACY = _words(
    """
    glue super_glue squad squad_v2 imdb ag_news xnli snli anli multi_nli paws paws-x stsb_multi_mt ms_marco natural_questions
    hotpot_qa trivia_qa quora fever emotion amazon_polarity amazon_reviews_multi banking77 tatoeba conll2003 wikiann xsum
    cnn_dailymail samsum common_voice librispeech_asr gsm8k hellaswag winogrande ai2_arc truthful_qa openai_humaneval mbpp drop
    boolq piqa openbookqa wikitext c4 billsum mlsum race sciq commonsense_qa cosmos_qa social_i_qa story_cloze xcopa xquad mlqa
    tydiqa xtreme pubmed_qa sick assin assin2 tweet_eval yelp_polarity yelp_review_full dbpedia_14 yahoo_answers_topics sst sst2
    rotten_tomatoes wiki_qa eli5 wmt14 wmt16 wmt19 opus100 un_pc multi_news big_patent scitldr gigaword
    reddit_tifu newsroom code_search_net cifar10 cifar100 mnist fashion_mnist food101 beans imagefolder audiofolder json csv text
    wnut_17 ncbi_disease cats_vs_dogs multi_para_crawl hate_speech18 adversarial_qa lener_br indonlu common_language covost2
    multilingual_librispeech superb minds14 math_qa mc_taco clue cmrc2018 klue kor_nli turkish_ner swag headqa head_qa
    tydiqa_primary flores_101 tatoeba_mt dialogsum logiqa webqs diabla crows_pairs
    """
)
# MTEB tasks that have scores on a split called train, from the leaderboard's data of August 2026, save five that are trained on there.
TRAIN_SPLIT_TASKS = _words(
    """
    ajgt beijingopera bengalihatespeechclassification bengalisentimentanalysis biblenlpbitextmining birdclef crema_d
    crema_dclustering chemhotpotqaretrieval codeeditsearchretrieval coderaglibrarydocumentationsolutions coderagonlinetutorials
    coderagprogrammingsolutions danfever danfeverretrieval danishpoliticalcommentsclassification esc50 esc50clustering
    esc50_zeroshot faroesests financialphrasebankclassification frenchbookreviews gtzangenre gtzangenreclustering
    gunshottriangulation hatespeechportugueseclassification hindidiscourseclassification hotelreviewsentimentclassification
    iemocapemotion iemocapgender irpaperst2iretrieval irpaperst2itretrieval indonesianidclickbaitclassification
    isizulunewsclassification kannadanewsclassification korhateclassification korsarcasmclassification libricount
    lincemtbitextmining minds14 mkqaretrieval mridinghamstroke mridinghamtonic myanmarnews nanoarguanaretrieval
    nanoclimatefeverretrieval nanodbpediaretrieval nanofeverretrieval nanofiqa2018retrieval nanohotpotqaretrieval
    nanomsmarcoretrieval nanonfcorpusretrieval nanonqretrieval nanoquoraretrieval nanoscidocsretrieval nanoscifactretrieval
    nanotouche2020retrieval nepalinewsclassification nollysentibitextmining nusatranslationbitextmining nusaxbitextmining
    onlinestorereviewsentimentclassification phincbitextmining ravdesszeroshot restaurantreviewsentimentclassification
    sib200classification sibfleurs sanskritshlokasclassification sentimentanalysishindi sinhalanewsclassification
    sinhalanewssourceclassification siswatinewsclassification spanishnewsclassification spokeenglish spokenenglish spokenqaforic
    swahilinewsclassification tutacousticscenes turkicclassification tweetemotionclassification twitterhjerneretrieval
    ukrformalityclassification urbansound8k urbansound8kzeroshot urduromansentimentclassification vdrmultilingualretrieval
    voicegenderclustering voxcelebsa voxlingua107_top10 voxpopuliaccentid voxpopuligenderclustering voxpopuligenderid
    voxpopulilanguageid
    """
)


def is_commit(revision: str) -> bool:
    """Tell whether a data set's revision names one state of it for ever."""
    return bool(COMMIT.match(revision.lower()) or COMBINED.search(revision))


def id_problem(dataset_id: str) -> str | None:
    """Say what keeps a text from being a data set's id: `placeholder`, `benchmark`, `address`, `form`, `legacy` or `owner`."""
    text = dataset_id.strip()
    if text.lower() in PLACEHOLDERS or not text:
        return "placeholder"
    if text.lower() in BENCHMARKS:
        return "benchmark"
    if re.match(r"(?:https?:|www\.|hf\.co/|huggingface\.co/)", text, re.IGNORECASE):
        return "address"
    if ID.match(text):
        return None
    if not NAME.match(text):
        return "form"
    return "legacy" if text.lower() in LEGACY else "owner"


def task_name(dataset: str | None) -> str:
    """Return an MTEB task's name from the name of a data set: `MTEB STS22 (ru)` → `sts22`."""
    text = re.sub(r"\s{0,3}\([^()]{0,80}\)\s{0,3}$", "", (dataset or "").strip())
    return re.sub(r"^mteb[\s/_-]{1,3}", "", text, flags=re.IGNORECASE).strip().lower()


def trains_on_train_split(dataset: str | None) -> bool:
    """Tell whether MTEB evaluates this task on a split that is called train."""
    return task_name(dataset) in TRAIN_SPLIT_TASKS


def check_datasets(facts: Facts, file: str, located: Located, results: list[Result]) -> None:
    """Note revisions and ids that lead to no data, splits that were trained on, and results without a split."""

    def place(result: Result, key: str) -> Location:
        return Location(file, *located.place((*result.path, "dataset", key)))

    on_data = [result for result in results if not (result.is_speed or result.is_combined)]
    revisions = ((result.revision, place(result, "revision")) for result in on_data if result.revision and not is_commit(result.revision))
    for revision, count, where in _counted(revisions):
        facts.add("results.revisions", where, revision=revision[:80], count=count)
    _ids(facts, on_data, place)
    trained = [result for result in results if (result.split or "").lower() == "train" and not trains_on_train_split(result.dataset)]
    for dataset, count, where in _counted((result.what, place(result, "split")) for result in trained):
        facts.add("results.train_splits", where, dataset=dataset, count=count)
    without = [place(result, "name") for result in results if result.split is None and result.dataset_id is not None and result.metrics]
    if without:
        facts.add("results.splitless", without[0], count=len(without), of=len(results))


def _ids(facts: Facts, results: list[Result], place: Callable[[Result, str], Location]) -> None:
    """Note ids that are none. Those without an owner are one row: a card of 2023 has fourteen."""
    named: dict[str, list[Result]] = {}
    for result in results:
        if result.dataset_id is not None:
            named.setdefault(result.dataset_id, []).append(result)
    groups: dict[tuple[str, bool, str], list[str]] = {}
    for dataset_id, rows in named.items():
        problem = id_problem(dataset_id)
        pinned = all(COMMIT.match((row.revision or "").lower()) for row in rows)
        if problem == "legacy" and not pinned and (rows[0].dataset or "").startswith("MTEB"):  # MTEB has its own copies, under owners
            problem = "owner"
        if problem:
            groups.setdefault((problem, pinned, "" if problem in ("owner", "legacy") else dataset_id), []).append(dataset_id)
    for (problem, pinned, _), ids in groups.items():
        others = ", ".join(f"`{name[:80]}`" for name in ids[1:SHOWN]) + (", …" if len(ids) > SHOWN else "")
        facts.add(
            "results.dataset_ids", place(named[ids[0]][0], "type"), id=ids[0][:80], problem=problem, pinned=pinned, ids=len(ids),
            others=others, count=sum(len(named[name]) for name in ids),
        )  # fmt: skip


def _counted(found: Iterable[tuple[str, Location]]) -> Iterator[tuple[str, int, Location]]:
    """Yield each text once, with how often it occurs and its first place."""
    places: dict[str, Location] = {}
    counts: Counter[str] = Counter()
    for text, place in found:
        places.setdefault(text, place)
        counts[text] += 1
    for text, place in places.items():
        yield text, counts[text], place
