"""Settings of the environment: .env files, shell scripts and Dockerfiles, with the commands and code that stand in them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardcheck.facts.application.command import read_command, tokens_of, value_of
from cardcheck.facts.application.found import Choice, Found
from cardcheck.facts.application.structured import finder
from cardcheck.facts.application.tree import Leaf, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardcheck.facts.application.command import Token
    from cardcheck.facts.application.found import Dimension, Place

ASSIGNMENT = re.compile(
    r"^[ \t]{0,40}(?:export[ \t]{1,9}|set[ \t]{1,9}|declare[ \t]{1,9}-x[ \t]{1,9}|readonly[ \t]{1,9})?(?P<key>[A-Za-z_]\w{0,80})[ \t]{0,3}=[ \t]{0,3}(?P<value>.{0,2000})$"
)
INSTRUCTION = re.compile(r"^[ \t]{0,20}(?P<word>ENV|ARG|RUN|CMD|ENTRYPOINT)[ \t]{1,20}(?P<rest>.{1,20000})$", re.IGNORECASE | re.DOTALL)
PAIR = re.compile(r"([A-Za-z_]\w{0,80})=(\"[^\"]{0,500}\"|'[^']{0,500}'|[^\s]{0,500})")
DEFAULT = re.compile(r"^\$\{\w{1,60}:?[-=]([^}]{1,200})\}$")
PYTHON = re.compile(r"\bpython3?[ \t]{1,9}-c[ \t]{1,9}(?P<quote>[\"'])(?P<code>.{1,4000}?)(?P=quote)(?=\s|$|[;&|])", re.DOTALL)
MAX_LINES = 50_000
MAX_CODE = 20_000  # characters of a line that may hold Python
MAX_JOINED = 200  # lines that backslashes make one of


@dataclass(slots=True)
class _Line:
    """A line with those that continue it; `starts` are the offsets at which lines of the file begin in it."""

    text: str
    number: int
    starts: list[int] = field(default_factory=list)

    def place(self, offset: int) -> Place:
        """Return the line and column of an offset."""
        behind = sum(start <= offset for start in self.starts)
        start = self.starts[behind - 1] if behind else 0
        return self.number + behind, offset - start + 1


def read_env(text: str, found: Found, *, about: str = "") -> None:
    """Read NAME=value lines."""
    leaves = {}
    for number, line in enumerate(text.split("\n")[:MAX_LINES], 1):
        if len(line) < 2200 and (pair := _assignment(line.rstrip("\r"), number)):
            leaves[pair[0]] = Leaf((pair[0],), pair[1][0], pair[1][1])
    Tree(leaves.values(), about=about).read(found)


def _assignment(line: str, number: int) -> tuple[str, Token] | None:
    match = ASSIGNMENT.match(line)
    if not match:
        return None
    value, start = match["value"].strip(), match.start("value") + len(match["value"]) - len(match["value"].lstrip())
    if value[:1] in ("'", '"') and (end := value.find(value[0], 1)) > 0:
        value, start = value[1:end], start + 1
    else:
        value = value.split(" #", 1)[0].strip()
    if default := DEFAULT.match(value):
        value, start = default[1], start + default.start(1)
    return match["key"], (value, (number, start + 1))


def read_shell(text: str, found: Found, *, about: str = "") -> None:
    """Read a shell script: what it sets, what it starts, and Python that it runs from a text."""
    variables: dict[str, Token] = {}
    for line in _joined(text):
        if pair := _assignment(line.text, line.number):
            variables.setdefault(*pair)
        else:
            read_command(tokens_of(line.text, line.place), found, variables=variables)
            _python(line, found, variables)
    Tree((Leaf((key,), *token) for key, token in variables.items()), about=about).read(found)


def read_dockerfile(text: str, found: Found, *, about: str = "") -> None:
    """Read a Dockerfile: ENV and ARG, and the commands of RUN, CMD and ENTRYPOINT."""
    variables: dict[str, Token] = {}
    commands = []
    image = " ".join(re.findall(r"^FROM[ \t]{1,9}(\S{1,200})", text, re.MULTILINE | re.IGNORECASE)[:20])
    for line in _joined(text):
        match = INSTRUCTION.match(line.text)
        if not match:
            continue
        word, rest, start = match["word"].upper(), match["rest"], match.start("rest")
        if word in ("ENV", "ARG"):
            for key, value, at in _pairs(word, rest):
                variables.setdefault(key, (value, line.place(start + at)))
        elif word == "RUN":
            commands.append((tokens_of(rest, lambda offset, line=line, start=start: line.place(start + offset)), False))  # type: ignore[misc]
            _python(line, found, variables)
        else:
            commands.append((_exec_form(rest, line, start), True))
    started = [token for tokens, starts in commands if starts for token in tokens]  # CMD goes on where ENTRYPOINT ends
    for tokens in [*(tokens for tokens, starts in commands if not starts), started]:
        read_command(tokens, found, around=image, variables=variables)
    leaves = [Leaf(("environment", key), *token) for key, token in variables.items()]
    Tree([Leaf(("image",), image, (1, 1)), *leaves], about=about, find=finder(text.split("\n"))).read(found)


def _pairs(word: str, rest: str) -> Iterator[tuple[str, str, int]]:
    """Yield names, values and where the values begin; ENV has an old form without an equals sign."""
    first, _, value = rest.partition(" ")
    if word == "ENV" and "=" not in first and value.strip():
        yield first, value.strip().strip("\"'"), rest.index(value.strip())
        return
    for match in PAIR.finditer(rest):
        quoted = match[2][:1] in ("'", '"')
        yield match[1], match[2].strip("\"'"), match.start(2) + quoted


def _exec_form(rest: str, line: _Line, start: int) -> list[Token]:
    try:
        parts = json.loads(rest)
    except (ValueError, RecursionError):
        return tokens_of(rest, lambda offset: line.place(start + offset))
    if not isinstance(parts, list):
        return []
    tokens, at = [], 0
    for part in parts[:500]:
        at = max(rest.find(str(part), at), at)
        tokens.append((str(part), line.place(start + at)))
    return tokens


def _joined(text: str) -> Iterator[_Line]:
    """Yield lines, those that a backslash continues as one; comments are left out."""
    held: _Line | None = None
    for number, raw in enumerate(text.split("\n")[:MAX_LINES], 1):
        line = raw.rstrip("\r")
        if line.lstrip().startswith("#"):
            continue
        if held is None:
            held = _Line(line, number)
        else:
            held.starts += [len(held.text)] * (number - held.number - len(held.starts))
            held.text += line
        if line.endswith("\\") and len(held.starts) < MAX_JOINED and len(held.text) < 20_000:
            held.text = held.text[:-1] + " "
            continue
        yield held
        held = None
    if held is not None:
        yield held


def _python(line: _Line, found: Found, variables: Mapping[str, Token]) -> None:
    """Read Python that is given to an interpreter as a text."""
    if "python" not in line.text or "-c" not in line.text or len(line.text) > MAX_CODE:
        return
    from cardcheck.facts.application.python import read_python

    for match in PYTHON.finditer(line.text):
        part, start = Found(), match.start("code")
        code = match["code"].replace('\\"', '"')
        read_python(code, part)
        if not part.problem:
            found.extend(_moved(part, code, line, start, variables))


def _moved(part: Found, code: str, line: _Line, start: int, variables: Mapping[str, Token]) -> Found:
    """Give what was found in a part of a line its place in the file, and variables of the shell what they stand for."""
    lengths = [0]
    for text in code.split("\n"):
        lengths.append(lengths[-1] + len(text) + 1)

    def place(old: Place) -> Place:
        return line.place(start + lengths[old[0] - 1] + old[1] - 1)

    moved = Found(by_default=part.by_default, at_run_time=part.at_run_time)
    items: list[Choice | Dimension] = [*part.choices.values(), *part.dimensions.values()]
    for item in items:
        item.place = place(item.place)
        if isinstance(item, Choice):
            item.given, item.place = value_of((item.given, item.place), variables)
            item.remote_code = place(item.remote_code) if item.remote_code else None
        moved.add(item)
    return moved
