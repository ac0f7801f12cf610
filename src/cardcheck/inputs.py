"""From what a user names to lint - folders, files, patterns, Hub ids - to subjects.

Three kinds of input are told apart by what they are, not by flags: a model's repository or card, single files of a model, and files
of an application that choose a model. Files of one model that are named one by one are judged together, so that a hook that
hands over two hundred names gets what it would get for the folder, as far as those files tell.
"""

from __future__ import annotations

import os
import re
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError
from cardcheck.facts.files import MAX_DEPTH, MAX_FILES, SKIPPED_FOLDERS, WEIGHT_SUFFIXES
from cardcheck.pattern import Pattern
from cardcheck.subject import Subject, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

CARDS = (".md", ".markdown")
MODEL_NAMES = frozenset({
    "modules.json", "config_sentence_transformers.json", "sentence_bert_config.json", "tokenizer_config.json", "adapter_config.json",
    "special_tokens_map.json", "tokenizer.json", "preprocessor_config.json", "processor_config.json", "generation_config.json",
})  # fmt: skip
MARKERS = ("modules.json", "config_sentence_transformers.json", "adapter_config.json")  # one of them makes a folder a model
CONFIG, CARD = "config.json", "README.md"
CONFIG_KEYS = Pattern(
    r'"(?:model_type|architectures|_name_or_path|transformers_version|auto_map|word_embedding_dimension|embedding_dimension'
    r'|pooling_mode\w{0,40}|in_features|hidden_size)"\s{0,9}:'
)
MODULE_FOLDER = Pattern(r"^\d{1,2}_[A-Z]\w{0,60}$")
RESULTS_FOLDER = ".eval_results"
APPLICATION_SUFFIXES = frozenset({".py", ".ipynb", ".yaml", ".yml", ".toml", ".json", ".env", ".sql", ".sh", ".cfg", ".ini", ".j2", ".tpl"})
APPLICATION_NAMES = ("dockerfile", "containerfile", ".env", "docker-compose", "compose.")
FRONT_MATTER_KEYS = Pattern(
    r"^(?:license|language|tags|datasets|base_model|pipeline_tag|library_name|model-index|metrics)\s{0,9}:", re.MULTILINE
)
SNIFFED = 65_536
MAGIC = Pattern(r"[*?\[]")


def gather(given: Iterable[str], *, hub_id: str | None = None, exclude: Iterable[str] = (), offline: bool = False) -> list[Subject]:
    """Return the subjects that `given` names, each file in one of them.

    A folder that holds a model is one subject; any other is searched for models, cards and application files. Raises
    CardcheckError for a name that leads nowhere and for a file that no rule could speak of.
    """
    found = _Found(tuple(exclude))
    for name in given:
        path = Path(name).expanduser()
        if not os.path.lexists(path) and MAGIC.search(name):
            found.add_pattern(name)
        elif os.path.lexists(path) and found.excluded(path):  # pre-commit names files that the settings leave out
            continue
        elif name.strip() and path.is_dir() and hub_id is None and not _is_cache_or_model(path):
            found.search(path)
        elif path.is_file():
            found.add_file(path, named=True)
        else:
            found.subjects.append(resolve(name, hub_id=hub_id, offline=offline, weights=False))
    return found.all(hub_id)


