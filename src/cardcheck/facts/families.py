"""Well-known models: their papers, their architectures and their ids, in one place for all rules that recognise one."""

from __future__ import annotations

import re
from typing import NamedTuple

from cardcheck.pattern import Pattern

PART = r"[A-Za-z0-9][\w.-]{0,95}"  # an owner or a name on the Hub
ID = Pattern(rf"^{PART}/{PART}$", re.ASCII)
HUB = r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/"


class Family(NamedTuple):
    """Models that share a paper: how their citation is known, and words that a card of such a model or of one built on it has.

    `cites` is searched in `KEY TITLE` of a BibTeX entry, `words` in the card; both in lower case.
    """

    name: str
    cites: Pattern
    words: Pattern


def _family(name: str, cites: str, words: str) -> Family:
    return Family(name, Pattern(cites), Pattern(words))


FAMILIES = (
    _family("BGE", r"^bge[_-]?embedding\b|\bc-pack\b", r"bge|baai|flag ?embedding|flagmodel|c-pack|c-?mteb"),
    _family("BGE-M3", r"^bge-?m3\b|\bbge m3\b|m3-embedding", r"bge|baai|m3-?embedding"),
    _family(
        "E5",
        r"weakly-supervised contrastive pre-training|improving text embeddings with large language|multilingual e5 text",
        r"(?<![a-z])m?e5(?![a-z0-9])|intfloat",
    ),
    _family(
        "GTE",
        r"towards general text embeddings with multi-stage|\bmgte\b",
        r"(?<![a-z])m?gte(?![a-z])|thenlper|alibaba|iic/|general text embed",
    ),
    _family("Jina Embeddings", r"jina[ -]?(?:embeddings|colbert|clip|reranker)|8192-token", r"jina"),
    _family("Nomic Embed", r"nomic embed", r"nomic"),
    _family(
        "mxbai", r"open source strikes bread|^(?:emb|rerank|mxbai)\w{0,20}mxbai|boost your search with the crispy", r"mxbai|mixedbread"
    ),
    _family("AnglE", r"angle-optimized text", r"angle|\buae\b|uae-|whereisai|mxbai|mixedbread"),
    _family("Stella", r"jasper and stella", r"stella|jasper|infgrad|dunzhang|novasearch"),
    _family("Instructor", r"one embedder, any task", r"instructor|hkunlp"),
    _family("LaBSE", r"language-agnostic bert sentence", r"labse|language-agnostic bert"),
    _family("SimCSE", r"^\S{0,99} simcse\b", r"simcse"),
    _family("SapBERT", r"self-alignment pretraining for biomedical", r"sapbert|cambridgeltl"),
    _family("GISTEmbed", r"gistembed", r"gist"),
    _family("ember", r"ember-v1", r"ember"),
    _family("NV-Embed", r"nv-embed:|nv-retriever:", r"nv-?embed|nv-?retriever|nvidia"),
    _family("SFR-Embedding", r"sfr-?embedding", r"sfr|salesforce"),
    _family("GritLM", r"generative representational instruction tuning", r"grit"),
    _family("Arctic-Embed", r"arctic-embed", r"arctic|snowflake"),
    _family("Qwen3 Embedding", r"qwen3 embedding|^qwen3embedding", r"qwen"),
    _family("EmbeddingGemma", r"embeddinggemma", r"gemma"),
    _family("Contriever", r"unsupervised dense information retrieval with contrastive", r"contriever"),
    _family("GTR", r"large dual encoders are generalizable", r"(?<![a-z])gtr"),
    _family("Sentence-T5", r"sentence-t5", r"sentence-?t5|(?<![a-z])st5"),
    _family("LLM2Vec", r"llm2vec", r"llm2vec|mcgill"),
    _family("CDE", r"contextual document embeddings", r"(?<![a-z])cde|contextual document|jxm/"),
    _family("M3E", r"m3e: moka", r"m3e|moka"),
    _family("text2vec", r"text2vec: ", r"text2vec|shibing624|cosent"),
    _family("BCEmbedding", r"bcembedding", r"(?<![a-z])bce|youdao"),
    _family("Conan-Embedding", r"conan-embedding", r"conan"),
    _family("CamemBERT", r"camembert: a tasty", r"camembert|cambert"),
    _family("PhoBERT", r"phobert: pre-trained", r"phobert|vinai"),
    _family("ParsBERT", r"parsbert: ", r"parsbert|hooshvare"),
    _family("AraBERT", r"arabert: transformer", r"arabert"),
    _family("BioBERT", r"biobert: a pre-trained", r"biobert"),
    _family("SciBERT", r"scibert: a pretrained", r"scibert"),
    _family("SPECTER", r"specter: document-level", r"specter"),
    _family("MPNet", r"mpnet: masked and permuted", r"mpnet"),
    _family("MiniLM", r"minilm: deep self-attention", r"minilm"),
    _family("ModernBERT", r"smarter, better, faster, longer", r"modern-?bert"),
)

