"""Python code that chooses models, declares vectors and cuts texts into chunks."""

from __future__ import annotations

import pytest

from cardcheck.facts.application.found import Choice, Found
from cardcheck.facts.application.python import read_python

HEAD = "from sentence_transformers import SentenceTransformer\n"


def read(code: str) -> Found:
    """Return what a piece of code says."""
    found = Found()
    read_python(code, found)
    return found


def choices(code: str) -> dict[str, Choice]:
    """Return the choices of a piece of code by the name that is given."""
    return {choice.given: choice for choice in read(code).choices.values()}


@pytest.mark.parametrize(
    "code",
    [
        "from sentence_transformers import SentenceTransformer as ST\nST('a/b')",
        "import sentence_transformers as st\nst.SentenceTransformer('a/b')",
        "from sentence_transformers import SentenceTransformer\nSentenceTransformer(model_name_or_path='a/b')",
        "from langchain_huggingface import HuggingFaceEmbeddings\nHuggingFaceEmbeddings(model_name='a/b')",
        "from langchain_huggingface import HuggingFaceEmbeddings\nHuggingFaceEmbeddings(model='a/b')",
        "from llama_index.embeddings.huggingface import HuggingFaceEmbedding\nHuggingFaceEmbedding('a/b')",
        "from haystack.components.embedders import SentenceTransformersTextEmbedder\nSentenceTransformersTextEmbedder(model='a/b')",
        "from chromadb.utils import embedding_functions as ef\nef.SentenceTransformerEmbeddingFunction(model_name='a/b')",
        "from transformers import AutoModel\nAutoModel.from_pretrained('a/b')",
        "from transformers import pipeline\npipeline('feature-extraction', model='a/b')",
        "from huggingface_hub import snapshot_download\nsnapshot_download('a/b')",
        "import subprocess\nsubprocess.run(['text-embeddings-router', '--model-id', 'a/b'])",
        "NAME = 'a/b'\nSentenceTransformer(NAME)",
        "class Settings:\n    name: str = 'a/b'\nSentenceTransformer(Settings.name)",
        "def load(name='a/b'):\n    return SentenceTransformer(name)",
        "def load(name=None):\n    name = name or 'a/b'\n    return SentenceTransformer(name)",
        "import os\nSentenceTransformer(os.getenv('MODEL', 'a/b'))",
        "SentenceTransformer({'small': 'a/b'}['small'])",
        "OWNER = 'a'\nSentenceTransformer(f'{OWNER}/b')",
        "SentenceTransformer('a/' + 'b')",
    ],
)
def test_what_loads_a_model(code: str) -> None:
    """A call that loads a model is read under its alias, by keyword and by position, and through names that have one value."""
    choice = choices(code)["a/b"]
    assert choice.loads
    assert choice.revision is None


@pytest.mark.parametrize(
    "code",
    [
        "SentenceTransformer(f'a/{name}')",
        "SentenceTransformer(name)",
        "name = 'a/b'\nname = 'c/d'\nSentenceTransformer(name)",
        "for name in ['a/b', 'c/d']:\n    SentenceTransformer(name)",
        "def load(name):\n    SentenceTransformer(name)",
        "SentenceTransformer('a/' + name)",
        "print('SentenceTransformer')",
        "class SentenceTransformers: pass\nSentenceTransformers('a/b')",
    ],
)
def test_what_is_not_known(code: str) -> None:
    """A name that is worked out when the code runs chooses nothing that could be judged."""
    assert not choices(HEAD + code)


def test_a_model_that_is_named_at_run_time_is_counted() -> None:
    """Models without a readable name are counted, so that no file with one is taken for a file with one model only."""
    found = read(HEAD + "SentenceTransformer(name)\nfrom langchain_openai import OpenAIEmbeddings\nOpenAIEmbeddings()")
    assert (found.at_run_time, found.by_default) == (1, 1)


def test_revisions() -> None:
    """A revision is read as a keyword, through names and from model_kwargs; one that is worked out at run time is not taken for none."""
    code = (
        "R = 'abc'\n"
        "SentenceTransformer('a/1', revision=R)\n"
        "HuggingFaceEmbeddings(model_name='a/2', model_kwargs={'revision': 'abc'})\n"
        "SentenceTransformer('a/3', revision=settings.revision)\n"
        "SentenceTransformer('a/4', **options)\n"
        "SentenceTransformer('a/5', revision=None)\n"
        "HuggingFaceEmbeddings(model_name='a/6', model_kwargs=dict(revision='abc'))\n"
    )
    found = choices(HEAD + code)
    assert [found[f"a/{n}"].revision for n in (1, 2, 3, 4, 5, 6)] == ["abc", "abc", None, None, None, "abc"]
    assert [found[f"a/{n}"].loads for n in (1, 3, 4, 5)] == [True, False, False, True]
    assert [found[f"a/{n}"].asked for n in (1, 3, 4, 5)] == [False, True, False, False]


