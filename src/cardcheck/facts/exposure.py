"""Sentences that tell what the model was trained on, and whether a benchmark or its test data was among it."""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING

from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardcheck.facts.prose import Prose

MAX_SENTENCE = 600  # characters
MAX_BLOCK = 6000

TRAINED = r"(?:(?:pre-?\s?|further |jointly )?(?:re-?)?trained|(?:fine-?\s?)?tuned|distilled|optimi[sz]ed)"
TRAINING = r"(?:(?:pre-?\s?)?train(?:ed|ing|s)?|fine-?\s?tun(?:ed|ing|es?)|tun(?:ed|ing)|distill(?:ed|ation))"
BOARD = r"(?:c-?mteb|mmteb|mteb|rteb|beir|nanobeir)"
SETS = r"(?:sets?|splits?|data|queries|questions|portions?|pairs|partitions?|examples|samples|sentences|documents)"
TESTS = rf"(?:test(?:ing)?|evaluation|held-out)[\s-]{SETS}"
WORDS = r"(?:[(\w*`'\u2019&+/-]{1,40}[\s,]{1,2})"


def _any(*branches: str) -> Pattern:
    return Pattern("|".join(branches), re.IGNORECASE)


MACHINE = r"(?:an? |the |one |single |\d{1,4} ?x? ?|nvidia |google |cloud )*(?:gpus?|tpus?|[avh]100|rtx|t4|l4|cpus?|colab|top\b)"
TOLD = _any(
    rf"\b{TRAINING}\s(?:[\w-]+\s){{0,6}}?(?:up)?on\s(?!{MACHINE})",
    rf"\b{TRAINING}\b[^.]{{0,80}}?\b(?:data ?sets?|corpus|corpora|pairs|triplets)\b",
    r"\btraining[\s-](?:data|set|corpus|corpora|pairs|samples|examples|datasets?)\b",
    # "as [theirs], and keep the other training conditions unchanged": told by reference to a model that is linked
    r"(?:https?://|\]\()[^\n]{1,300}?\b(?:same|other|identical)\s(?:[\w-]{1,20}\s){0,2}?train(?:ing|ed)\b",
    r"\b(?:same|identical)\s(?:[\w-]{1,20}\s){0,2}?(?:training|data|recipe)\b[^\n]{0,60}?\b(?:as|of|like)\b[^\n]{0,30}?(?:https?://|\[|`)",
    "训练|微调|訓練|微調|合成数据|学習|ファインチューニング|학습|훈련|파인튜닝|미세 ?조정|обуч|дообуч",
    r"huấn luyện|tinh chỉnh|\bTrainings?daten|\b(?:auf|mit|an|anhand)\b[^.\n]{1,80}?(?:trainiert|feinabgestimmt)\b"
    r"|\b(?:trainiert|feinabgestimmt)\s(?:wurde\s)?(?:auf|mit|an|anhand)\b",
    r"\bdonn[ée]es d['\u2019]entra[iî]nement\b|\b(?:entra[iî]n|affin|sp[ée]cialis)[ée]e?s?\s(?:\w{1,20}\s){0,3}?(?:sur|avec|à partir)\b",
    r"\b(?:entrenad|ajustad|treinad|addestrat)[oaie]s?\s(?:\w{1,20}\s){0,3}?(?:con|sobre|en|em|com|usando|su|sul|sulla|a partir)\b"
    r"|\b(?:datos de entrenamiento|dados de treinamento|dati di addestramento)\b",
    r"\b(?:wy)?trenowan|\bdotrenowan|\beğitil|\bdilatih\b|\bgetraind op\b|تدريب|آموزش",
)
ON_TRAINING = Pattern(rf"\b{TRAINING}\b", re.IGNORECASE)
ADVICE = Pattern(r"\byou(?:rs?)?\b|\bcan be\b|\bif\b|\bhow to\b", re.IGNORECASE)
# Test data in training: "trained on the train, dev and test splits of X", "the test queries were used for training".
TEST = _any(
    rf"\b{TRAINED}\b[^.]{{0,80}}?\b(?:on|with|using|including|includes?|plus)\s{WORDS}{{0,12}}?(?P<what1>{TESTS}\b|all (?:of the "
    rf"|available |its )?splits)",
    rf"\b(?:training|fine-?tuning) (?:data|set|corpus|mix(?:ture)?|datasets?) (?:also )?(?:includes?|contains?|covers?|comprises?"
    rf"|adds?)\s{WORDS}{{0,8}}?"
    rf"(?P<what2>{TESTS})\b",
    rf"\b(?P<what3>{TESTS}) (?:of {WORDS}{{1,6}})?(?:(?:was|were|is|are|has been|have been) )?(?:also )?"
    rf"(?:used|included|added|part of|mixed|merged|seen|kept) (?:\w+ ){{0,3}}?(?:in|into|for|during|to|of)? ?(?:the )?(?:\w+ )?{TRAINING}",
    rf"\b(?:includ|contain|add)\w* {WORDS}{{0,5}}?(?P<what4>{TESTS}) {WORDS}{{0,5}}?(?:in|into|for|during) (?:the )?(?:\w+ )?{TRAINING}",
    rf"\b{TRAINED} on train ?[+&] ?(?P<what5>test)\b",
    r"(?:使用|用|包含|加入|混入)[^。\n]{0,20}(?P<what6>测试集)[^。\n]{0,12}(?:训练|微调)",
)
NOT_TEST = Pattern(
    r"\bpossibl|\bpotential|\bmay\b|\bmight\b|\brandom|\bdivid|\bsplit into|\d\s?%|\bvalidated\b|\bstopping\b|\bwhile\b|\bwhereas\b"
    r"|\bfor the (?:test|validation)",
    re.IGNORECASE,
)
EVALUATED = Pattern(
    r"\b(?:evaluated|evaluating|evaluate|tested|testing (?:it|on)|results? (?:on|for|in)|scor(?:es?|ed|ing)|perform\w*|benchmarked"
    r"|reach\w*|achiev\w*|accuracy|spearman|report\w*|measured|comput\w*|monitor\w*|rank\w*|outperform\w*|surpass\w*|state-of-the-art"
    r"|sota|competitive)\b",
    re.IGNORECASE,
)
# A benchmark as a whole in training: "trained on all of MTEB", "fine-tuned on the MTEB benchmark".
WHOLE = _any(
    rf"\b{TRAINED}\b[^.;]{{0,60}}?\b(?:on|with|using)\s(?:{WORDS}{{0,6}}?(?:and|plus) )?(?:(?:all|the|whole|entire|full|complete|most"
    rf"|every\w*|many|of|tasks|"
    rf"in|from|data|datasets?|sets?|retrieval|sts|classification)\s){{0,6}}\[?(?P<what>{BOARD})\b(?P<rest>[^.,;]{{0,40}})",
    rf"\btraining (?:data|set|corpus|datasets?) (?:\w+ )?(?:includes?|contains?|covers?|comprises?"
    rf"|consists? of)\s{WORDS}{{0,5}}?\[?(?P<what2>{BOARD})\b"
    r"(?P<rest2>[^.,;]{0,40})",
)
NOT_WHOLE = Pattern(
    r"[\s\])(-]{0,4}(?:[-\s]?(?:format|style|like|code|scripts?|framework|librar|hardware|prompts?|instructions?|team|repo|github|by"
    r"|loss|scores?|results?|average|leaderboard|ranks?|ranking|evaluation|metrics?))",
    re.IGNORECASE,
)
SPLIT_WORDS = Pattern(r"\btrain(?:ing)?[\s-](?:sets?|splits?|portions?|parts?|subsets?|queries|pairs|examples)\b", re.IGNORECASE)
# Its training sets: honest and usual, but no longer zero-shot.
SPLITS = _any(
    rf"\b(?P<what>{BOARD})(?:'s)?\]?(?:\([^)\s]{{1,200}}\))?[\w\s-]{{0,30}}?\btrain(?:ing)?[\s-](?:sets?|splits?|datasets?|portions?"
    rf"|subsets?)\b",
    rf"\btrain(?:ing)?[\s-](?:sets?|splits?|datasets?|portions?|subsets?) (?:of|from|in) (?:the |all |most |its )*\[?(?P<what2>{BOARD})\b",
)
PRIVATE = _any(
    rf"\b(?:{TRAINING}|leverages?)\b[^.&]{{0,120}}?\b(?P<what>(?:private|proprietary|in-?house|internal|undisclosed|confidential"
    rf"|non-?public|closed-source)\b"
    r"(?:\s[\w-]{1,30},?){0,5}?\s(?:data|data ?sets?|corpus|corpora|pairs|collections?|documents|logs|queries))\b",
    r"\b(?P<what2>(?:private|proprietary|in-?house|internal|undisclosed|confidential|non-?public) (?:[\w-]{1,30} ){0,3}?(?:data"
    r"|data ?sets?|corpus|corpora|pairs)) "
    rf"(?:was|were|is|are) used (?:for|in|to) (?:the )?{TRAINING}",
    r"\b(?P<what3>training (?:data|set|corpus|datasets?) (?:is|are|was|were|remains?|has been|have been|will"
    r"|can) (?:\w+ ){0,3}?(?:private|proprietary|internal"
    r"|confidential|undisclosed|not (?:be(?:en)? )?(?:public|publicly|released|disclosed|available|shared)|kept private))",
)
NOT_PRIVATE = Pattern(
    r"\bif\b|\bthey\b|\bout-of-the-box\b|\bcompetitive with\b|\bcompar|\bunlike\b"
    r"|\bthan models\b|\busers?'?\b|\byour?\b|\btests? on\b|\boften\b|\badapt\b|\bother\b|\bkeep|"
    r"\bprotect|\bpreserv|\bno\b"
    r"|\bnot\b(?! (?:be|pub|rel|dis|av|sh))",
    re.IGNORECASE,
)
# Choices that were made by looking at a benchmark's results.
TUNED = _any(
    r"\b(?P<what>(?:leaderboard|benchmark|mteb)-(?:adapted|tuned|optimi[sz]ed))\b",
    r"\b(?P<what2>(?:prompts?|instructions?|hyper-?parameters?|weights|checkpoints?|layers?|thresholds?|coefficients?|merge|composition"
    r"|ratios?|configuration|seeds?|temperature|pooling|routing) (?:\w+ ){0,6}?(?:was|were|is|are|has been|have been) (?:\w+ ){0,2}?"
    r"(?:optimi[sz]ed|tuned|selected|searched|chosen|evolved|picked|adapted|calibrated)\b[^.]{0,60}?"
    rf"\b(?:on|against|for|by|using|comparing|from|according to|with)\b[^.]{{0,40}}?\b(?:{BOARD}|test (?:sets?|queries|splits?|scores?)"
    rf"|leaderboard"
    r"|benchmark (?:results?|scores?|queries|tasks?|test)|public \w+ results))\b",
    rf"\bmodel (?:was|is|has been) (?:\w+ )?(?P<what4>(?:optimi[sz]ed|tuned|adapted|selected|calibrated) (?:on|against|using"
    rf"|by) (?:\w+ ){{0,3}}?(?:{BOARD}|leaderboard))\b",
    rf"\b(?P<what3>(?:select|choos|chose|pick|optimi[sz]|tun|search|evolv)\w* (?:the |our |its |each )?(?:best )?(?:prompts?"
    rf"|instructions?|hyper-?parameters?|weights|checkpoints?"
    rf"|layers?|merge \w+|coefficients?|thresholds?)\b[^.]{{0,40}}?\b(?:on|against|by|using|according to"
    rf"|based on)\b[^.]{{0,30}}?\b(?:{BOARD}|test (?:sets?|queries"
    r"|splits?|scores?)|leaderboard|benchmark (?:results?|scores?|queries|tasks?)))\b",
)
ROUTER = _any(
    r"\b(?P<what>task[- ](?:type[- ])?rout(?:er|es?|ing)|rout(?:er|es|ing|ed)\b[^.]{0,40}?\b(?:by|per|on|to"
    r"|based on)\b[^.]{0,30}?\btask[- ]types?"
    r"|(?:different|separate|another) (?:\w+ ){0,2}models? (?:\w+ ){0,3}?(?:for each|per|by|depending on the) (?:mteb "
    r"|benchmark )?task(?:[- ]type)?)\b",
)
UNSEEN = _any(
    rf"\b(?:no|not|never|without|none|nor|excludes?|excluding)\b[^.]{{0,50}}?\b(?:{TRAINING}|overlap|contaminat\w+|seen|saw|exposed)\b"
    rf"[^.]{{0,40}}?\b(?P<what>{BOARD})\b",
    # data that was not used, while "no prompts are used on MTEB" says nothing of training
    rf"\b(?:no|not|never|without|nor)\b[^.]{{0,50}}?\bus(?:e|ed|ing)\b[^.]{{0,40}}?\b(?P<what6>{BOARD})(?:'s)?\s(?:\w{{1,20}}\s){{0,2}}?(?:train|data"
    r"|sets?|samples|queries|examples|corpus|splits?)",
    rf"\bno (?:\w+ ){{0,2}}?(?P<what5>{BOARD})\b[^.]{{0,40}}?\b(?:used|seen|{TRAINING})\b",
    rf"\b(?P<what2>{BOARD})\b[^.]{{0,50}}?\b(?:is|are|was|were|has|have)\b[^.]{{0,20}}?\b(?:not|never|no)\b[^.]{{0,30}}?\b{TRAINING}",
    rf"\bzero-?shot (?:\w+ ){{0,3}}?(?:on|across|for) (?:all |of |the )*(?P<what3>{BOARD})\b",
    rf"\b(?P<what4>{BOARD})\b[^.]{{0,40}}?\b(?:fully|truly|strictly|entirely|100 ?%|completely) zero-?shot",
)
NOT = Pattern(
    r"\b(?:no|not|never|neither|nor|without|exclu\w+|remov\w+|de-?contaminat\w+|de-?duplicat\w+|filter\w*|avoid\w*|except|overlap\w*"
    r"|prevent\w*"
    r"|rather than|instead|leak\w*|unseen|cannot|should|must|could|would|if|nothing|zero|unlike|they|others?|disjoint|separate)\b"
    r"|n['\u2019]t\b|不|没有|未",
    re.IGNORECASE,
)
# Words without which a sentence cannot be of a kind: looking for them is far cheaper than a pattern.
TRAINS = ("train", "tun", "distil", "optimi")
ELSEWHERE = (
    "训练", "微调", "訓練", "微調", "合成数据", "学習", "ファインチューニング", "학습", "훈련", "파인튜닝", "미세", "обуч", "huấn luyện",
    "tinh chỉnh", "feinabgestimmt", "entraîn", "affiné", "spécialisé", "entrenad", "entrenamiento", "ajustad", "treinad", "treinamento",
    "addestra", "trenowan", "eğitil", "dilatih", "تدريب", "آموزش",
)  # fmt: skip
CHOOSES = ("adapted", "tun", "optimi", "select", "search", "chosen", "choos", "chose", "evolv", "pick", "calibrat")
BOARDS = ("mteb", "beir", "rteb")
BENCHMARKS = (*BOARDS, "leaderboard", "benchmark", "test set", "test quer", "test split", "test score", "public")
TESTING = ("test", "evaluation", "held-out", "splits", "测试")
HIDDEN = (
    "private",
    "proprietary",
    "in-house",
    "inhouse",
    "internal",
    "closed",
    "confidential",
    "public",
    "released",
    "available",
    "shared",
)
BY_TASK = ("rout", "each task", "per task", "by task", "the task", "each mteb", "each benchmark")
KEYWORDS = (*TRAINS, *BOARDS, *BY_TASK, *ELSEWHERE)
BLOCK = Pattern(r"[ \t]{0,12}(?:[-*+•|>#]|\d{1,3}[.)])")
ENDS = Pattern(r"(?<=[.!?])[\"')*_]{0,3}\s+(?=[\"'(\[*_`]{0,3}[A-ZÀ-Þ])|(?<=[。\uff01\uff1f])")


