"""A rule file: reading it, and refusing it with line and column where it is wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from cardcheck.engine.cel import CelError, Expression
from cardcheck.errors import CardcheckError
from cardcheck.facts.located import Located, LocatedError, load_yaml
from cardcheck.facts.schema import FIELDS, GROUPS, SOURCES
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cardcheck.engine.example import Example

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
CONFIDENCES = ("high", "medium", "low")
PROFILES = ("default", "strict")
CATEGORIES = {
    "1": "card", "2": "provenance", "3": "training", "4": "scores", "5": "config", "6": "safety", "7": "leaderboard", "8": "heldout",
    "9": "application",
}  # fmt: skip
ID = Pattern(r"^[A-Z]{2,8}\d{3}$")
OWN_ID = Pattern(r"^CC([1-9])\d{2}$")
NAME = Pattern(r"^[a-z0-9]+(-[a-z0-9]+)*$")
REQUIRED = ("id", "name", "severity", "confidence", "fails", "message", "why", "fix", "examples")
OPTIONAL = ("profile", "needs", "when", "at", "references", "edit", "since")
UNDECLARED = Pattern(r"undeclared reference to '([^']+)'")
ROW_KEYS = frozenset({"file", "line", "column", *(key for field in FIELDS.values() for key in field.keys)})
STRING = Pattern(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""")
# what follows the name of a variable that no group of facts is called; what follows a call or an index is looked at as well
SELECT = Pattern(rf"(?:\b(?!(?:{'|'.join(GROUPS)})\.)(?<!\.)[a-z_]\w*|[)\]])\.(\w+)\b(?!\s*\()")
PICKS = Pattern(r"^([a-z]+\.[a-z_]+)(?:\.filter\((?:[^()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))*\))?$", re.DOTALL)
HOLE = Pattern(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule. `fails` gives a bool, or the list of rows that are wrong: each row becomes a finding at its own place.

    `at` names the facts that a finding without a row points at; the first that has a place counts. `edit` is the safe fix, where there
    is one: what stands at or after the place in its line, and what replaces it. `since` is the version that brought the rule. `picks` is
    the list of rows that `fails` picks its findings from, where it does nothing else: where that is empty, nothing can fail.
    """

    id: str
    name: str
    severity: Severity
    confidence: str
    profile: str
    needs: tuple[str, ...]
    when: Expression | None
    fails: Expression
    picks: str | None
    at: tuple[str, ...]
    message: tuple[str | Expression, ...]
    edit: tuple[tuple[str | Expression, ...], tuple[str | Expression, ...]] | None
    why: str
    fix: str
    references: tuple[str, ...]
    since: str
    fails_on: tuple[Example, ...]
    passes_on: tuple[Example, ...]
    path: Path

    @property
    def category(self) -> str:
        """The category of a cardcheck rule by its number; other packs' rules are `custom`."""
        match = OWN_ID.match(self.id)
        return CATEGORIES[match[1]] if match else "custom"

    @property
    def page(self) -> str:
        """The rule's page in the documentation."""
        return f"docs/rules/{self.id}.md"


class RuleError(CardcheckError):
    """A rule file that cannot be used."""


class _File:
    """A rule file being read; every complaint carries its place."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.source = path.read_text(encoding="utf-8")
            self.located: Located = load_yaml(self.source)
        except OSError as error:
            raise RuleError(f"{path}: cannot be read: {error.strerror}") from None
        except (LocatedError, UnicodeDecodeError) as error:
            line, column = (error.line, error.column) if isinstance(error, LocatedError) else (1, 1)
            raise RuleError(f"{path}:{line}:{column}: {error}") from None
        if not isinstance(self.located.value, dict):
            raise RuleError(f"{path}:1:1: a rule is a mapping of keys to values")
        self.data: dict[str, Any] = self.located.value

    def wrong(self, message: str, *key: str | int) -> RuleError:
        line, column = self.located.place(key)
        return RuleError(f"{self.path}:{line}:{column}: {message}")

    def text(self, key: str) -> str:
        value = self.data.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(f"{key} must be text", key)
        return value.strip()

    def choice(self, key: str, choices: tuple[str, ...], default: str | None = None) -> Any:
        value = self.data.get(key, default)
        if value not in choices:
            raise self.wrong(f"{key} must be one of {', '.join(choices)}", key)
        return value

    def list_of_text(self, key: str) -> tuple[str, ...]:
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(f"{key} must be a list of texts", key)
        return tuple(value)

    def expression(self, key: str, text: str, *, returns: tuple[str, ...]) -> Expression:
        try:
            expression = Expression(text)
        except CelError as error:
            raise self._faulty(key, text, error) from None
        self._check_row_keys(key, text)
        if not expression.returns.startswith(returns):
            raise self.wrong(f"{key} must give {' or '.join(returns).lower()}, not {expression.returns.lower()}", key)
        return expression

    def _faulty(self, key: str, text: str, error: CelError) -> RuleError:
        """Return the complaint about an expression; for a name that is no fact, at its own place and with the nearest that is one."""
        unknown = UNDECLARED.search(error.message)
        if unknown is None:
            return self.wrong(f"{key}: {error.message} (at {error.line}:{error.column} of `{text.strip()}`)", key)
        name = unknown[1]
        # CEL names the group alone where it is unknown too; what follows it in the text is the whole name
        rest = "" if "." in name else r"(?:\.\w+)?"
        whole = re.search(rf"\b{re.escape(name)}{rest}", text)
        if re.search(rf"\b{re.escape(name)}\s*\(", text):
            return self.wrong(f"{key}: there is no function {name!r} that takes these values", key)
        return self.misnamed(key, whole[0] if whole else name, "fact", FIELDS)

    def _check_row_keys(self, key: str, text: str) -> None:
        """Refuse a row's key that no row has: rows are maps, whose keys CEL does not check."""
        for name in SELECT.findall(STRING.sub("''", text)):
            if name not in ROW_KEYS:
                raise self.misnamed(key, name, "key of a row", ROW_KEYS)

    def misnamed(self, key: str, name: str, what: str, names: Iterable[str]) -> RuleError:
        from difflib import get_close_matches

        near = get_close_matches(name, names, 1)
        line, column = self.located.place((key,))
        lines = self.source.split("\n")
        for number in range(line - 1, len(lines)):
            if found := re.search(rf"(?<![\w.]){re.escape(name)}\b|(?<=\.){re.escape(name)}\b", lines[number]):
                line, column = number + 1, found.start() + 1
                break
        hint = f"; did you mean {near[0]}?" if near else "; `src/cardcheck/facts/schema.py` lists them"
        return RuleError(f"{self.path}:{line}:{column}: {key}: {name!r} is no {what}{hint}")


TEMPLATE = """\
# {id}: what `cardcheck rules facts` lists can stand in `when`, `fails` and in the {{braces}} of `message`.
id: {id}
name: {name}
severity: warning
confidence: high
needs: [card]
fails: card.tags.exists(t, t == 'draft')
at: card.tags
message: "the card of {{subject.name == null ? 'this model' : subject.name}} is tagged as a draft"
why: >-
  Say what the rule protects from.
fix: Say what to do about it.
examples:
  fails:
    - card: "---\\ntags: [draft]\\n---\\n# A model\\n"
  passes:
    - card: "---\\ntags: [retrieval]\\n---\\n# A model\\n"
"""


def new_rule(rule_id: str, name: str) -> str:
    """Return the text of a rule to start from."""
    return TEMPLATE.format(id=rule_id, name=name)


def load_rule(path: Path) -> Rule:
    """Read and check one rule file; raises RuleError with file, line and column."""
    file = _File(path)
    for key in file.data:
        if key not in REQUIRED + OPTIONAL:
            raise file.wrong(f"unknown key {key!r}", key)
    for key in REQUIRED:
        if key not in file.data:
            raise file.wrong(f"the key {key!r} is missing")
    if not ID.match(file.text("id")):
        raise file.wrong("id must be two to eight capitals and three digits, such as ACME001", "id")
    if not NAME.match(file.text("name")):
        raise file.wrong("name must be lower-case words joined by hyphens", "name")
    needs = file.list_of_text("needs")
    for index, source in enumerate(needs):
        if source not in SOURCES:
            raise file.wrong(f"unknown source {source!r}; there are {', '.join(SOURCES)}", "needs", index)
    examples = _examples(file)
    return Rule(
        id=file.text("id"),
        name=file.text("name"),
        severity=file.choice("severity", SEVERITIES),
        confidence=file.choice("confidence", CONFIDENCES),
        profile=file.choice("profile", PROFILES, "default"),
        needs=needs,
        when=file.expression("when", file.text("when"), returns=("BOOL",)) if "when" in file.data else None,
        fails=file.expression("fails", file.text("fails"), returns=("BOOL", "LIST")),
        picks=_picks(file.text("fails")),
        at=_at(file),
        message=_template(file, file.text("message"), "message"),
        edit=_edit(file),
        why=file.text("why"),
        fix=file.text("fix"),
        references=file.list_of_text("references"),
        since=file.text("since") if "since" in file.data else "",
        fails_on=examples["fails"],
        passes_on=examples["passes"],
        path=path,
    )


def _picks(fails: str) -> str | None:
    match = PICKS.match(fails)
    return match[1] if match and FIELDS[match[1]].kind == "rows" else None


def _at(file: _File) -> tuple[str, ...]:
    at = (file.data["at"],) if isinstance(file.data.get("at"), str) else file.list_of_text("at") or ("card",)
    for name in at:
        if name not in FIELDS and name not in GROUPS:
            raise file.misnamed("at", name, "fact", [*FIELDS, *GROUPS])
    return at


def _edit(file: _File) -> tuple[tuple[str | Expression, ...], tuple[str | Expression, ...]] | None:
    edit = file.data.get("edit")
    if edit is None:
        return None
    if not isinstance(edit, dict) or set(edit) != {"old", "new"} or not all(isinstance(text, str) for text in edit.values()):
        raise file.wrong("edit has the keys old and new, both of them text", "edit")
    return _template(file, edit["old"], "edit"), _template(file, edit["new"], "edit")


def _template(file: _File, text: str, key: str) -> tuple[str | Expression, ...]:
    """Split a text into what stands there and the expressions in {braces}."""
    parts: list[str | Expression] = []
    for index, part in enumerate(HOLE.split(text)):
        if index % 2:
            parts.append(file.expression(key, part, returns=("",)))
        elif part:
            parts.append(part)
    return tuple(parts)


def _examples(file: _File) -> dict[str, tuple[Example, ...]]:
    examples = file.data["examples"]
    if not isinstance(examples, dict) or set(examples) - {"fails", "passes"}:
        raise file.wrong("examples has the keys fails and passes", "examples")
    result = {}
    for side in ("fails", "passes"):
        given = examples.get(side)
        if not isinstance(given, list) or not given:
            raise file.wrong(f"examples.{side} must list at least one example", "examples")
        result[side] = tuple(_example(file, side, index, item) for index, item in enumerate(given))
    return result


def _example(file: _File, side: str, index: int, item: Any) -> Example:
    from cardcheck.engine.example import read_example  # rules from the store have no examples

    try:
        return read_example(item)
    except ValueError as error:
        raise file.wrong(str(error), "examples", side, index) from None