class _Found:
    """What was found so far; files are gathered first, since those of one model belong together."""

    def __init__(self, exclude: tuple[str, ...]) -> None:
        self.exclude = exclude
        self.subjects: list[Subject] = []
        self.cards: list[Path] = []
        self.model_files: dict[Path, list[str]] = {}
        self.application: list[Path] = []
        self.left_out = 0  # files and folders that a search passed over because a pattern names them

    def excluded(self, path: Path) -> bool:
        """Tell whether a pattern names the path or a folder above it."""
        name = PurePosixPath(os.path.relpath(path)).as_posix()
        return any(fnmatch(name, pattern) or fnmatch(name, pattern.rstrip("/") + "/*") for pattern in self.exclude)

    def add_pattern(self, pattern: str) -> None:
        import glob

        names = sorted(glob.glob(pattern, recursive=True))  # noqa: PTH207  # Path.glob takes no absolute pattern
        files = [path for path in map(Path, names) if path.is_file()]
        if not files:
            raise CardcheckError(f"the pattern {pattern!r} matches no file", hint="quote it, and mind that ** is what crosses folders")
        for path in files:
            if not self.excluded(path):
                self.add_file(path, named=False)

    def add_file(self, path: Path, *, named: bool) -> None:
        if path.suffix.lower() in CARDS:
            self.cards.append(path)
        elif root := _model_root(path):
            self.model_files.setdefault(root, []).append(path.relative_to(root).as_posix())
        elif _is_application(path):
            self.application.append(path)
        elif named:
            raise CardcheckError(
                f"{path} is no file that cardcheck reads",
                hint="name a model's folder, card or configuration, or an application's code or configuration",
            )

    def search(self, top: Path) -> None:
        """Look through a folder that is not itself a model."""
        before = (len(self.subjects), len(self.cards), len(self.application))
        count = seen = self.left_out = 0
        for folder, folders, files in os.walk(top):
            here = Path(folder)
            depth = len(here.relative_to(top).parts)
            folders[:] = [name for name in sorted(folders) if depth < MAX_DEPTH and self._enter(here / name)]
            for name in sorted(files):
                path = here / name
                count += 1
                if count > MAX_FILES:
                    raise CardcheckError(f"{top} holds more than {MAX_FILES:,} files", hint="name the folders to lint, or exclude some")
                if self.excluded(path):
                    self.left_out += 1
                    continue
                seen += 1
                if path.is_symlink():
                    continue
                if name.lower() == "readme.md":
                    if _has_metadata(path):
                        self.cards.append(path)
                elif _is_application(path):
                    self.application.append(path)
        if before == (len(self.subjects), len(self.cards), len(self.application)) and (seen or not self.left_out):
            self.subjects.append(resolve(str(top), weights=False))

    def _enter(self, folder: Path) -> bool:
        if folder.name in SKIPPED_FOLDERS or folder.is_symlink():
            return False
        if self.excluded(folder):
            self.left_out += 1
            return False
        if _is_cache_or_model(folder):
            self.subjects.append(resolve(str(folder), weights=False))
            return False
        return not folder.name.startswith(".") or folder.name in (".github", ".devcontainer")

    def all(self, hub_id: str | None) -> list[Subject]:
        for card in dict.fromkeys(self.cards):  # a card beside named files of its model is read together with them
            if card.parent in self.model_files and card.name == CARD:
                self.model_files[card.parent].append(card.name)
            else:
                self.subjects.append(resolve(str(card), hub_id=hub_id))
        for root, names in self.model_files.items():
            self.subjects.append(Subject(str(root), "files", root, hub_id, only=tuple(dict.fromkeys(names))))
        if self.application:
            self.subjects.append(_application(self.application))
        return self.subjects


def _application(files: list[Path]) -> Subject:
    here = Path.cwd()
    whole = [Path(os.path.abspath(path)) for path in files]  # noqa: PTH100  # links are to stay as they are named
    inside = all(path.is_relative_to(here) for path in whole)
    root = here if inside else Path(os.path.commonpath([path.parent for path in whole]))
    return Subject(".", "application", root, only=tuple(dict.fromkeys(path.relative_to(root).as_posix() for path in whole)))


def _is_cache_or_model(folder: Path) -> bool:
    """Tell whether a folder is a model's repository or an entry of the Hub's cache."""
    if folder.name.startswith("models--") or folder.parent.name == "snapshots":
        return True
    try:
        names = {entry.name for entry in os.scandir(folder) if not entry.is_dir(follow_symlinks=False)}
    except OSError:
        return True  # reading it as a subject says what is wrong
    if names & set(MARKERS) or any(name.endswith(WEIGHT_SUFFIXES) for name in names):
        return True
    return CONFIG in names and _is_models(folder / CONFIG)


def _model_root(path: Path) -> Path | None:
    """Return the folder of the model whose file this is; None for a file of no model."""
    if path.suffix in (".yaml", ".yml"):
        return path.parent.parent if path.parent.name == RESULTS_FOLDER else None
    if path.name == CONFIG:
        if MODULE_FOLDER.match(path.parent.name):
            return path.parent.parent
        return path.parent if _is_models(path) else None
    return path.parent if path.name in MODEL_NAMES or path.name.endswith(WEIGHT_SUFFIXES) else None


def _is_application(path: Path) -> bool:
    name = path.name.lower()
    return path.suffix.lower() in APPLICATION_SUFFIXES or name.startswith(APPLICATION_NAMES) or ".env." in name


def _head(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(SNIFFED).decode("utf-8", errors="replace")
    except OSError:
        return ""


def _is_models(config: Path) -> bool:
    """Tell a model's config.json from an application's by its keys; one that cannot be read, by what lies beside it."""
    head = _head(config)
    if CONFIG_KEYS.search(head):
        return True
    if head.lstrip()[:1] == "{" and head.rstrip()[-1:] == "}" and '"' in head:
        return False
    try:
        beside = {path.name for path in config.parent.iterdir()}
    except OSError:
        return False
    return bool(beside & MODEL_NAMES) or any(name.endswith(WEIGHT_SUFFIXES) for name in beside) or _has_metadata(config.parent / CARD)


def _has_metadata(path: Path) -> bool:
    """Tell a model card from a project's README: it holds, or tries to hold, front matter with the Hub's keys."""
    head = _head(path)
    return "---" in head[:2000] and FRONT_MATTER_KEYS.search(head[:20_000]) is not None