def kinds(sentence: str, *, enough: bool = False) -> Iterator[tuple[str, re.Match[str]]]:
    """Yield what a sentence says of training, each with the words that say it; the kinds are those of `training.statements`.

    `enough` says that sentences of the kind told are of no more interest.
    """
    lower = sentence.lower()
    if _has(lower, TRAINS) or _has(lower, ELSEWHERE):
        yield from _of_training(sentence, lower, enough=enough)
    if _has(lower, CHOOSES) and _has(lower, BENCHMARKS) and (found := TUNED.search(sentence)) and not NOT.search(sentence):
        yield "tuned", found
    if _has(lower, BY_TASK) and (found := ROUTER.search(sentence)) and not NOT.search(sentence) and "need" not in lower:
        yield "router", found
    if _has(lower, BOARDS) and (found := UNSEEN.search(sentence)):
        yield "unseen", found


def is_on_training(sentence: str) -> bool:
    """Tell whether a sentence speaks of the model's training at all, and is no advice to those who train it further."""
    return bool(ON_TRAINING.search(sentence)) and not ADVICE.search(sentence)


def _has(text: str, words: Iterable[str]) -> bool:
    return any(word in text for word in words)


def _of_training(sentence: str, lower: str, *, enough: bool) -> Iterator[tuple[str, re.Match[str]]]:
    if not enough and (told := TOLD.search(sentence)):
        yield "told", told
    if _has(lower, HIDDEN) and (found := PRIVATE.search(sentence)) and not NOT_PRIVATE.search(sentence):
        yield "private", found
    tests, boards = _has(lower, TESTING), _has(lower, BOARDS)
    if not (tests or boards) or NOT.search(sentence):
        return
    if tests and (found := TEST.search(sentence)) and not EVALUATED.search(found[0]) and not NOT_TEST.search(sentence):
        yield "test", found
    elif boards and (found := SPLITS.search(sentence)) and TOLD.search(sentence):
        yield "splits", found
    elif boards and (found := WHOLE.search(sentence)) and _is_whole(sentence, found):
        yield "benchmark", found


