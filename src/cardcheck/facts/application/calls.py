"""The classes and functions of libraries that take the name of an embedding model, the size of vectors, or of chunks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardcheck.facts.application.found import Role


@dataclass(frozen=True, slots=True)
class Loader:
    """How a call names its model: keywords, position (-1: none), and whether it takes a revision of the Hub.

    `guard` are packages, one of which must be imported, for names that others use too. `default`: called without a name, it has one.
    """

    library: str
    names: tuple[str, ...]
    position: int = -1
    role: Role = "embedding"
    loads: bool = False
    default: bool = False
    guard: tuple[str, ...] = ()


ST, API, NAME, MODEL = "sentence-transformers", "api", ("model_name",), ("model",)
NAMES, PATHS = ("model_name", "model", "model_id"), ("model_name_or_path", "model_name")


def _each(names: str, loader: Loader) -> dict[str, Loader]:
    return dict.fromkeys(names.split(), loader)


LOADERS: dict[str, Loader] = {
    # sentence-transformers and what is built like it
    **_each("SentenceTransformer", Loader(ST, PATHS, 0, loads=True)),
    **_each("CrossEncoder", Loader(ST, (*PATHS, "model"), 0, "reranker", loads=True)),
    **_each("SparseEncoder", Loader(ST, PATHS, 0, "sparse", loads=True)),
    **_each("INSTRUCTOR", Loader(ST, PATHS, 0)),
    **_each("FlagModel BGEM3FlagModel FlagLLMModel FlagICLModel FlagAutoModel", Loader("transformers", PATHS, 0)),
    **_each("FlagReranker FlagLLMReranker LayerWiseFlagLLMReranker FlagAutoReranker", Loader("transformers", PATHS, 0, "reranker")),
    **_each("KeyBERT", Loader(ST, MODEL, 0, guard=("keybert",))),
    **_each("Embeddings", Loader(ST, ("path",), guard=("txtai",))),
    **_each("EngineArgs", Loader("server", ("model_name_or_path",), loads=True, guard=("infinity_emb",))),
    # LangChain
    **_each(
        "HuggingFaceEmbeddings HuggingFaceBgeEmbeddings HuggingFaceInstructEmbeddings SentenceTransformerEmbeddings",
        Loader(ST, NAMES, loads=True, default=True),
    ),
    **_each(
        "HuggingFaceEndpointEmbeddings HuggingFaceInferenceAPIEmbeddings HuggingFaceHubEmbeddings", Loader("server", (*NAMES, "repo_id"))
    ),
    **_each("HuggingFaceCrossEncoder", Loader(ST, NAMES, role="reranker", loads=True)),
    **_each(
        "OpenAIEmbeddings AzureOpenAIEmbeddings CohereEmbeddings VoyageAIEmbeddings VoyageEmbeddings MistralAIEmbeddings BedrockEmbeddings"
        " JinaEmbeddings NVIDIAEmbeddings TogetherEmbeddings FireworksEmbeddings DeepInfraEmbeddings DashScopeEmbeddings",
        Loader(API, (*NAMES, "azure_deployment", "deployment"), default=True),
    ),
    **_each("GoogleGenerativeAIEmbeddings VertexAIEmbeddings", Loader("google", NAMES, default=True)),
    **_each("OllamaEmbeddings", Loader("ollama", NAMES, default=True)),
    **_each("FastEmbedEmbeddings", Loader("fastembed", NAMES, default=True)),
    **_each("init_embeddings", Loader("litellm", MODEL, 0)),
    # LlamaIndex
    **_each("HuggingFaceEmbedding", Loader(ST, NAMES, 0, loads=True, default=True)),
    **_each("InstructorEmbedding", Loader(ST, NAMES, 0)),
    **_each("HuggingFaceInferenceAPIEmbedding TextEmbeddingsInference", Loader("server", NAMES)),
    **_each(
        "OpenAIEmbedding AzureOpenAIEmbedding CohereEmbedding VoyageEmbedding JinaEmbedding MistralAIEmbedding BedrockEmbedding NVIDIAEmbedding",
        Loader(API, (*NAMES, "deployment_name"), default=True),
    ),
    **_each("GeminiEmbedding GoogleGenAIEmbedding VertexTextEmbedding", Loader("google", NAMES, default=True)),
    **_each("OllamaEmbedding", Loader("ollama", NAMES, 0)),
    **_each("FastEmbedEmbedding", Loader("fastembed", NAMES, 0, default=True)),
    **_each("resolve_embed_model", Loader("", ("embed_model",), 0)),
    **_each("SentenceTransformerRerank FlagEmbeddingReranker", Loader(ST, MODEL, role="reranker")),
    # Haystack
    **_each("SentenceTransformersTextEmbedder SentenceTransformersDocumentEmbedder", Loader(ST, MODEL, 0, loads=True, default=True)),
    **_each("SentenceTransformersSimilarityRanker TransformersSimilarityRanker", Loader(ST, MODEL, 0, "reranker")),
    **_each(
        "OpenAITextEmbedder OpenAIDocumentEmbedder CohereTextEmbedder CohereDocumentEmbedder MistralTextEmbedder MistralDocumentEmbedder"
        " JinaTextEmbedder JinaDocumentEmbedder AmazonBedrockTextEmbedder AmazonBedrockDocumentEmbedder",
        Loader(API, MODEL, default=True),
    ),
    **_each("OllamaTextEmbedder OllamaDocumentEmbedder", Loader("ollama", MODEL, default=True)),
    **_each("FastembedTextEmbedder FastembedDocumentEmbedder", Loader("fastembed", MODEL, 0, default=True)),
    # FastEmbed
    **_each("TextEmbedding", Loader("fastembed", NAME, 0, default=True, guard=("fastembed",))),
    **_each("SparseTextEmbedding", Loader("fastembed", NAME, 0, "sparse")),
    **_each("LateInteractionTextEmbedding", Loader("fastembed", NAME, 0, "late")),
    **_each("TextCrossEncoder", Loader("fastembed", NAME, 0, "reranker")),
    # functions of Chroma and Milvus
    **_each("SentenceTransformerEmbeddingFunction", Loader(ST, NAMES, 0, loads=True, default=True)),
    **_each("InstructorEmbeddingFunction BGEM3EmbeddingFunction", Loader(ST, NAMES, 0)),
    **_each("HuggingFaceEmbeddingFunction HuggingFaceEmbeddingServer", Loader("server", NAMES)),
    **_each(
        "OpenAIEmbeddingFunction CohereEmbeddingFunction VoyageEmbeddingFunction VoyageAIEmbeddingFunction JinaEmbeddingFunction"
        " MistralEmbeddingFunction",
        Loader(API, NAMES, default=True),
    ),
    **_each("GoogleGenerativeAiEmbeddingFunction", Loader("google", NAMES, default=True)),
    **_each("OllamaEmbeddingFunction", Loader("ollama", NAMES)),
}

# X.from_pretrained("…"): `embedding` loaders count always; the others only for models that the catalogue knows, or names that say so.
PRETRAINED: dict[str, Loader] = {
    **_each("ORTModelForFeatureExtraction OVModelForFeatureExtraction", Loader("transformers", PATHS, 0, loads=True)),
    **_each("StaticModel", Loader("transformers", ("path", *PATHS), 0)),  # of model2vec, which takes no revision
    **_each("RAGPretrainedModel ColBERT", Loader("transformers", PATHS, 0, "late")),
    **_each("TextEmbeddingModel MultiModalEmbeddingModel", Loader("google", NAME, 0)),
}
ENCODERS = frozenset({
    "AutoModel", "TFAutoModel", "FlaxAutoModel", "BertModel", "RobertaModel", "XLMRobertaModel", "MPNetModel", "DistilBertModel", "T5EncoderModel",
    "ModernBertModel", "NomicBertModel", "CamembertModel", "AlbertModel", "AutoModelForMaskedLM",
})  # fmt: skip
RANKERS = frozenset({"AutoModelForSequenceClassification", "ORTModelForSequenceClassification", "OVModelForSequenceClassification"})
TOKENIZERS = frozenset(
    {"AutoTokenizer", "BertTokenizer", "BertTokenizerFast", "XLMRobertaTokenizer", "XLMRobertaTokenizerFast", "AutoProcessor"}
)
FETCHERS = frozenset({"snapshot_download", "hf_hub_download"})
PIPELINES = {"feature-extraction": "embedding", "sentence-similarity": "embedding", "text-ranking": "reranker"}


@dataclass(frozen=True, slots=True)
class Sized:
    """How a call states the size of vectors: keywords, position (-1: none), and packages that must be imported."""

    names: tuple[str, ...]
    position: int = -1
    guard: tuple[str, ...] = ()


SIZED: dict[str, Sized] = {
    "VectorParams": Sized(("size",)),
    "FieldSchema": Sized(("dim",)),
    "add_field": Sized(("dim",)),
    "Vector": Sized(("dim", "dimensions"), 0, ("pgvector", "lancedb")),
    "VECTOR": Sized(("dim",), 0, ("pgvector",)),
    "HALFVEC": Sized(("dim",), 0, ("pgvector",)),
    "VectorField": Sized(("dimensions",), guard=("pgvector",)),
    "HalfVectorField": Sized(("dimensions",), guard=("pgvector",)),
    "create_index": Sized(("dimension",)),
    "create_collection": Sized(("dimension",)),
    "IndexFlatL2": Sized(("d",), 0),
    "IndexFlatIP": Sized(("d",), 0),
    "IndexHNSWFlat": Sized(("d",), 0),
    "IndexIVFFlat": Sized(("d",), 1),
    "IndexIVFPQ": Sized(("d",), 1),
    "index_factory": Sized(("d",), 0, ("faiss",)),
    "AnnoyIndex": Sized(("f",), 0),
    "Index": Sized(("dim", "ndim"), guard=("hnswlib", "usearch")),
    "MilvusVectorStore": Sized(("dim",)),
    "PGVectorStore": Sized(("embed_dim",)),
    "from_params": Sized(("embed_dim",)),
    "QdrantDocumentStore": Sized(("embedding_dim",)),
    "PgvectorDocumentStore": Sized(("embedding_dimension",)),
    "FAISSDocumentStore": Sized(("embedding_dim", "vector_dim")),
    "ElasticsearchDocumentStore": Sized(("embedding_dim",)),
    "SearchField": Sized(("vector_search_dimensions",)),
    "DenseVector": Sized(("dims",)),
    "init_vectorstore_table": Sized(("vector_size",)),
    "create_vector_index": Sized(("dimensions",), guard=("neo4j",)),
}

# Sizes of chunks in tokens. SentenceSplitter is LlamaIndex's; other packages have one that does not count tokens.
CHUNKED: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "SentenceSplitter": (("chunk_size",), ("llama_index",)),
    "TokenTextSplitter": (("chunk_size",), ()),
    "SentenceTransformersTokenTextSplitter": (("tokens_per_chunk",), ()),
    "from_tiktoken_encoder": (("chunk_size",), ()),
    "from_huggingface_tokenizer": (("chunk_size",), ()),
    "TokenChunker": (("chunk_size",), ("chonkie",)),
    "SentenceChunker": (("chunk_size",), ("chonkie",)),
}