# Names that tell the architecture, and the beginnings of `model_type` that fit it. A name may match several: then any of theirs fits,
# so that a wrong row costs a missed finding and never makes a false one.
_ARCHITECTURES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Qwen3", r"qwen-?3", ("qwen3",)),
    ("Qwen2", r"qwen-?(?:1\.5|2)|stella_en_1\.5b", ("qwen2",)),
    ("Qwen", r"qwen(?!-?(?:1\.5|[23]))", ("qwen",)),
    ("Llama", r"(?<!o)llama(?!-?(?:factory|index|\.cpp|cpp|guard))|vicuna", ("llama", "mllama")),
    ("Mistral", r"mistral|mixtral|zephyr|ministral", ("mistral", "mixtral", "ministral", "zephyr")),
    ("Gemma", r"(?<!t5)(?<!pali)gemma", ("gemma",)),
    ("Phi", r"(?<![a-z])phi-?[1-4]", ("phi",)),
    ("ModernBERT", r"modernbert", ("modernbert",)),
    ("NomicBERT", r"nomic-bert|nomic-embed-text", ("nomic_bert",)),
    (
        "XLM-RoBERTa",
        r"xlm-?r(?:oberta)?(?![a-z])|bge-m3|bge-reranker-(?:base|large)|multilingual-e5-(?:base|large)|paraphrase-multilingual-mpnet",
        ("xlm-roberta",),
    ),
    # Chinese models that are called so are mostly of the type bert
    (
        "RoBERTa",
        r"^(?!.{0,96}(?:chinese|erlangshen|clue)).{0,96}(?<!xlm-)(?<!xlm)roberta|phobert|bertweet",
        ("roberta", "xlm-roberta", "camembert"),
    ),
    ("CamemBERT", r"camembert(?!a)", ("camembert", "roberta")),
    ("DeBERTa", r"deberta", ("deberta",)),
    ("DistilBERT", r"distilm?bert", ("distilbert",)),
    ("ALBERT", r"(?<![a-z])albert", ("albert",)),
    ("ELECTRA", r"electra", ("electra",)),
    ("MPNet", r"mpnet", ("mpnet",)),
    ("MiniLM", r"minilm", ("bert", "roberta", "xlm-roberta")),
    ("Longformer", r"longformer", ("longformer",)),
    ("T5", r"(?<![a-z])m?t5(?!gemma)(?![a-z0-9])", ("t5", "mt5", "umt5")),
    (
        "BERT",
        (
            r"(?:^|[-_/])bert[-_](?:base|large|mini|tiny|small|medium|uncased|cased)|chinese[-_]roberta|scibert|biobert|clinicalbert|pubmedbert"
            r"|sapbert|rubert|macbert|legal-bert|labse|bge-(?:small|base|large)-(?:en|zh)|mxbai-embed-large|uae-large|^e5-(?:small|base|large)"
            r"|^gte-(?:small|base|large)$|snowflake-arctic-embed-(?:xs|s|m|l)$|all-minilm|gte-tiny|bge-micro"
        ),
        ("bert",),
    ),
)  # fmt: skip
ARCHITECTURES = tuple((name, Pattern(pattern), types) for name, pattern, types in _ARCHITECTURES)
# Only these values of `model_type` contradict a name: behind others stands a class of somebody's own, which can be anything.
PLAIN_TYPES = frozenset(
    {
        "bert", "roberta", "xlm-roberta", "camembert", "distilbert", "albert", "electra", "mpnet", "deberta", "deberta-v2", "modernbert",
        "nomic_bert", "longformer", "t5", "mt5", "qwen2", "qwen3", "llama", "mistral", "mixtral", "gemma", "gemma2", "gemma3_text", "phi",
        "phi3", "gpt2", "opt", "bloom", "gpt_neox",
    }
)  # fmt: skip

# Ids that the Hub has had without an owner since 2019. They are followed, so they are right as they stand.
CANONICAL = Pattern(
    r"^(?:albert-x{0,2}(?:base|large)-v[12]|albert-xlarge-v[12]|bert-(?:base|large)-[\w-]{1,60}|camembert-base|ctrl|distilbert-base-[\w-]{1,50}"
    r"|distilgpt2|distilroberta-base|gpt2(?:-medium|-large|-xl)?|openai-gpt|roberta-(?:base|large)(?:-mnli|-openai-detector)?"
    r"|t5-(?:small|base|large|3b|11b)|transfo-xl-wt103|xlm-(?:clm|mlm)-[\w-]{1,40}|xlm-roberta-(?:base|large)(?:-finetuned-[\w-]{1,40})?"
    r"|xlnet-(?:base|large)-cased)$"
)

