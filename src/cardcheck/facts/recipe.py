"""What the card says of pooling, prompts, normalisation and similarity, and the modules whose printed form it holds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cardcheck.facts.statements import before, shown
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.facts.located import Location
    from cardcheck.facts.model import Facts
    from cardcheck.facts.statements import Block, Lines

# ---- modules: what `print(model)` of sentence-transformers gives
PRINTED = Pattern(
    r"^[ \t]{0,8}\w{0,40}(?:Transformer|Encoder|CoSENT)\w{0,20}\([ \t]{0,4}\n((?:[ \t]{1,12}[^\n]{0,2000}\n){1,60})", re.MULTILINE
)
MODULE = Pattern(r"^([ \t]{1,12})\((\d{1,2})\): (\w{1,60})\(([^\n]{0,2000})", re.MULTILINE)
SWITCH = Pattern(r"'pooling_mode_(cls|mean|max|weightedmean|lasttoken|mean_sqrt_len)(?:_tokens?)?': True|'pooling_mode': '(\w{1,30})'")
SETTING = Pattern(r"'(word_embedding_dimension|embedding_dimension|in_features|out_features|max_seq_length)': (\d{1,7})\b")

# ---- pooling
MAX_POOLING = 15  # statements; a rule holds each against the others, and the others against one another
MODES = {"average": "mean", "avg": "mean", "averaging": "mean", "last": "lasttoken", "eos": "lasttoken", "weighted": "weightedmean"}
WORDS = r"(weighted[ -]?mean|mean|average|avg|\[?cls\]?(?:[ -]token)?|last[ -]?token|eos(?:[ -]token)?|max)"
POOL_CALL = Pattern(
    r"(?<!def )(?<![\w.])(?:self\.)?_?(weighted_mean|mean|average|avg|cls|last_token|last|eos|max)(?:_token)?_pool(?:ing)?\(", re.IGNORECASE
)
POOL_INDEX = Pattern(
    r"(?:last_hidden_state|\b(?:model_)?outputs?\[0\]|\bmodel\([^()\n]{0,80}\)\[0\])(?:\[:, ?(?P<at>0|-1)\s?[\],]|\.(?P<mean>mean)\()"
)
POOL_OPTION = Pattern(
    r"\bpooling(?:_mode|_method|_strategy|_type)?[\"']?\s{0,3}[:=]\s{0,3}[\"'](mean|cls|last_token|lasttoken|max|eos)[\"']"
    r"|\bpooling_mode_(cls|mean|max|lasttoken|weightedmean)(?:_tokens?)?\s{0,3}=\s{0,3}True",
    re.IGNORECASE,
)
POOL_DEFINED = Pattern(r"\bdef \w{0,30}pool")
POOL_TEXT = Pattern(
    r"\bpooling(?:[ -](?:method|mode|strategy|function|type|layer))?\b[\s*_`|:=]{1,12}(?:is\s{1,3}|the\s{1,3})?\[?" + WORDS + r"\b"
    r"|\b(?:uses?|using|with|applies|apply|via|by|through)\s{1,3}(?:the\s{1,3}|an?\s{1,3}|`|\*\*)?" + WORDS + r"[\s-]pool(?:ing|ed)\b"
    r"|\b" + WORDS + r"[\s-]pool(?:ing|ed) (?:is|was|over|of|across|on top|token)\b"
    r"|\b(averag)(?:e of|ing)(?: all)?(?: the)? token (?:embeddings|vectors|representations)\b"
    r"|\b(mean) of(?: all)?(?: the)? token (?:embeddings|vectors)\b"
    r"|\[?\b(cls)\b\]?(?: token)?(?:'s)?(?: embedding| vector| representation| output)? (?:is|are) (?:used|taken) as (?:the )?"
    r"(?:\w{1,20} )?(?:embedding|representation|vector)",
    re.IGNORECASE,
)
POOL_COMMENT = Pattern(r"#[ \t]{0,4}Perform pooling\. In this case,? " + WORDS + r"\b(?: pooling)?", re.IGNORECASE)
ELSEWHERE = Pattern(r"\b(?:unlike|instead of|rather than|not|compared|than|baseline|away from|don't|versus|vs\.?)\b", re.IGNORECASE)

# ---- prompts: texts that are put before the input, in the forms that are in use
BGE_CHINESE = "\u4e3a\u8fd9\u4e2a\u53e5\u5b50\u751f\u6210\u8868\u793a\u4ee5\u7528\u4e8e\u68c0\u7d22\u76f8\u5173\u6587\u7ae0\uff1a"
TASKS = r"(?:search_query|search_document|[Qq]uery|[Pp]assage|document|clustering|classification)"
PROMPT = Pattern(
    rf"[\"'`“](?P<plain>{TASKS} ?:) ?(?=[^\s\"'`,}}\]]|[\"'`” ])"
    rf"|\b(?:start|begin|prefix(?:ed)?|prepend(?:ed)?)(?: \w{{1,20}}){{0,3}} (?P<said>{TASKS}:)"
    r"|[\"'`“](?P<task>task: [^\"'`|\n]{1,60}\| query:|title: [^\"'`|\n]{1,60}\| text:)"
    r"|(?:(?<=[\"'`“])|^[ \t]{0,12})(?P<instruct>Instruct: ?(?:\{[^{}\n]{1,60}\}|[^\"'`\\\n{]{3,200}))"
    rf"|[\"'`“](?P<represent>Represent this (?:sentence|query|question|text)[^\"'`\n]{{0,80}}?:)|(?P<chinese>{BGE_CHINESE})",
    re.MULTILINE,
)
PROMPT_NAME = Pattern(r"\bprompt_name\s{0,3}=\s{0,3}[\"']([^\"'\n]{1,60})[\"']")
ENCODER = Pattern(r"\b(?:SentenceTransformer|CrossEncoder|SparseEncoder)\(|\.(?:encode|predict|rank)\w{0,20}\(")
PROMPT_WORDS = (
    "query:",
    "query :",
    "passage:",
    "document:",
    "clustering:",
    "classification:",
    "instruct:",
    "represent this",
    "| text:",
    BGE_CHINESE,
)

# ---- normalisation
UNIT = r"(?:(?:l2|unit)[- ])?normali[sz]ed"
VECTORS = r"(?:embeddings|vectors|outputs)"
NORMALISED = Pattern(
    rf"(?:\b(?:produces|outputs|returns)\s)?\bnormali[sz]ed(?: {VECTORS})?[\s*_`]{{0,6}}[|:][\s*_`|]{{0,6}}(?P<table>yes|no|true|false)\b"
    r"|\b(?P<model>(?:this|the|our) model|it|which)\s(?:already\s|always\s)?(?:produces|outputs|returns|yields|generates|gives)\s"
    rf"(?:{UNIT}\s(?:\w{{1,20}}\s)?{VECTORS}|unit[- ](?:length |norm )?{VECTORS}|{VECTORS} of unit (?:length|norm))"
    rf"|(?:^[ \t>*|•-]{{0,9}}|[.,:;]\s)(?P<are>(?:(?:output|sentence|resulting|all|the|its)\s){{0,3}}{VECTORS} (?:are|is|have) "
    rf"(?P<never>not |never )?(?:already |always |automatically )?(?:{UNIT}\b|unit (?:length|norm|vectors)))",
    re.IGNORECASE | re.MULTILINE,
)
ONLY_IF = Pattern(r"\b(?:if|should|must|make sure|ensure|unless)\b", re.IGNORECASE)
NOT_BY_ITSELF = Pattern(r"\b(?:if|when|should|must|make sure|ensure|after|once|unless|need|before|by)\b", re.IGNORECASE)

# ---- similarity
FUNCTIONS = {"inner": "dot", "l2": "euclidean", "l1": "manhattan"}
FUNCTION = r"(cosine|dot(?=[ -](?:product|score))|inner(?= product)|euclidean|manhattan|l2(?= dist)|l1(?= dist))\b"
SIMILARITY = Pattern(
    r"(?:(?:\bsimilarity[ _-](?:function|metric|measure|fn_name)|\bdistance (?:function|metric|measure)"
    r"|\b(?:suitable|recommended) (?:(?:score|scoring|similarity|distance) functions?|similarity|distance)|^[ \t>*|•-]{0,9}similarity)"
    r"[\s*_`|:=\"']{1,20}(?:is\s|the\s)?|\buse (?:the )?"
    r"|\b(?:compared?|comput|scored?|rank)(?:e?d|ing)?(?: \w{1,20}){0,3} (?:with|by|using|via) (?:the )?"
    rf"|\b(?:trained|designed|optimi[sz]ed|tuned) (?:for|with|to be used with) (?:the )?){FUNCTION}(?P<rest>[^\n]{{0,120}})",
    re.IGNORECASE | re.MULTILINE,
)
NO_FUNCTION = Pattern(r"[^\n]{0,20}\bloss\b", re.IGNORECASE)


def collect_recipe(facts: Facts, source: Lines) -> None:
    """Fill the group `says`."""
    if "(0): " in source.text:
        _printed(facts, source)
    _pooling(facts, source)
    _prompts(facts, source)
    _normalised(facts, source)
    _similarity(facts, source)


def _printed(facts: Facts, source: Lines) -> None:
    """Note the printed modules; a card that prints two models says nothing of one."""
    prints = list(PRINTED.finditer(source.text))
    shapes = {" ".join(found[1].split()) for found in prints}
    if len(shapes) != 1:
        return
    offset, block = prints[0].start(1), prints[0][1]
    modules = list(MODULE.finditer(block))
    modules = [found for found in modules if found[1] == modules[0][1]]
    if [int(found[2]) for found in modules] != list(range(len(modules))) or not modules:
        return
    size: int | None = None
    for found in modules:
        place = source.at(offset + found.start(3))
        facts.add("says.modules", place, name=found[3])
        settings = {setting[1]: int(setting[2]) for setting in SETTING.finditer(found[4])}
        if found[3] == "Pooling":
            modes = [switch[1] or switch[2] for switch in SWITCH.finditer(found[4])]
            size = settings.get("word_embedding_dimension", settings.get("embedding_dimension"))
            facts.set("says.printed_pooling", modes[0] if len(modes) == 1 else None, place)
            size = size * max(len(modes), 1) if size else None
        elif "out_features" in settings:
            size = settings["out_features"]
        elif "max_seq_length" in settings:
            facts.set("says.printed_tokens", settings["max_seq_length"], place)
    facts.set("says.printed_dimension", size, source.at(offset + modules[-1].start(3)))


def _mode(word: str) -> str:
    word = word.lower().strip("[]").replace("_", " ").replace("-", " ").split()[0]
    return MODES.get(word, "weightedmean" if word.startswith("weighted") else "mean" if word == "averag" else word)


def _pooling(facts: Facts, source: Lines) -> None:
    for block in source.blocks:
        lower = source.lower[block.start : block.end]
        if "pool" in lower or "last_hidden_state" in lower or "[0]" in lower:
            _pooling_code(facts, source, block)
    for first, last in source.lines("pool", "token"):
        for found in POOL_TEXT.finditer(source.text, first, last):
            word = next(group for group in found.groups() if group)
            if not ELSEWHERE.search(before(source.text, found.start())):
                _say_pooling(facts, source, found.start(), word, where="text", own=True, text=found[0])


def _say_pooling(facts: Facts, source: Lines, start: int, word: str, *, where: str, own: bool, text: str) -> None:
    if len(facts["says.pooling"]) < MAX_POOLING:
        facts.add("says.pooling", source.at(start), mode=_mode(word), where=where, own=own, text=shown(text))


def _pooling_code(facts: Facts, source: Lines, block: Block) -> None:
    calls = [(found.start(), found[1], found[0]) for found in POOL_CALL.finditer(block.text)]
    calls += [(found.start(), found[1] or found[2], found[0]) for found in POOL_OPTION.finditer(block.text)]
    if not calls and not POOL_DEFINED.search(block.text):
        taken = {"0": "cls", "-1": "last", None: "mean"}
        calls = [(found.start(), taken[found["at"]], found[0]) for found in POOL_INDEX.finditer(block.text)]
    rows = [(start, word, "code", text) for start, word, text in calls]
    rows += [(found.start(), found[1], "comment", found[0]) for found in POOL_COMMENT.finditer(block.text)]
    for start, word, where, text in rows:
        _say_pooling(facts, source, block.start + start, word, where=where, own=block.own, text=text)


def _prompts(facts: Facts, source: Lines) -> None:
    rows: list[tuple[Location, dict[str, Any]]] = []
    for first, last in source.lines(*PROMPT_WORDS, code=True):
        for found in PROMPT.finditer(source.text, first, last):
            kind = found.lastgroup or ""
            start = found.start(kind)
            block = source.block(start)
            text = "Instruct:" if kind == "instruct" else found[kind].partition("{")[0]  # what follows a brace is filled in
            where = "code" if block else "table" if source.in_table(start) else "text"
            rows.append((source.at(start), {"where": where, "own": block is None or block.own, "text": shown_prompt(text)}))
    own = [row for _, row in rows if row["own"]]
    first_row = next((row for where in ("code", "text") for row in own if row["where"] == where), None)
    for place, row in rows:
        facts.add("says.prompts", place, first=row is first_row, **row)
    for block in source.blocks:
        if "prompt_name" in block.text and ENCODER.search(block.text):
            for found in PROMPT_NAME.finditer(block.text):
                facts.add("says.prompt_names", source.at(block.start + found.start(1)), name=found[1], own=block.own)
    mentions = any(word in source.lower for word in ("prompt", "instruct", "prefix", "encode_query", "encode_document", "\u6307\u4ee4"))
    facts.set("says.mentions_prompts", mentions or bool(rows))


def shown_prompt(text: str) -> str:
    """Return a prompt as prompts are compared: on one line, without the space before and after it."""
    return " ".join(text.split())[:50]


def _normalised(facts: Facts, source: Lines) -> None:
    for first, last in source.lines("normali", "unit "):
        for found in NORMALISED.finditer(source.text, first, last):
            around = before(source.text, found.start()) + source.text[found.end() : min(found.end() + 30, last)]
            if (found["model"] and ONLY_IF.search(around)) or (found["are"] and NOT_BY_ITSELF.search(around)):
                continue
            yes = found["table"].lower() in ("yes", "true") if found["table"] else found["never"] is None
            facts.add("says.normalised", source.at(found.start()), yes=yes, text=shown(found[0]))


def _similarity(facts: Facts, source: Lines) -> None:
    for first, last in source.lines("cosine", "dot ", "dot-", "inner product", "euclidean", "manhattan", "l2 dist", "l1 dist"):
        for found in SIMILARITY.finditer(source.text, first, last):
            if NO_FUNCTION.match(found["rest"]):
                continue
            names = [found[1], *re.findall(r"cosine|dot(?=[ -])|inner(?= product)|euclidean|manhattan", found["rest"].lower())]
            name, *others = [FUNCTIONS.get(name.lower(), name.lower()) for name in names]
            text = shown(found[0][: found.start("rest") - found.start() + 12])
            facts.add("says.similarity", source.at(found.start(1)), function=name, only=set(others) <= {name}, text=text)
