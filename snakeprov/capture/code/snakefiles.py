"""Parses Snakefiles as text: the names that each statement, function and rule binds and uses. Nothing is run."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from snakeprov.capture.code.wrappers import UNKNOWN

SNAKEFILE_CHARS_MAX: Final = 4 << 20
"""A larger Snakefile is not read."""

_COMPOUND: Final = frozenset(
    {"if", "elif", "else", "for", "while", "try", "except", "finally", "with", "match", "case"}
)
_CONTINUED: Final = frozenset({"elif", "else", "except", "finally"})
_DIRECTIVES: Final = frozenset(
    "include workdir configfile pepfile pepschema report ruleorder singularity container containerized envvars "  # noqa: SIM905
    "localrules onsuccess onerror onstart wildcard_constraints resource_scopes storage envmodules conda pathvars "
    "inputflags outputflags".split()
)
_GIVEN: Final = frozenset(
    "input output params wildcards threads resources log jobid rule rules checkpoints workflow self".split()  # noqa: SIM905
)
"""Names that have a meaning of their own inside of a rule."""

_AUGMENTED: Final = frozenset({"+=", "-=", "*=", "/=", "//=", "%=", "@=", "&=", "|=", "^=", ">>=", "<<=", "**=", ":="})
_IN_BRACES: Final = re.compile(r"(?<!\{)\{\s*([A-Za-z_]\w*)")
_STRING: Final = re.compile(r"([A-Za-z]*)['\"]")
_USE: Final = re.compile(
    r"use rule (?P<rules>.+?)(?: from (?P<module>\w+))?(?: exclude .+?)?(?: as (?P<to>[\w* ]+?))?"
    r"(?P<changed> with)?(?: :)?"
)
_BRACES: Final = re.compile(r"(?<!\{)\{[^{}]*\}(?!\})")
_RULE, _MODULE = "rule ", "module "
"""Before the names of rules and modules, which are not those of variables."""

_NO_CODE: Final = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
)


class Unit(NamedTuple):
    """A statement, function or rule.

    Attributes:
        first, last: Its lines, counted from 1.
        text: What it says, without comments and layout; with the heads of the blocks that it stands in.
        binds: What it gives a meaning to: names, rules, modules.
        names: What it names.
        is_rule: Whether it is a rule or checkpoint, or a `use rule` that makes one of another.
        changes: The names, which can be patterns, of rules of a module that it changes (`use rule … from … with:`).
        imports: The import statement that it is, else empty.
        commands: The shell commands in its calls of `shell()`; what only running it can tell is `UNKNOWN` in them.
        includes, loads: The Snakefiles that it includes, or takes as a module, where their names are literals.
    """

    first: int
    last: int
    text: str
    binds: frozenset[str]
    names: frozenset[str]
    is_rule: bool = False
    changes: tuple[str, ...] = ()
    imports: str = ""
    commands: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    loads: tuple[str, ...] = ()


def read(text: str) -> list[Unit] | None:
    """Return the units of a Snakefile, in order; None where it cannot be read as one."""
    if len(text) > SNAKEFILE_CHARS_MAX:
        return None
    try:
        lines = list(_lines(text))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return None
    return list(_units(lines, 0, len(lines), ()))


class _Line(NamedTuple):
    """A logical line: its tokens that are code, and how deeply it is indented."""

    level: int
    tokens: tuple[tokenize.TokenInfo, ...]

    @property
    def word(self) -> str:
        return self.tokens[0].string

    @property
    def text(self) -> str:
        return " " * self.level + " ".join(token.string for token in self.tokens)


def _lines(text: str) -> Iterator[_Line]:
    level = 0
    tokens: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.INDENT:
            level += 1
        elif token.type == tokenize.DEDENT:
            level -= 1
        elif token.type not in _NO_CODE:
            tokens.append(token)
        elif token.type in (tokenize.NEWLINE, tokenize.ENDMARKER) and tokens:
            yield _Line(level, tuple(tokens))
            tokens = []


def _units(lines: list[_Line], begin: int, end: int, heads: tuple[_Line, ...]) -> Iterator[Unit]:
    """Yield the units of a block; of an `if`, a `for` and the like those inside, each with the heads above it."""
    chain: tuple[_Line, ...] = ()
    decorators: list[_Line] = []
    at = begin
    while at < end:
        line = lines[at]
        stop = at + 1
        while stop < end and lines[stop].level > line.level:
            stop += 1
        if line.word == "@":
            decorators.append(line)
        elif line.word in _COMPOUND and stop > at + 1:
            chain = (*chain, line) if line.word in _CONTINUED else (line,)
            yield from _units(lines, at + 1, stop, (*heads, *chain))
        else:
            unit = _unit([*decorators, *lines[at:stop]], line, heads)
            yield from _imports(line, unit) if line.word in ("import", "from") else (unit,)
            decorators = []
        at = stop


def _unit(lines: list[_Line], line: _Line, heads: tuple[_Line, ...]) -> Unit:
    words = [token.string for token in line.tokens]
    unit = Unit(
        first=lines[0].tokens[0].start[0],
        last=max(token.end[0] for one in lines for token in one.tokens),
        text="\n".join(one.text for one in (*heads, *lines)),
        binds=frozenset(),
        names=frozenset(name for one in (*heads, *lines) for name in _names(one.tokens)),
        commands=tuple(command for one in lines for command in _commands(one.tokens)),
    )
    of_rule = frozenset([*(name for head in heads for name in _names(head.tokens)), *_names_of_rule(lines)])
    match words:
        case ["rule" | "checkpoint", *named, ":"] if len(named) < 2:
            binds = frozenset(_RULE + name for name in named)
            unit = unit._replace(binds=binds, names=of_rule, is_rule=True, text=_text_of_rule(heads, lines))
        case ["use", "rule", *_]:
            unit = _using(" ".join(words), unit._replace(names=of_rule, text=_text_of_rule(heads, lines)))
        case ["module", name, ":"]:
            unit = unit._replace(binds=frozenset({_MODULE + name}), loads=_texts(lines))
        case ["include", ":", *_]:
            unit = unit._replace(includes=_texts(lines))
        case ["async", "def", name, *_] | ["def" | "class", name, *_]:
            said = [one for one in lines if not _is_remark(one)]
            unit = unit._replace(binds=frozenset({name}), text="\n".join(one.text for one in (*heads, *said)))
        case ["scattergather", ":", *_]:
            unit = unit._replace(binds=frozenset({"scatter", "gather"}))
        case [directive, ":", *_] | [directive, _, ":"] if directive in _DIRECTIVES:
            pass
        case _:
            unit = unit._replace(binds=frozenset([*_loop_names(heads), *_assigned(line.tokens)]))
    return unit._replace(names=unit.names - unit.binds - _GIVEN)


def _texts(lines: list[_Line]) -> tuple[str, ...]:
    return tuple(_literal(token) for one in lines for token in one.tokens if token.type == tokenize.STRING)


def _is_remark(line: _Line) -> bool:
    """Return whether a line is nothing but a text, such as a docstring."""
    return all(token.type == tokenize.STRING for token in line.tokens)


def _text_of_rule(heads: tuple[_Line, ...], lines: list[_Line]) -> str:
    body = lines[1].level if len(lines) > 1 else 0
    said = [one for one in lines if not (one.level == body and _is_remark(one))]
    # Neither the name of the rule nor its place in the file affects what it does.
    return "\n".join(one.text for one in (*heads, *said))


def _names(tokens: Iterable[tokenize.TokenInfo], *, depth: int = 0, in_braces: bool = False) -> Iterator[str]:
    """Yield the names in code, without attributes and keywords of calls.

    Args:
        tokens: The code.
        depth: How many brackets are open where it begins.
        in_braces: Whether names in the braces of plain strings count, too.
    """
    listed = list(tokens)
    for number, token in enumerate(listed):
        if token.type == tokenize.OP:
            depth += (token.string in "([{") - (token.string in ")]}")
        elif token.type == tokenize.STRING:
            found = _STRING.match(token.string)
            if in_braces or (found is not None and "f" in found[1].lower()):
                yield from _IN_BRACES.findall(token.string)
        elif token.type == tokenize.NAME:
            before = listed[number - 1].string if number else ""
            after = listed[number + 1].string if number + 1 < len(listed) else ""
            if before != "." and not (after == "=" and depth):
                yield token.string
        elif in_braces:  # the text of an f-string, which Python tells apart since 3.12
            yield from _IN_BRACES.findall(token.string)


def _names_of_rule(lines: list[_Line]) -> Iterator[str]:
    """Yield the names in the directives of a rule, whose values are like the arguments of a call."""
    body = lines[1].level if len(lines) > 1 else 0
    directive = ""
    for line in lines[1:]:
        tokens = line.tokens
        if line.level == body and len(tokens) > 1 and tokens[1].string == ":":
            directive, tokens = tokens[0].string, tokens[2:]
        yield from _names(tokens, depth=directive != "run", in_braces=directive == "shell")


def _commands(tokens: tuple[tokenize.TokenInfo, ...]) -> Iterator[str]:
    """Yield what calls of `shell()` are given, as far as it is written there."""
    words = [token.string for token in tokens]
    for number, word in enumerate(words):
        if word != "shell" or words[number + 1 : number + 2] != ["("] or words[number - 1 : number] == ["."]:
            continue
        said, depth = "", 1
        for token in tokens[number + 2 :]:
            depth += (token.string in ("(", "[", "{")) - (token.string in (")", "]", "}"))
            if depth == 0 or (depth == 1 and token.string == ","):
                break
            said += _literal(token)
        if said:
            yield _BRACES.sub(UNKNOWN, said)


def _literal(token: tokenize.TokenInfo) -> str:
    """Return the text of a token; `UNKNOWN` where it is code."""
    if token.type != tokenize.STRING:
        is_text = tokenize.tok_name[token.type] == "FSTRING_MIDDLE"
        return (
            token.string
            if is_text
            else ""
            if token.type == tokenize.OP or "FSTRING" in tokenize.tok_name[token.type]
            else UNKNOWN
        )
    try:
        value = ast.literal_eval(token.string.lstrip("fF"))
    except (SyntaxError, ValueError):
        return UNKNOWN
    return value if isinstance(value, str) else UNKNOWN


def _using(said: str, unit: Unit) -> Unit:
    """Return the unit of a `use rule`; one that takes rules from a module as they are defines none of them."""
    found = _USE.fullmatch(said)
    if found is None:
        return unit
    rules, to = found["rules"].replace(" ", "").split(","), (found["to"] or "").replace(" ", "")
    if found["module"] is None:
        names = unit.names | {_RULE + name for name in rules}
        return unit._replace(binds=frozenset({_RULE + to}), names=names, is_rule=True)
    changes = tuple(to.replace("*", name) if to else name for name in rules) if found["changed"] else ()
    return unit._replace(names=unit.names | {_MODULE + found["module"]}, changes=changes)


def _imports(line: _Line, unit: Unit) -> Iterator[Unit]:
    """Yield a unit for each name that an import statement binds; `*` stands for names that it does not say."""
    try:
        (statement,) = ast.parse(line.text.strip()).body
    except (SyntaxError, ValueError):
        return
    if isinstance(statement, ast.Import | ast.ImportFrom):
        for alias in statement.names:
            statement.names = [alias]
            said = ast.unparse(statement)
            bound = alias.asname or alias.name.split(".")[0]
            yield unit._replace(binds=frozenset({bound}), names=frozenset(), text=said, imports=said)


def _assigned(tokens: tuple[tokenize.TokenInfo, ...]) -> Iterator[str]:
    """Yield the names that a statement assigns, or whose methods it calls."""
    start, depth = 0, 0
    for number, token in enumerate(tokens):
        text = token.string
        depth += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
        if depth == 0 and (text == "=" or text in _AUGMENTED):
            yield from _targets(tokens[start:number])
            start = number + 1
        elif depth == 0 and text == ";":
            start = number + 1
    if start == 0 and len(tokens) > 3 and tokens[1].string == ".":
        yield tokens[0].string


def _targets(tokens: tuple[tokenize.TokenInfo, ...]) -> Iterator[str]:
    """Yield the names in the targets of an assignment: `a, (b, *c)`, and `d` of `d["x"]`, `d.x` and `d: int`."""
    subscripts, previous = 0, ""
    for token in tokens:
        text = token.string
        if text == ":" and not subscripts:
            return
        if text == "[" and (previous in (")", "]") or previous.isidentifier()):
            subscripts += 1
        elif text == "]" and subscripts:
            subscripts -= 1
        elif token.type == tokenize.NAME and not subscripts and previous != ".":
            yield text
        previous = text


def _loop_names(heads: tuple[_Line, ...]) -> Iterator[str]:
    """Yield the names that the heads of blocks bind."""
    for head in heads:
        words = [token.string for token in head.tokens]
        if head.word == "for" and "in" in words:
            yield from (word for word in words[1 : words.index("in")] if word.isidentifier())
        for number, word in enumerate(words[:-1]):
            if word == "as" and head.word in ("with", "except"):
                yield words[number + 1]