# Models that others are often made from or copied from: the id of each by its name in lower case.
MODELS = {
    name.rpartition("/")[2].lower(): name
    for name in """
    sentence-transformers/all-MiniLM-L6-v2 sentence-transformers/all-MiniLM-L12-v2 sentence-transformers/all-mpnet-base-v2
    sentence-transformers/all-distilroberta-v1 sentence-transformers/all-roberta-large-v1 sentence-transformers/paraphrase-MiniLM-L6-v2
    sentence-transformers/paraphrase-mpnet-base-v2 sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2
    sentence-transformers/paraphrase-multilingual-mpnet-base-v2 sentence-transformers/multi-qa-mpnet-base-dot-v1
    sentence-transformers/multi-qa-MiniLM-L6-cos-v1 sentence-transformers/LaBSE sentence-transformers/msmarco-distilbert-base-tas-b
    sentence-transformers/distiluse-base-multilingual-cased-v2 sentence-transformers/gtr-t5-base sentence-transformers/sentence-t5-base
    BAAI/bge-m3 BAAI/bge-small-en BAAI/bge-base-en BAAI/bge-large-en BAAI/bge-small-en-v1.5 BAAI/bge-base-en-v1.5 BAAI/bge-large-en-v1.5
    BAAI/bge-small-zh-v1.5 BAAI/bge-base-zh-v1.5 BAAI/bge-large-zh-v1.5 BAAI/bge-large-zh BAAI/bge-reranker-base BAAI/bge-reranker-large
    BAAI/bge-reranker-v2-m3 BAAI/bge-en-icl BAAI/bge-multilingual-gemma2
    intfloat/e5-small-v2 intfloat/e5-base-v2 intfloat/e5-large-v2 intfloat/multilingual-e5-small intfloat/multilingual-e5-base
    intfloat/multilingual-e5-large intfloat/multilingual-e5-large-instruct intfloat/e5-mistral-7b-instruct
    thenlper/gte-small thenlper/gte-base thenlper/gte-large Alibaba-NLP/gte-base-en-v1.5 Alibaba-NLP/gte-large-en-v1.5
    Alibaba-NLP/gte-multilingual-base Alibaba-NLP/gte-Qwen2-1.5B-instruct Alibaba-NLP/gte-Qwen2-7B-instruct Alibaba-NLP/gte-modernbert-base
    jinaai/jina-embeddings-v2-base-en jinaai/jina-embeddings-v2-small-en jinaai/jina-embeddings-v3
    nomic-ai/nomic-embed-text-v1 nomic-ai/nomic-embed-text-v1.5 nomic-ai/modernbert-embed-base mixedbread-ai/mxbai-embed-large-v1
    WhereIsAI/UAE-Large-V1 Snowflake/snowflake-arctic-embed-m Snowflake/snowflake-arctic-embed-l Snowflake/snowflake-arctic-embed-l-v2.0
    Qwen/Qwen3-Embedding-0.6B Qwen/Qwen3-Embedding-4B Qwen/Qwen3-Embedding-8B google/embeddinggemma-300m
    cross-encoder/ms-marco-MiniLM-L6-v2 cross-encoder/ms-marco-MiniLM-L12-v2 hkunlp/instructor-large hkunlp/instructor-xl
    princeton-nlp/sup-simcse-bert-base-uncased facebook/contriever answerdotai/ModernBERT-base answerdotai/ModernBERT-large
    microsoft/mpnet-base FacebookAI/xlm-roberta-base FacebookAI/roberta-base google-bert/bert-base-uncased
    google-bert/bert-base-multilingual-cased NovaSearch/stella_en_1.5B_v5 NovaSearch/stella_en_400M_v5 nvidia/NV-Embed-v2
    """.split()  # noqa: SIM905  # eighty pairs of quotes would only be in the way
}


def cited_family(key: str, title: str) -> Family | None:
    """Return the family whose paper a BibTeX entry is of."""
    text = f"{key} {title}".lower()
    return next((family for family in FAMILIES if family.cites.search(text)), None)


def architectures(name: str) -> tuple[list[str], set[str]]:
    """Return the architectures that a model's name tells, and the beginnings of `model_type` that fit one of them."""
    text = name.lower().rpartition("/")[2]
    found = [(label, types) for label, pattern, types in ARCHITECTURES if pattern.search(text)]
    return [label for label, _ in found], {kind for _, types in found for kind in types}


def contradicts(model_type: str, fitting: set[str]) -> bool:
    """Tell whether a configuration's `model_type` is a plain one of another architecture."""
    return bool(fitting) and model_type in PLAIN_TYPES and not model_type.startswith(tuple(fitting))