def test_code_of_the_repository() -> None:
    """Only a plain True lets code run; it is found in the call, in a constant, in kwargs and in a default."""
    code = (
        "ON = True\n"
        "SentenceTransformer('a/1', trust_remote_code=ON)\n"
        "HuggingFaceEmbeddings(model_name='a/2', model_kwargs=dict(trust_remote_code=True))\n"
        "def load(name='a/3', trust=True):\n    return SentenceTransformer(name, trust_remote_code=trust)\n"
        "SentenceTransformer('a/4', trust_remote_code=False)\n"
        "SentenceTransformer('a/5', trust_remote_code=settings.trust)\n"
    )
    found = choices(HEAD + code)
    assert [found[f"a/{n}"].remote_code is not None for n in (1, 2, 3, 4, 5)] == [True, True, True, False, False]


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("SentenceTransformer(name, trust_remote_code=True)", [2]),
        ("CrossEncoder(name, trust_remote_code=True)", [2]),
        ("AutoModel.from_pretrained(name, trust_remote_code=True)  # embeds", [2]),
        ("AutoModelForCausalLM.from_pretrained(name, trust_remote_code=True)  # embeds", []),
        ("SentenceTransformer(name, revision=revision, trust_remote_code=True)", []),
        ("SentenceTransformer(name, trust_remote_code=trust)", []),
    ],
)
def test_code_of_any_repository(code: str, lines: list[int]) -> None:
    """Code that may run for a model that is named at run time is noted where no revision is handed over."""
    assert [line for line, _ in read("from x import *\n" + code).unnamed_remote_code] == lines


def test_the_place_is_where_the_name_is_written() -> None:
    """A finding points at the name, counted in letters and behind the quote, also where a constant holds it."""
    assert [choice.place for choice in read("é = SentenceTransformer(r'a/b')\n").choices.values()] == [(1, 27)]
    assert [choice.place for choice in read('NAME = "a/b"\n\nSentenceTransformer(NAME)\n').choices.values()] == [(1, 9)]


def test_settings() -> None:
    """Assignments, defaults, arguments and fields whose name speaks of embedding are choices that load nothing."""
    code = (
        "EMBEDDING_MODEL = 'a/1'\n"
        "config['embedding_model'] = 'a/2'\n"
        "parser.add_argument('--embedding-model', default='a/3')\n"
        "class Settings(BaseSettings):\n    embedding_model: str = Field(default='a/4', description='x')\n"
        "def index(embed_model='a/5'): ...\n"
        "build(embedding_model='a/6')\n"
        "OPTIONS = {'embeddings': {'model': 'a/7', 'llm': {'model': 'a/8'}}}\n"
        "CHAT_MODEL = 'a/9'\n"
    )
    found = choices(code)
    assert sorted(name for name, choice in found.items() if choice.sure) == [f"a/{n}" for n in range(1, 8)]
    assert not any(choice.loads for choice in found.values())


@pytest.mark.parametrize(
    "code",
    [
        "MODELS = [Model(model='a/b', dim=3), Model(model='c/d', dim=4)]",
        "MODELS = [{'model_name': 'a/b'}, {'model_name': 'c/d'}]",
        "OFFERED = (Config(embedding_model='a/b'), Config(embedding_model='c/d'))",
        "RESPONSE = {'example': {'embedding_model': 'a/b'}}",
    ],
)
def test_what_is_offered_is_not_chosen(code: str) -> None:
    """Models in a list of several, and in examples, are not choices."""
    assert not choices(code)


def test_sizes_of_vectors() -> None:
    """Sizes are read from calls of vector stores, from SQL and from settings; binary vectors count bits and are left out."""
    code = (
        "SIZE = 768\n"
        "VectorParams(size=SIZE)\n"
        "faiss.IndexFlatIP(384)\n"
        "FieldSchema('v', DataType.FLOAT_VECTOR, dim=1024)\n"
        "FieldSchema('b', DataType.BINARY_VECTOR, dim=128)\n"
        "db.execute('create table t (v vector(256))')\n"
        "db.execute(f'create table t (v vector({SIZE}))')\n"
        "EMBEDDING_DIM = 512\n"
        "pa.list_(pa.float32(), 96)\n"
    )
    found = read(code)
    assert sorted(size.dimension for size in found.dimensions.values()) == [96, 256, 384, 512, 768, 768, 1024]
    assert [size.dimension for size in found.dimensions.values() if size.setting] == [512]


def test_chunks() -> None:
    """Chunk sizes count where they are tokens; splitters that count letters say nothing."""
    code = (
        "from llama_index.core.node_parser import SentenceSplitter\n"
        "SentenceSplitter(chunk_size=1024)\nRecursiveCharacterTextSplitter(chunk_size=1000)\n"
        "RecursiveCharacterTextSplitter.from_tiktoken_encoder(chunk_size=800)\nSettings.chunk_size = 256\n"
    )
    assert sorted(chunk.tokens for chunk in read(code).chunks) == [256, 800, 1024]


def test_pickles() -> None:
    """Weights that are asked for as a pickle are noted; a safe load is not."""
    code = (
        "SentenceTransformer('a/b', model_kwargs={'use_safetensors': False})\n"
        "torch.load('x', weights_only=False)\ntorch.load('y', weights_only=True)"
    )
    assert [hazard.what for hazard in read(code).hazards] == ["use_safetensors=False", "weights_only=False"]


@pytest.mark.parametrize("code", ["print 'x'", "x = (", "\0", "x = " + "(" * 500 + ")" * 500])
def test_what_cannot_be_parsed(code: str) -> None:
    """Code that Python refuses is a problem of that file, and nothing more."""
    found = read(code)
    assert found.problem is not None
    assert not found.choices


def test_a_byte_order_mark_is_no_problem() -> None:
    """A file that begins with U+FEFF is read."""
    assert choices("\ufeffSentenceTransformer('a/b')")