def _is_whole(sentence: str, found: re.Match[str]) -> bool:
    """Tell whether a benchmark stands there as a source of training data: not as a style, a test, or by its training sets alone."""
    if found["what2"]:
        return not NOT_WHOLE.match(found["rest2"])
    named = sentence[found.start() : found.start("rest")]
    return not SPLIT_WORDS.search(sentence) and not EVALUATED.search(named) and not NOT_WHOLE.match(found["rest"])


def sentences(prose: Prose) -> Iterator[tuple[int, str]]:
    """Yield the sentences that may speak of training, with their offsets; line ends inside one have become spaces, so that places stay."""
    words = [*KEYWORDS, *(CHOOSES if _has(prose.words_lower, BENCHMARKS) else ())]
    places = sorted(_places(prose.words_lower, words))
    if not places:
        return

    def holds(start: int, end: int) -> bool:
        at = bisect.bisect_left(places, start)
        return at < len(places) and places[at] < end

    for start, block in _blocks(prose.words):
        if holds(start, start + len(block)):
            for offset, sentence in split(block, start):
                if holds(offset, offset + len(sentence)):
                    yield offset, sentence


def _places(text: str, words: Iterable[str]) -> Iterator[int]:
    for word in words:
        at = text.find(word)
        while at >= 0:
            yield at
            at = text.find(word, at + len(word))


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Yield paragraphs, list items and headings, each on one line."""
    offset, start, size = 0, 0, 0
    held: list[str] = []
    for line in text.split("\n"):
        blank = not line or line.isspace()
        if held and (blank or size > MAX_BLOCK or BLOCK.match(line) or held[-1].lstrip()[:1] == "#"):
            yield start, " ".join(held)
            held, size = [], 0
        if not blank:
            if not held:
                start = offset
            held.append(line)
            size += len(line)
        offset += len(line) + 1
    if held:
        yield start, " ".join(held)


def split(block: str, offset: int) -> Iterator[tuple[int, str]]:
    """Yield the sentences of a paragraph with their offsets, which begin at `offset`."""
    done = 0
    for stop in ENDS.finditer(block):
        yield offset + done, block[done : stop.start()][:MAX_SENTENCE]
        done = stop.end()
    yield offset + done, block[done:][:MAX_SENTENCE]
