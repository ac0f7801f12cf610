"""Every fact group and field: its type, what it says, and what null means.

Rules are type-checked against this table when they load, so a field that is not declared here cannot be used by a rule, and a fact
that is not declared here cannot be set by a collector. Lists of records are called rows; each row has the keys listed for it, and
`file`, `line` and `column` as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["string", "int", "double", "bool", "strings", "rows", "string?", "int?", "double?", "bool?"]


@dataclass(frozen=True, slots=True)
class Field:
    """One fact: its kind, its meaning, for nullable kinds what null means, for rows their keys."""

    kind: Kind
    doc: str
    null: str = ""
    keys: tuple[str, ...] = ()

    def empty(self) -> Any:
        """Return the value before anything was read."""
        if self.kind.endswith("?"):
            return None
        return {"string": "", "int": 0, "double": 0.0, "bool": False, "strings": [], "rows": []}[self.kind]


ABSENT = "the key is absent"
NOT_MEASURED = "not measured"
NOT_JUDGED = "too few results to judge by"

GROUPS: dict[str, dict[str, Field]] = {
    "subject": {
        "id": Field("string?", "Hub id the subject is known by", "a folder or file that was not given a Hub id"),
        "name": Field("string?", "the part of the Hub id after the owner", "no Hub id"),
        "kind": Field("string", "`hub`, `folder`, `cache`, `card` (a single card), `files` or `application`"),
    },
    "model": {
        "is_embedding": Field("bool", "the card or the files say that it embeds, or ranks, text, images or sound for search"),
    },
    "files": {
        "paths": Field("strings", "paths of all files, relative to the subject's root, with forward slashes"),
        "total_bytes": Field("int", "sum of the file sizes"),
        "code": Field("rows", "Python files in the repository", keys=("path",)),
        "problems": Field("rows", "files that could not be read, and links that were not followed", keys=("path", "problem")),
        "pointers": Field("rows", "cards and configuration files that are Git LFS pointers", keys=("path",)),
        "has_card": Field("bool", "README.md exists in the root"),
        "is_model": Field("bool", "the folder holds a configuration or weights, not only a card"),
        "tokenizer": Field("strings", "tokenizer files"),
        "leftovers": Field("rows", "files that a training run left behind", keys=("path", "bytes")),
    },
    "card": {
        "text": Field("string", "the card after its front matter"),
        "words": Field("int", "words of the card after its front matter"),
        "title": Field("string?", "first heading", "there is no heading"),
        "truncated": Field("bool", "only the first part was read because the card is larger than the limit"),
        "has_front_matter": Field("bool", "the Hub sees a front matter block"),
        "byte_order_mark": Field("bool", "one byte order mark (U+FEFF) stands before everything else"),
        "front_matter_problem": Field("string?", "why the Hub sees no or only broken front matter", "nothing is wrong"),
        "keys": Field("rows", "top-level front matter keys", keys=("key",)),
        "duplicate_keys": Field("rows", "keys that occur twice in one mapping", keys=("key",)),
        "license": Field("string?", "licence identifier as written", ABSENT),
        "language": Field("strings", "languages as written"),
        "tags": Field("strings", "tags"),
        "datasets": Field("rows", "declared training data sets", keys=("value",)),
        "base_model": Field("strings", "declared base models"),
        "pipeline_tag": Field("string?", "task of the model", ABSENT),
        "library_name": Field("string?", "library that loads the model", ABSENT),
        "headings": Field("rows", "headings", keys=("text", "level")),
        "links": Field("rows", "links of all kinds, images left out", keys=("text", "url")),
        "code": Field("rows", "fenced and indented code blocks", keys=("language", "text")),
        "tables": Field("rows", "tables in Markdown or HTML", keys=("header", "cells")),
        "papers": Field("rows", "links, tags and citations that name a paper", keys=("kind", "ref")),
        "reports": Field("rows", "links to blog posts and technical reports", keys=("url",)),
        "training_sections": Field("rows", "sections whose heading speaks of training", keys=("heading", "words")),
        "placeholders": Field("rows", "text that a template left behind", keys=("text",)),
        "stray_start": Field("string", "invisible characters before the front matter, which keep it from being seen"),
        "empty_sections": Field("rows", "headings of sections with nothing in them", keys=("text",)),
        "images": Field("rows", "addresses of pictures", keys=("url",)),
        "dead_links": Field("rows", "links and pictures that nobody but the author can follow", keys=("what", "text", "url", "why")),
        "missing_targets": Field("rows", "links and pictures of files that the repository does not have", keys=("what", "path")),
        "loads": Field("rows", "repositories that the card's code loads", keys=("id",)),
        "control_characters": Field("rows", "runs of control and bidirectional override characters, by their first", keys=("name",)),
        "max_tokens": Field(
            "rows",
            "token limits, between `least` and `most`; `firm`: 3 under a label, 2 in a sentence on this model, else 1; `sets`: by code",
            keys=("tokens", "least", "most", "firm", "sets", "text"),
        ),
        "dimensions": Field(
            "rows",
            "embedding sizes that the text states; `firm` is 2 where it can only be this model's, else 1",
            keys=("dimension", "firm", "text"),
        ),
    },
    "says": {
        "modules": Field("rows", "modules of sentence-transformers that the card prints", keys=("name",)),
        "printed_pooling": Field("string?", "the one pooling mode of the printed modules", "none is printed, or several are on"),
        "printed_dimension": Field("int?", "size of the vectors by the printed modules", "it is not printed"),
        "printed_tokens": Field("int?", "max_seq_length of the printed modules", "it is not printed"),
        "pooling": Field(
            "rows",
            "pooling by the card's `code`, a `comment` in it, or its `text`: see `where`; `own` as below",
            keys=("mode", "where", "own", "text"),
        ),
        "prompts": Field(
            "rows",
            "texts to put before the input; `where` is code, text or table, `own` is false in code that loads another model, "
            "`first` is the one to point at",
            keys=("where", "own", "first", "text"),
        ),
        "prompt_names": Field("rows", "names of prompts that the card's code uses; `own` as above", keys=("name", "own")),
        "mentions_prompts": Field("bool", "the card speaks of prompts, instructions or prefixes at all"),
        "normalised": Field("rows", "whether the card says that vectors have length one", keys=("yes", "text")),
        "similarity": Field("rows", "similarity functions; `only` where no other one is named with it", keys=("function", "only", "text")),
        "matryoshka": Field("bool", "the card speaks of vectors that may be cut short"),
    },
    "metadata": {
        "misspelt": Field(
            "rows",
            "front matter keys that the Hub does not know; `right` is the one that is meant, `taken` says that it is there as well, "
            "`edited` is the key after a safe fix",
            keys=("key", "right", "taken", "edited"),
        ),
        "booleans": Field(
            "rows", "words that YAML reads as true or false where a text is meant", keys=("key", "written", "value", "quoted")
        ),
        "empty": Field("rows", "keys without a value", keys=("key",)),
        "shapes": Field("rows", "values of another shape than the Hub takes", keys=("key", "found", "wanted")),
        "licenses": Field(
            "rows",
            "licences of the front matter; `right` is the Hub's identifier or empty, `sure` that it can be no other, `edited` the value "
            "after a safe fix, `listed` that it stands in a list, `hidden` that it holds invisible characters",
            keys=("written", "right", "sure", "edited", "listed", "hidden"),
        ),
        "license_name": Field("string?", "name of a licence that the Hub does not list", ABSENT),
        "license_link": Field("string?", "address of the licence", ABSENT),
        "license_of_name": Field("string?", "the Hub's identifier for license_name", "it has none"),
        "stricter_bases": Field("rows", "base models under a stricter licence than the declared one", keys=("base", "licence", "declared")),
        "contradicted": Field("rows", "where the text puts the model under another licence", keys=("declared", "stated")),
        "languages": Field(
            "rows",
            "languages that are no ISO 639 code; `right` is the code or empty, `region` says that a region or script stands beside it",
            keys=("written", "right", "region", "edited"),
        ),
        "tasks": Field("rows", "pipeline_tag that is no task of the Hub; `right` is one or empty", keys=("written", "right", "edited")),
        "repeated_tags": Field("rows", "tags that occur again; `first` is the line of the first", keys=("tag", "first")),
    },
    "lineage": {
        "bases": Field(
            "rows",
            "declared base models; `problem` is address, elsewhere (an address off the Hub), path, nothing, text, owner (there is none) or "
            "empty, `replacement` the id that is meant or the value, `itself` that it is the subject",
            keys=("value", "problem", "replacement", "itself"),
        ),
        "stated": Field(
            "rows", "models that the text says this one was made from; `words` are the words that say it", keys=("id", "words")
        ),
        "adapter_base": Field("string?", "base in adapter_config.json that is none of the declared ones", "there is none such"),
        "config_base": Field("string?", "`_name_or_path` in config.json that is none of the declared base models", "there is none such"),
        "is_conversion": Field("bool", "the repository holds another model's weights in another format"),
        "is_untrained": Field("bool", "it is such a conversion, or made from declared models without training, as a merge is"),
        "opening": Field("string?", "the first line of the text", "the text is empty"),
        "unknown_relation": Field("string?", "base_model_relation that the Hub does not know", "it is absent or known"),
        "new_version": Field("string?", "new_version", ABSENT),
        "loads": Field(
            "rows",
            "models that the card's code loads; `renamed` is that the card calls its own model so, `advised` that it sends readers to that one",
            keys=("id", "renamed", "advised"),
        ),
        "code_names_it": Field("bool", "the card's code names the subject"),
        "near_owners": Field("rows", "ids like the subject's with an owner that is spelled slightly otherwise", keys=("id",)),
        "other_title": Field("string?", "the title, where it is another model's name", "it is not, or there is no title"),
        "architecture": Field(
            "rows",
            "a model that this one is made from by `base_model`, `text` or `title`, and whose name tells another architecture than config.json",
            keys=("claim", "where", "told", "found"),
        ),
        "citations": Field(
            "rows",
            "BibTeX entries; `blank` is what a template left in it, `family` the models whose paper it is, `named` that the card names such",
            keys=("key", "title", "blank", "family", "named"),
        ),
        "impossible_papers": Field("rows", "arXiv numbers that no paper can have", keys=("number",)),
    },
    "training": {
        "statements": Field(
            "rows",
            "sentences on training; `kind` is told (some data), test (test data), benchmark (one as a whole), splits (its training sets), "
            "private, tuned (chosen by benchmark results), router (several models by task) or unseen (a benchmark was not trained on)",
            keys=("kind", "what", "text"),
        ),
        "words": Field("int", "words of the sentences that tell what the model was trained on"),
        "mentioned": Field("bool", "a sentence speaks of the model's training, whatever it tells of it"),
        "in_paper": Field("bool", "the text sends readers who ask for the training to a paper or report"),
        "contradicted": Field("rows", "sentences by which a benchmark was not trained on, where `by` says otherwise", keys=("text", "by")),
        "datasets": Field(
            "rows",
            "declared data sets; `problem` is address, folder (the address of a part), elsewhere (an address off the Hub), path, nothing, "
            "private, text or empty, `replacement` "
            "the id that is meant or the value, `first` the line of the first for one that is repeated, else 0, `benchmark` the one it "
            "belongs to or empty, `tests_only` that it has nothing to train on",
            keys=("value", "problem", "replacement", "first", "benchmark", "tests_only"),
        ),
        "undeclared": Field(
            "rows", "data sets that sections on training data link and `datasets:` lacks, in one row", keys=("ids", "count", "heading")
        ),
        "numbers": Field("bool", "one of those sentences holds a number"),
        "sections": Field("rows", "sections on training by their narrower headings", keys=("heading", "words", "numbers")),
    },
    "overlap": {
        "tasks": Field(
            "rows",
            "MTEB tasks whose data is in the declared training data, each with the surest way that leads there: `origin` is front matter, text, "
            "paper (its summary or table), mteb (its annotation) or base model, `name` what is named there, `path` the whole way; `relation` is same (data set), variant (a "
            "translation, a subset, another version) or source (drawn from the same place, so that items may coincide); `split` is same (as is "
            "evaluated: the task is evaluated on train, or the test part was trained on), tests only (the data set has no training part), other "
            "or unknown",
            keys=("task", "origin", "name", "relation", "split", "path"),
        ),
        "papers": Field(
            "rows",
            "papers that are the model's own: that the card calls its own, that name it, or that the Hub shows as the owner's; `summary`, and "
            "the rows of the `table` of training data in the HTML version, where the card links that",
            keys=("number", "summary", "table"),
        ),
        "unrecognised": Field(
            "rows",
            "names of training data that mean no task for certain; `problem` is unknown, ambiguous, private, whole (a benchmark, without which of "
            "its sets) or prose (a sentence that tells of data and names no set), `meant` the known name that this one is a letter away from, or null",
            keys=("name", "origin", "problem", "meant", "why"),
        ),
        "annotation": Field(
            "string?", "what mteb says of the subject's training data: `listed`, `empty` or `none` (nothing)", "mteb does not know it"
        ),
        "parents": Field(
            "rows",
            "models in the lineage, `depth` steps away, by whom (`via`); `state` of their data is listed (by mteb), empty (mteb lists none of its "
            "sets), silent (mteb says nothing), plain (an encoder trained on plain text) or unknown (mteb does not know the model)",
            keys=("id", "via", "depth", "state"),
        ),
        "benchmarks": Field(
            "rows",
            "benchmarks, the usual ones and those of which the card shows at least half of the scores; `verdict` is declared overlap, no overlap "
            "declared, not declared or cannot be verified; `tasks` are in it (null where nothing was looked up), `overlapping` of them in the "
            "training data, `unclear` names and parents that may hold any, `private` tasks nobody can compare, `scored` have scores in the card, "
            "`scored_overlap` of the overlapping ones, `shown` names some; `zero_shot` is mteb's percentage (null where it has none), `mended` the "
            "same with misspelt names counted, `ours` the one by all that is declared, `why` they differ, `ways` the paths to the first few tasks",
            keys=(
                "benchmark",
                "verdict",
                "tasks",
                "overlapping",
                "unclear",
                "private",
                "scored",
                "scored_overlap",
                "shown",
                "zero_shot",
                "mended",
                "ours",
                "why",
                "ways",
            ),
        ),
        "scored": Field(
            "rows",
            "tasks whose scores the card shows and whose data is in the declared training data, in one row: `count` out of `of`, with the way to "
            "one of them",
            keys=("tasks", "count", "of", "path"),
        ),
        "undeclared": Field(
            "rows",
            "data that mteb lists for this model and the card does not declare, in one row; `declared` tasks are covered by the card",
            keys=("names", "count", "declared"),
        ),
        "contradicted": Field(
            "rows",
            "claims that a benchmark was not trained on, with some of its `count` tasks in the declared data (MS MARCO's left out, which is "
            "trained on as a matter of course) and the way to the first",
            keys=("text", "board", "tasks", "count", "path"),
        ),
    },
    "results": {
        "entries": Field(
            "rows",
            "model-index results, one row a metric; `value` is null where it is no finite number, `range` is "
            "`percent`, `correlation` or null where the metric has no known bounds",
            keys=("model", "task", "dataset", "dataset_id", "config", "split", "revision", "metric", "value", "written", "range"),
        ),
        "models": Field("rows", "names in model-index, with the number of `results` under each", keys=("name", "results")),
        "conflicts": Field(
            "rows",
            "tasks on a data set with results that repeat with another value: the first of `count`",
            keys=("what", "first", "second", "count"),
        ),
        "repeats": Field(
            "rows",
            "tasks on a data set with results that repeat with the same value: the first of `count`",
            keys=("what", "value", "count"),
        ),
        "problem": Field("string?", "why model-index cannot be read", "it can, or there is none"),
        "malformed": Field("rows", "what huggingface_hub stops at in model-index, and how often", keys=("problem", "count")),
        "misspelt": Field("rows", "keys that nobody reads; `replacement` is the one that is meant", keys=("key", "replacement", "where")),
        "unnumbered": Field(
            "rows",
            "values that are no numbers, one row for each way of not being one: the first of `count` in so many `results`; `how` is empty, "
            "true or false, a list, a mapping, text, quoted (a number in quotes), exponent (one that YAML takes for text), not finite, or "
            "undefined (NaN where MTEB writes it for what cannot be computed)",
            keys=("what", "written", "how", "count", "results"),
        ),
        "revisions": Field("rows", "revisions of data sets that are no commits", keys=("revision", "count")),
        "dataset_ids": Field(
            "rows",
            "ids of data sets that are none; `problem` is placeholder, benchmark, address, form, owner (there is none) or legacy (the Hub "
            "still follows it), `pinned` that a commit is given; ids without an owner share a row: the first of so many `ids`, some `others`, "
            "and the `count` of results",
            keys=("id", "problem", "pinned", "ids", "others", "count"),
        ),
        "train_splits": Field(
            "rows", "results on a split called train, save those of MTEB tasks that have no other", keys=("dataset", "count")
        ),
        "splitless": Field("rows", "the first of `count` results out of `of` that name no split", keys=("count", "of")),
        "mixed_scales": Field(
            "rows", "scores from 0 to 1 beside scores from 0 to 100: the first of the fewer ones", keys=("odd", "usual", "count", "of")
        ),
        "main_scores": Field(
            "rows",
            "main scores that are none of their result's `count` other metrics",
            keys=("dataset", "value", "metric", "other", "count"),
        ),
        "disorder": Field(
            "rows",
            "results with metrics of which `high` cannot be below `low`, and is: the first of `count`",
            keys=("dataset", "low", "first", "high", "second", "count"),
        ),
        "perfect": Field("rows", "headline scores of 100 percent", keys=("dataset", "metric", "value")),
        "zeros": Field(
            "rows", "headline scores of exactly nought: the first of `count` results", keys=("dataset", "metric", "value", "count")
        ),
        "twins": Field("rows", "different data sets with the same `count` scores", keys=("dataset", "other", "count")),
        "uniform": Field("rows", "one headline score that nearly all results have", keys=("value", "count", "of")),
        "unverified": Field("rows", "the first of `count` metrics that are said to be verified, without a token", keys=("metric", "count")),
    },
    "claims": {
        "foreign_names": Field(
            "rows",
            "names in model-index that are not this model's, with the number of `results` under each; `why` is size, version, language, "
            "words, leftover (of a training run) or placeholder; where `left` alone is empty, the name has no version",
            keys=("name", "mine", "why", "left", "right", "results"),
        ),
        "contradictions": Field(
            "rows",
            "rows of the card's tables with scores that no result of the task in model-index has: the first of `count`",
            keys=("task", "stated", "metric", "indexed", "count"),
        ),
        "ranks": Field(
            "rows",
            "sentences that put this model first; `kind` is rank, best or art (state of the), `shown` that a table, a list of results or a "
            "link stands with it, `dated` that a date does, `board` that they speak of a leaderboard",
            keys=("text", "kind", "shown", "dated", "board"),
        ),
        "scores": Field("bool", "the card shows scores: in model-index, in a table or in `.eval_results`"),
    },
    "evalresults": {
        "entries": Field(
            "rows",
            "results in `.eval_results`; `value` is null where it is no finite number",
            keys=("dataset", "task", "value", "written", "source", "token"),
        ),
        "malformed": Field("rows", "why the Hub cannot show a file", keys=("problem",)),
        "astray": Field("rows", "files of results that the Hub does not look at", keys=("path",)),
        "misspelt": Field("rows", "keys that the Hub does not read; `replacement` is the one that is meant", keys=("key", "replacement")),
        "values": Field("rows", "values that are no finite numbers", keys=("dataset", "written")),
        "unproven": Field("rows", "results that are said to be verified, without a token that could prove it", keys=("text",)),
        "dates": Field("rows", "dates that are none, or lie ahead; `problem` says which", keys=("written", "problem")),
        "dataset_ids": Field("rows", "ids of data sets that are none, as in results.dataset_ids", keys=("id", "problem")),
        "revisions": Field("rows", "revisions of data sets that are no commits", keys=("revision",)),
        "urls": Field("rows", "sources that are no web addresses", keys=("url",)),
        "conflicts": Field("rows", "results that repeat with another value", keys=("what", "first", "second", "where")),
        "contradictions": Field(
            "rows", "results that no metric of the task in model-index has", keys=("task", "stated", "metric", "indexed")
        ),
    },
    "config": {
        "model_type": Field("string?", "architecture family", ABSENT),
        "architectures": Field("strings", "model classes"),
        "hidden_size": Field("int?", "width of the token embeddings", ABSENT),
        "max_position_embeddings": Field("int?", "positions the model has", ABSENT),
        "name_or_path": Field("string?", "`_name_or_path`", ABSENT),
        "auto_map": Field("strings", "`auto_map` entries: classes that come as code from a repository"),
        "broken": Field("rows", "JSON files that cannot be read", keys=("path", "problem")),
        "paths": Field("rows", "values that are paths on somebody's machine", keys=("key", "value")),
        "files": Field("strings", "configuration files that were looked at, whether they can be read or not"),
        "vocab_size": Field("int?", "rows that the token embedding matrix should have", ABSENT),
        "embedding_size": Field("int?", "width of the token embeddings where it is not `hidden_size`", ABSENT),
        "attention_heads": Field("int?", "attention heads", ABSENT),
        "head_dim": Field("bool", "the width of an attention head is given by itself"),
        "usable_positions": Field("int?", "tokens that fit into the positions", "positions are not learned one by one, or not known"),
        "dtype": Field("string?", "data type that the weights are said to have, without `torch.`", ABSENT),
        "is_pooling": Field("bool", "config.json holds the settings of a pooling module"),
        "duplicate_keys": Field("rows", "keys that occur twice in one JSON object", keys=("path", "key")),
        "nonstandard": Field("rows", "NaN and Infinity, which JSON does not have", keys=("path", "key", "value")),
        "wrong_types": Field("rows", "values of another type than is read", keys=("path", "key", "wanted", "written")),
    },
    "adapter": {
        "has_config": Field("bool", "adapter_config.json can be read"),
        "base": Field("string?", "base_model_name_or_path", ABSENT),
        "weights": Field("rows", "adapter weights, and whether adapter_config.json is beside them", keys=("path", "described")),
    },
    "st": {
        "has_modules": Field("bool", "modules.json exists and can be read"),
        "modules": Field(
            "rows",
            "modules in order; `importable` is false for a class that cannot be there, `code` is the repository's Python file with the "
            "class where that file is not there, else null",
            keys=("type", "class", "path", "missing", "importable", "code"),
        ),
        "module_faults": Field(
            "rows", "what is wrong with modules.json; `kind` is malformed, repeated, order or index", keys=("kind", "text")
        ),
        "pooling_missing": Field("bool", "a Transformer without a module that makes one vector of a text"),
        "unknown_keys": Field(
            "rows", "keys that a module does not take; `near` is the key that is meant, or empty", keys=("path", "key", "near")
        ),
        "dense": Field(
            "rows",
            "Dense modules; `incoming` is the size of the vectors that reach it",
            keys=("path", "in_features", "out_features", "incoming"),
        ),
        "dimension": Field("int?", "size of the vectors that come out in the end", "a module changes it, and no file tells to what"),
        "truncate_dim": Field("int?", "size that vectors are cut to", ABSENT),
        "token_limit": Field(
            "int?", "token limit that is in force: of sentence-transformers or the tokenizer, and the positions", "no file sets one"
        ),
        "task": Field("string?", "transformer_task: what the encoder is loaded for", ABSENT),
        "has_pooling": Field("bool", "the pooling configuration can be read"),
        "has_settings": Field("bool", "config_sentence_transformers.json can be read"),
        "model_class": Field("string?", "kind of model that sentence-transformers saved", ABSENT),
        "prompts_known": Field("bool", "`prompts` holds all that there are: the settings were read, or are not in the repository"),
        "prompts_problem": Field("string?", "why the prompts cannot be used", "they can, or there are none"),
        "default_prompt": Field("string?", "default_prompt_name", ABSENT),
        "misnamed_settings": Field(
            "rows", "settings under a name that is not read; `replacement` is the one that is", keys=("key", "replacement")
        ),
        "custom_modules": Field("rows", "module types from outside sentence_transformers", keys=("type",)),
        "max_seq_length": Field("int?", "token limit in sentence_bert_config.json", ABSENT),
        "pooling": Field("strings", "pooling modes that are on"),
        "pooling_dimension": Field("int?", "embedding dimension in the pooling configuration", ABSENT),
        "normalize": Field("bool", "a Normalize module is present"),
        "prompts": Field("rows", "prompts; `short` is how the text is quoted", keys=("name", "text", "short")),
        "similarity": Field("string?", "similarity_fn_name", ABSENT),
        "has_dense": Field("bool", "a module after pooling may change the dimension"),
    },
    "tokenizer": {
        "model_max_length": Field("int?", "token limit in tokenizer_config.json", "absent, or a placeholder over 10 million"),
        "placeholder_length": Field("bool", "model_max_length is a placeholder such as 1e30"),
        "tokenizer_class": Field("string?", "class that loads it", ABSENT),
        "lower_case": Field("bool?", "do_lower_case", ABSENT),
        "last_added": Field("int?", "highest number of an added token", "no added tokens are listed"),
        "last_added_text": Field("string", "that token"),
        "scripts": Field(
            "rows",
            "declared languages of other scripts than Latin, and how many of the vocabulary's entries are in that script; without a "
            "script where only the size of the vocabulary tells",
            keys=("languages", "script", "entries", "size"),
        ),
    },
    "weights": {
        "safetensors": Field(
            "rows",
            "safetensors files; parameters and tensors are null for one that was not fetched",
            keys=("path", "parameters", "tensors", "bytes"),
        ),
        "pickle": Field("rows", "weights in a format that can run code when it loads", keys=("path", "bytes")),
        "onnx": Field("strings", "ONNX files"),
        "gguf": Field("strings", "GGUF files"),
        "broken": Field("rows", "weights that cannot be read", keys=("path", "problem")),
        "parameters": Field("int?", "number of parameters in the safetensors files", "no readable safetensors file"),
        "dtypes": Field("strings", "data types of the tensors"),
        "hidden_size": Field("int?", "columns of the token embedding matrix", "no tensor that looks like one"),
        "vocab_size": Field("int?", "rows of the token embedding matrix", "no tensor that looks like one"),
    },
    "hazards": {
        "secrets": Field(
            "rows", "keys, tokens and passwords in text files; `shown` is no more than their start", keys=("path", "kind", "shown")
        ),
        "commands": Field(
            "rows",
            "commands in the card; `kind` is `fetches` (and runs at once), `encoded` (what runs cannot be read), `unchecked` (who answers is "
            "not checked) or `defences` (lowers them)",
            keys=("kind", "text"),
        ),
        "unpickles": Field("rows", "card's code that loads pickles; `off` where it turns a protection off", keys=("text", "off")),
        "downloads": Field("rows", "addresses of files without encryption", keys=("url",)),
        "markup": Field("rows", "HTML that runs a `script` or shows another `page`: see `kind`", keys=("kind", "what")),
        "appeals": Field("rows", "words to an AI that reads the card; `hidden` where people do not see them", keys=("text", "hidden")),
        "hidden": Field("rows", "other text that people do not see; `how` says why", keys=("text", "how")),
        "links": Field(
            "rows",
            "links that are not what they look like; `kind` is elsewhere, numeric, script, login, lookalike, brand or shortened; `host` is "
            "where it goes, or for lookalike and brand what it looks like",
            keys=("kind", "text", "url", "host"),
        ),
        "lookalikes": Field(
            "rows",
            "names with letters of another script that look like the Latin ones in `latin`",
            keys=("where", "name", "latin", "letter"),
        ),
        "split_words": Field("rows", "words that an invisible mark splits; `name` is its code point", keys=("word", "name")),
        "remote": Field(
            "rows",
            "classes that are Python code; `kind` is class or module, `repository` is empty for this one, `missing` names files that are not "
            "there",
            keys=("kind", "path", "classes", "repository", "missing"),
        ),
        "calls": Field(
            "rows",
            "where the card's code turns remote code on; `id` is the repository or empty, `own` that it is this one, `pinned` that a "
            "revision is named, `first` that it is the first without one for this repository",
            keys=("id", "own", "pinned", "first", "written"),
        ),
        "files": Field(
            "rows", "files that have no place beside a model; `kind` is executable, archive or credentials", keys=("path", "kind")
        ),
    },
    "pickles": {
        "files": Field(
            "rows",
            "pickles by their name; `status` is `scanned`, `no pickle` (another format), `not fetched`, `partly read` or `unreadable`; "
            "`problem` says why",
            keys=("path", "status", "problem"),
        ),
        "globals": Field(
            "rows",
            "functions and classes that pickles name; `danger` is `dangerous` (runs code or reaches the system), `suspicious` (not known) "
            "or `innocuous`",
            keys=("path", "name", "danger"),
        ),
    },
    "app": {
        "files": Field("int", "files of the application that were named"),
        "models": Field(
            "rows",
            "places that choose an embedding or ranking model. `id` as it is understood, `given` as written, `how` by what; `kind` is hub, api or "
            "local; `in_tests`: the file belongs to tests; `loads`: the place fetches it from the Hub and could name a revision; `measured` is the "
            "commit whose scores the leaderboard shows; `meant` and `cased` are the id that is meant where this one is misspelt, or differs in capitals; `misused` says what the model "
            "is where the class is made for something else; `audit` is none, consistent, unexplained, inconclusive or not measured",
            keys=(
                "id",
                "given",
                "how",
                "kind",
                "role",
                "in_tests",
                "loads",
                "revision",
                "pinned",
                "remote_code",
                "known",
                "dimension",
                "max_tokens",
                "successor",
                "moved_to",
                "meant",
                "cased",
                "deprecated",
                "shut_down",
                "measured",
                "misused",
                "audit",
                "audit_age_days",
                "audit_file",
                "audit_revision",
            ),
        ),
        "remote_code": Field(
            "rows",
            "places that let a model's repository run code; `id` is null where it is not known, `pinned` where the revision is not",
            keys=("id", "pinned", "revision"),
        ),
        "dimensions": Field(
            "rows",
            "sizes of vectors that a database, an index or a `setting` declares, with the one model that the same file, or the application, makes "
            "vectors with; `shortens` is yes, no or unknown; `elsewhere`: another place declares the model's size",
            keys=("dimension", "what", "setting", "model", "model_dimension", "shortens", "shortened", "elsewhere"),
        ),
        "chunks": Field(
            "rows", "largest sizes of chunks, in tokens, with the one model's limit", keys=("tokens", "what", "model", "max_tokens")
        ),
        "mixtures": Field("rows", "files that make vectors with two models", keys=("first", "second", "first_line")),
        "pickles": Field("rows", "places that ask for weights in a format that can run code", keys=("what",)),
        "problems": Field("rows", "files that could not be read or parsed", keys=("path", "problem")),
        "audits_kept": Field("bool", "audits are kept beside the application, or the settings say where"),
        "max_audit_age_days": Field("int", "how old an audit may be"),
    },
    "maker": {
        "resembles": Field(
            "rows",
            "a known organisation that the owner's name looks like, by `how`: letters (that look alike), marks (between words) or one letter; "
            "`models` of it are known",
            keys=("owner", "like", "how", "models"),
        ),
        "claims": Field(
            "rows",
            "what says that a well-known organisation made the model, where the owner is another and nothing of theirs is declared as the origin; "
            "`kind` is field, sentence, copyright, our link or title",
            keys=("kind", "organisation", "owner", "text"),
        ),
    },
    "owner": {
        "name": Field("string?", "the part of the Hub id before the name", "no Hub id, or not asked"),
        "exists": Field("bool", "the Hub knows an organisation or a person of that name"),
        "kind": Field("string?", "`organization` or `user`", "nobody of that name, or not asked"),
        "fullname": Field("string?", "the name on the profile", "none is given"),
        "verified": Field("bool", "the Hub has verified the organisation"),
        "members": Field("int?", "members of the organisation", "not told; a person has none"),
        "followers": Field("int?", "followers", "not told"),
        "models": Field("int?", "public models by the profile", "not told"),
        "bears": Field(
            "string?", "the well-known organisation whose name the profile bears, where the owner is none of its accounts", "none"
        ),
        "listed": Field(
            "bool?",
            "the Hub's list of the owner's models holds the subject",
            "nobody can say: the list is longer than was read, or the model has moved",
        ),
        "listed_models": Field("int", "models in that list, as far as it was read"),
    },
    "pages": {
        "lists": Field(
            "rows",
            "pages of models or documentation on the maker's own site that the card or the owner's profile links; `names_it` is whether the subject "
            "stands there, `others` how many other models of the maker do, `shown` some of them",
            keys=("url", "names_it", "others", "shown"),
        ),
    },
    "official": {
        "claimed": Field("int", "MTEB tasks whose scores the card states"),
        "compared": Field("int", "parts of tasks of which MTEB's results repository has a score to hold against the card's"),
        "higher": Field("int", "of those, parts that the card has more than a point higher, and no known trap explains it"),
        "lower": Field("int", "the same, lower"),
        "mean_difference": Field("double?", "points by which the card is higher, on average, known traps left out", "nothing to compare"),
        "copied": Field("strings", "tasks of which the repository has only numbers that were copied from the model's card"),
        "entries": Field(
            "rows",
            "compared parts, the widest differences first, in points from 0 to 100; `trap` is scale, metric, split (the number "
            "is one of these, and `fits` says which), task (most cards differ alike), data revision, broken run, prompt (may be one of these) or empty; `origin` is model-index, "
            ".eval_results or table; `run` is the model's revision in the repository and `version` mteb's",
            keys=(
                "task",
                "split",
                "subset",
                "metric",
                "stated",
                "official",
                "difference",
                "trap",
                "fits",
                "origin",
                "run",
                "version",
            ),
        ),
        "spread": Field(
            "rows",
            "parts of which official runs of the model lie more than 5 points apart",
            keys=("task", "split", "subset", "low", "low_run", "high", "high_run"),
        ),
    },
    "hub": {
        "renamed_to": Field("string?", "id that the Hub gives the model now", "it is the one that was asked for"),
        "downloads": Field("int?", "downloads of the last 30 days", "not told"),
        "likes": Field("int?", "likes", "not told"),
        "created": Field("string?", "day when the repository was made, no earlier than March 2022", "not told"),
        "modified": Field("string?", "day of its last commit", "not told"),
        "gated": Field("bool", "its owner gives access on request"),
        "private": Field("bool", "only some see it"),
        "disabled": Field("bool", "the Hub has disabled it"),
        "tags": Field("strings", "tags, those among them that the Hub adds"),
        "bases": Field("strings", "base models as the Hub lists them"),
        "relation": Field("string?", "relation to these: finetune, adapter, quantized or merge", "not told"),
        "finetunes": Field("int", "models that were fine-tuned from it"),
        "adapters": Field("int", "adapters for it"),
        "merges": Field("int", "merges with it"),
        "quantizations": Field("int", "quantized copies of it"),
    },
    "scan": {
        "done": Field("bool", "the Hub's scanners have looked at all files"),
        "issues": Field("rows", "files that they name; `level` is unsafe or caution", keys=("path", "level")),
    },
    "history": {
        "commits": Field("int", "commits of the main branch that were looked at"),
        "results_changed": Field("string?", "day of the last commit whose title speaks of results or the card", "no title does"),
        "results_title": Field("string", "that title"),
        "weights_changed": Field("string?", "day of the last commit whose title speaks of new weights", "no title does"),
        "weights_title": Field("string", "that title"),
        "days_after": Field(
            "int?",
            "days from the last change of results to a later one of weights, 0 where there is none",
            "titles do not tell both, or the weights first came after the results",
        ),
    },
    "disputes": {
        "open": Field("int", "open discussions and pull requests that were looked at"),
        "rows": Field(
            "rows",
            "open ones whose title disputes `results` (or that they can be reproduced), training `data`, `licence` or `safety`: see `kind`",
            keys=("num", "title", "kind", "date"),
        ),
    },
    "bases": {
        "declared": Field(
            "rows",
            "the first three declared base models as the Hub knows them; `now` is the id it gives, `found` that it exists and is shown, "
            "`renamed` that it has another id by now",
            keys=("value", "now", "found", "renamed", "gated", "private", "disabled"),
        ),
    },
    "tree": {
        "files": Field("int", "files on the main branch"),
        "hashed": Field("int", "weights of a folder here whose sha256 was held against the Hub's"),
        "differ": Field(
            "rows",
            "weights that are others here than there: `here` and `there` are `900 bytes`, or `sha256` and its first 12 digits where the sizes "
            "are the same",
            keys=("path", "here", "there"),
        ),
    },
    "copies": {
        "same": Field(
            "rows",
            "models whose repository holds all of this one's weights by sha256, and is no younger; at most two that card or configuration name "
            "are looked at. `declared`: in `base_model`, `credited`: the text names it, `same_owner`: both are one owner's",
            keys=("id", "path", "files", "declared", "credited", "same_owner"),
        ),
    },
    "data": {
        "declared": Field(
            "rows",
            "the first five declared data sets as the Hub knows them, with the keys of bases.declared",
            keys=("value", "now", "found", "renamed", "gated", "private", "disabled"),
        ),
    },
    "papers": {
        "looked_up": Field(
            "rows",
            "papers on arXiv that the card names, three at most. `how` it does: words (that call the paper its own), tag, citation, link or text; "
            "`names` is whether title or abstract name the model or its family (yes, no, unsaid), `owners` that the Hub shows the paper as the "
            "owner's, `before_model` and `before_base` how many days before the model, and the one it was made from, it was published (0: not, or unknown), `of` the "
            "well-known organisation that the Hub names for it, where that is neither the owner nor a base's maker",
            keys=("number", "how", "exists", "title", "published", "names", "owners", "before_model", "before_base", "of"),
        ),
        "said": Field(
            "rows",
            "what a citation, or the text of a link (see `where`), says that one of these is; `titled` and `authored` are agrees, differs or unsaid",
            keys=("number", "where", "said", "real", "titled", "authored", "said_author", "real_author"),
        ),
        "more": Field("int", "papers on arXiv that the card names beside those"),
    },
    "reports": {
        "looked_up": Field(
            "rows",
            "blog posts and reports that the card links as its own (`presented`) or that lie on the owner's site (`owners`), three at most; `final` is "
            "where the address leads, `moved` is front page, another site or empty, `names` whether it names the model or its family, `trains` "
            "whether it has words on training (yes, no, unsaid where no text could be read)",
            keys=("url", "presented", "owners", "found", "final", "moved", "names", "trains"),
        ),
    },
    "probe": {
        "dimension": Field("int?", "numbers in a vector", NOT_MEASURED),
        "truncates_at": Field("int?", "tokens of a text that are read; what follows changes nothing", "no end was found, or not measured"),
        "reads_at_least": Field("int?", "tokens of a text that are surely read, where no end was found", NOT_MEASURED),
        "fails_at": Field("int?", "tokens from which on the model raises an error", "it raises none, or not measured"),
        "length_error": Field("string", "that error"),
        "length_exact": Field("bool", "these three are exact: the tokenizer has words of one token to make texts of"),
        "norm_low": Field("double?", "length of the shortest vector", NOT_MEASURED),
        "norm_high": Field("double?", "length of the longest vector", NOT_MEASURED),
        "normalised": Field("bool?", "all vectors have length one", NOT_MEASURED),
        "deterministic": Field("bool?", "texts that are encoded twice, and by the model loaded twice, have the same vectors", NOT_MEASURED),
        "repeat_difference": Field("double?", "widest difference of a vector when encoded twice, as a share of its length", NOT_MEASURED),
        "reload_difference": Field("double?", "the same when the model is loaded twice", NOT_MEASURED),
        "batch_difference": Field("double?", "the same between alone and in a batch with longer texts", NOT_MEASURED),
        "stored_dtype": Field("string?", "data type of the weights", NOT_MEASURED),
        "dtype": Field("string?", "data type that was computed in", NOT_MEASURED),
        "device": Field("string?", "where it ran", NOT_MEASURED),
        "memory_mb": Field("int?", "the most memory it held beyond the libraries", "not measured, or not told by the system"),
        "short_per_second": Field("double?", "queries encoded in a second", NOT_MEASURED),
        "long_per_second": Field("double?", "long texts encoded in a second", NOT_MEASURED),
        "ndcg": Field("double?", "nDCG@10 points on a sample of a held-out set", NOT_MEASURED),
        "queries": Field("int", "queries of that sample"),
        "prompts": Field(
            "rows",
            "prompts by `origin` configuration or card, `side` is what they are put before; `cosine` is between vectors with and without, "
            "`changes` that any differs, `gain` the points of nDCG@10 it brings, from `low` to `high` in 95 % of samples of queries",
            keys=("name", "text", "origin", "side", "cosine", "changes", "gain", "low", "high"),
        ),
        "prefixes": Field(
            "rows",
            "vectors cut to their first `dimension` numbers: `loss` in points of nDCG@10, from `low` to `high` likewise, `agreement` of the "
            "order with that by whole vectors (Spearman); `stated` that card or configuration name the dimension",
            keys=("dimension", "stated", "ndcg", "loss", "low", "high", "agreement"),
        ),
    },
    "board": {
        "results": Field("int", "tasks of the board that the model has results of"),
        "expected": Field("int", "results for which the model's other results say what is to be expected"),
        "scatter": Field(
            "double?", "how far its results usually lie from what is expected, 1 as for the median model", "fewer than 20 can be judged"
        ),
        "high": Field(
            "rows",
            "families of tasks that are far above what all other results lead one to expect, by their furthest cell (`name`; points, with a 90 % "
            "interval `low` to `high`): `standard` errors above, `chance` is the share of cells on data that nobody is said to train on which lie "
            "as high; `declared` (yes, named, no, unsaid) that its training is said to hold the task, by its own or another name, `makers` how many makers' does, `cells` how many "
            "cells of the family",
            keys=("task", "name", "published", "expected", "low", "high", "standard", "chance", "declared", "makers", "cells", "evidence"),
        ),
        "low": Field(
            "rows",
            "cells that are far below it; `hundredth` that a hundred times the score would be what is expected",
            keys=("task", "name", "published", "expected", "standard", "hundredth", "evidence"),
        ),
        "trained_tasks": Field("int", "results on tasks whose data five makers or more are said to train on"),
        "trained_declared": Field("int", "those of them that its own training is said to hold"),
        "trained_stated": Field("bool", "these results are what its maker stated, as too few are mteb's own; never some of both"),
        "trained_gap": Field("double?", "mean points above what its results on all other tasks lead one to expect there", NOT_JUDGED),
        "trained_standard": Field("double?", "that, as a multiple of how it usually scatters among models", NOT_JUDGED),
        "trained_chance": Field("double?", "share of honest models that lie as high by chance", NOT_JUDGED),
        "trained_furthest": Field("strings", "those of these results that lie furthest above, in words"),
        "copies": Field(
            "rows",
            "models that it shares scores with: `kind` exact (nine of ten common tasks to four decimals), near (three of four within a quarter "
            "of a point) or partial; `relation` format (another number format or way to run one model), declared, owner (the same) or none; "
            "`shared`, `equal` and `near` count tasks; `later` that this one is the younger, by release where `dated`, else the one with fewer results, or the longer name",
            keys=("other", "relation", "kind", "shared", "equal", "near", "later", "dated", "evidence"),
        ),
        "scales": Field(
            "rows",
            "scores that cannot be: `problem` is above, below, no number, or another metric than the task's",
            keys=("task", "metric", "problem", "evidence"),
        ),
        "parts": Field(
            "rows",
            "tasks that it lacks parts of, so that mteb gives no score; `published` over what it has",
            keys=("task", "published", "evidence"),
        ),
        "reported": Field(
            "rows",
            "scores that maker and mteb both have, in points; `difference` beyond what is usual of the task",
            keys=("task", "reported", "official", "difference", "evidence"),
        ),
        "reported_results": Field("int", "English results that the maker stated, where there are enough of both kinds"),
        "reported_standard": Field(
            "double?", "how much higher than mteb's they lie above what is expected, in standard errors", NOT_JUDGED
        ),
        "reported_chance": Field("double?", "how often chance gives as much", NOT_JUDGED),
        "training": Field(
            "string", "what mteb is told of the training data: listed, none, unsaid, or unregistered where it does not know the model"
        ),
        "training_listed": Field("int", "data sets that are listed"),
        "training_public": Field("bool", "where the training data is to be had is said"),
        "unknown_parent": Field("string?", "the model that it was made from, where mteb knows nothing of that one", "none, or known"),
        "misspelt": Field(
            "rows", "listed names that are a task's but for capitals or punctuation", keys=("name", "task", "ambiguous", "evidence")
        ),
        "zero_shot_of": Field("string", "benchmark of which the zero-shot shares are"),
        "zero_shot": Field("int?", "percent of its tasks that mteb takes as not trained on", "mteb cannot say"),
        "zero_shot_mended": Field("int?", "the same with misspelt names mended", "mteb cannot say"),
        "zero_shot_ambiguous": Field("int?", "the same, those that may mean another task too", "mteb cannot say"),
        "tuned_prompts": Field("bool", "the name of the run says that prompts were searched or tuned"),
        "stated_only": Field("int", "tasks whose results are only what the maker stated"),
        "no_revision": Field("int", "tasks whose results are of no known revision"),
        "revision": Field("string?", "revision that mteb evaluates the model at", "mteb does not know the model"),
        "other_revision": Field("int", "tasks that only another commit than that was run on"),
        "other_revisions": Field("strings", "those commits, five at most"),
        "released": Field("string?", "day of release, by mteb", "not said"),
        "dated": Field("int", "results whose day is known"),
        "older": Field("rows", "results from more than two days before the release", keys=("task", "date", "evidence")),
    },
    "facts": {
        "capped": Field("strings", "names of lists that were cut to keep evaluation within its budget"),
    },
}

# A source is what a group was read from. Groups that are not listed are always known. Parts of a group that can be missing by themselves
# have sources of their own.
SOURCES = (
    "files",
    "card",
    "results",
    "config",
    "st",
    "tokenizer",
    "weights",
    "pickles",
    "evalresults",
    "app",
    "overlap",
    "hub",
    "scan",
    "history",
    "disputes",
    "bases",
    "tree",
    "copies",
    "owner",
    "papers",
    "papers.days",
    "reports",
    "reports.text",
    "data",
    "pages",
    "official",
    "probe",
    "probe.length",
    "probe.search",
    "board",
    "board.expected",
    "board.trained",
    "board.training",
    "board.dates",
)

FIELDS: dict[str, Field] = {f"{group}.{name}": field for group, fields in GROUPS.items() for name, field in fields.items()}

# CEL's evaluator allows 10,000 iterations in a comprehension; lists stay well below it.
MAX_ROWS = 4000


def describe() -> str:
    """Return the facts as a Markdown page."""
    lines = [
        "# Facts",
        "",
        "What a rule's `when`, `fails` and `message` can speak of. Every row has `file`, `line` and `column` as well.",
        "",
    ]
    for group, fields in GROUPS.items():
        source = " (a source: `needs` can name it)" if group in SOURCES else ""
        lines += [f"## {group}{source}", "", "| fact | kind | what it says |", "| --- | --- | --- |"]
        for name, spec in fields.items():
            keys = f"; keys: {', '.join(f'`{key}`' for key in spec.keys)}" if spec.keys else ""
            null = f"; null: {spec.null}" if spec.null else ""
            lines.append(f"| `{group}.{name}` | {spec.kind} | {(spec.doc + keys + null).replace('|', '&#124;')} |")
        lines.append("")
    return "\n".join(lines)
