"""Takes the secrets out of the records of a run before anything is written.

A secret is known by its shape, by the name that it stands under, by a pattern of the user, or by its value: a value
that was found under such a name, or in a variable of the environment that is declared secret, is hidden wherever else
it stands from then on. Values are kept in memory only. Paths of files and the rest of what identifies things are left
as they are: what is hidden there could not be found again, and the file system shows it anyway.
"""

from __future__ import annotations

import functools
import json
import operator
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote, quote_plus

import msgspec
from msgspec import structs

from snakeprov.capture.secrets.finders import (
    MIN_CHARACTERS,
    Hide,
    finders,
    hide_private_keys_by_line,
    in_arguments,
    may_hold,
    named_values,
    partial_end,
    partial_start,
)
from snakeprov.capture.secrets.names import MARK, is_secret_name, is_secret_value
from snakeprov.capture.secrets.pairs import named_members
from snakeprov.model.credentials import credentials_in, strip_credentials
from snakeprov.model.planned import PlannedJob, RunPlan
from snakeprov.model.records import CodeFact, FileFact, JobRecord, RunRecord

VALUES_MAX: Final = 1_000
"""Maximum number of secret values searched for everywhere; further ones are hidden under their names only."""

DEPTH_MAX: Final = 16
"""Params and configuration nested deeper than this are hidden whole, where they hold text."""

JOB_TEXTS: Final = (
    *("rule", "wildcards", "params", "shellcmd", "script", "resources", "reason", "group", "external_job_id"),
    *("conda_env_path", "conda_env_url", "conda_env_name", "container", "env_modules", "declared_environments"),
    *("error", "log_excerpt", "incomplete"),
)
"""The fields of a job's record that can hold a secret; its files are looked at besides."""

RUN_TEXTS: Final = ("command_line", "snakefile", "config", "targets", "git_problem", "missing")
"""The fields of a run's record that can hold a secret; the git remote has none (`GitReader`)."""

_job_texts = operator.attrgetter(*JOB_TEXTS)
_run_texts = operator.attrgetter(*RUN_TEXTS)

_PATHS: Final = frozenset({"script", "conda_env_path", "snakefile"})
"""Fields that hold the path of a file, unless they hold a URL."""

_CUT_SAYS: Final = " more characters"
_CUT: Final = re.compile(r"… \(\d+ more characters(?:, [^()]*)?\)\Z")
"""What `snakeprov.plugin.represent` leaves at the end of a text that it cuts."""


class Redactor:
    """Takes secrets out of the records of one run. Not thread-safe while it learns: `run` and `job`."""

    def __init__(self, *, patterns: Sequence[str] = (), values: Iterable[str] = ()) -> None:
        """Prepare for a run.

        Args:
            patterns: Regular expressions of the user; what they match is hidden.
            values: Secrets that are known.

        Raises:
            re.error: A pattern is not valid; `snakeprov.settings` has checked those of the settings.
        """
        self._patterns = [re.compile(pattern) for pattern in patterns]
        self._values: dict[str, None] = {}
        self._spellings: dict[str, str] = {}  # the longest first, each with the form it has in JSON
        self._learn(values)

    def is_clean(self, texts: bytes) -> bool:
        """Return whether `job` would take nothing out of a JobRecord, at much less cost than that.

        Args:
            texts: JSON of its fields `JOB_TEXTS`, those that can hold a secret. It has no storage objects, and no code
                but files of this machine.
        """
        text = texts.decode()
        if self._patterns or _CUT_SAYS in text or may_hold(text):
            return False
        for encoded in self._spellings.values():  # noqa: SIM110  a generator costs twice as much
            if encoded in text:
                return False
        return True

    def job(self, record: JobRecord) -> JobRecord:
        """Return `record` without secrets.

        Costs microseconds where the record holds nothing that looks like a secret. Of paths only those of the local
        copies of storage objects are changed, which are named after their query.
        """
        stored = [
            one
            for files in (record.inputs, record.outputs, record.logs)
            for one in files
            if one.storage_query is not None
        ]
        for fact in stored:
            self._learn(credentials_in(fact.storage_query or ""))
        payload = msgspec.json.encode(_job_texts(record)).decode()
        clean = self._without(
            record, JOB_TEXTS, self._hides(payload, (record.params, record.resources, record.wildcards))
        )
        excerpt = clean.get("log_excerpt", record.log_excerpt)
        if excerpt is not None:
            clean["log_excerpt"] = self._hide_cut_start(excerpt)
        if stored:
            for name in ("inputs", "outputs", "logs"):
                clean[name] = [self._file(fact) for fact in getattr(record, name)]
        if any(code.url is not None for code in record.code):
            clean["code"] = [self._code(code) for code in record.code]
        return structs.replace(record, **clean) if clean else record

    def run(self, record: RunRecord) -> RunRecord:
        """Return `record` without secrets; learn what its configuration and command line name."""
        if record.command_line is not None:
            self._learn(named_values(record.command_line))
        payload = msgspec.json.encode(_run_texts(record)).decode()
        return structs.replace(record, **self._without(record, RUN_TEXTS, self._hides(payload, (record.config,))))

    def plan(self, plan: RunPlan) -> RunPlan:
        """Return `plan` without the secrets in its wildcards, as they are taken out of those of its jobs."""
        wildcards = [job.wildcards for job in plan.jobs]
        hides = self._hides(msgspec.json.encode(wildcards).decode(), wildcards)
        if not hides:
            return plan
        jobs = [structs.replace(job, **self._without(job, ("wildcards",), hides)) for job in plan.jobs]
        return structs.replace(plan, jobs=jobs)

    def _file(self, fact: FileFact) -> FileFact:
        """Return a file without the secrets in the query of its storage object."""
        if fact.storage_query is None:
            return fact
        query = self.text(strip_credentials(fact.storage_query))
        return structs.replace(fact, path=self.text(fact.path), storage_query=query)

    def _code(self, code: CodeFact) -> CodeFact:
        """Return a file of code without the secrets in its URL."""
        return code if code.url is None else structs.replace(code, url=self.text(strip_credentials(code.url)))

    def stored(self, path: str, query: str) -> str:
        """Return the path of the local copy of a storage object without the secrets in its query."""
        self._learn(credentials_in(query))
        return self.text(path)

    def text(self, text: str) -> str:
        """Return `text` without secrets."""
        text = _hide(_hide_values(self._spellings, text), finders(text))
        return _hide(text, [functools.partial(pattern.sub, MARK) for pattern in self._patterns])

    def value(self, value: Any) -> Any:
        """Return a value, as JSON has it, without secrets, those that its keys name among them."""
        payload = msgspec.json.encode(value).decode()
        found = self._hides(payload, [value])
        return _redacted(value, found) if found else value

    def patch(self, content: bytes) -> bytes:
        """Return a patch without secrets. It has as many lines as before; binary files in it lose known values only.

        >>> Redactor().patch(b"+password = 'hunter2'")
        b"+password = '***'"
        """
        text = content.decode("utf-8", "surrogateescape")
        parts = re.split(r"(?m)^(?=diff --git )", text)
        clean = [self._patch_of_file(part) for part in parts]
        return "".join(clean).encode("utf-8", "surrogateescape")

    def _patch_of_file(self, text: str) -> str:
        if "\nGIT binary patch\n" in text:
            return _hide_values(self._spellings, text)
        return self.text(hide_private_keys_by_line(text))

    @property
    def secrets(self) -> tuple[str, ...]:
        """What is hidden wherever it stands, in every spelling."""
        return tuple(self._spellings)

    def _without(
        self, record: JobRecord | RunRecord | PlannedJob, names: Sequence[str], hides: Sequence[Hide]
    ) -> dict[str, Any]:
        """Return the fields `names` of a record without secrets, as far as they may have some."""
        values = {name: getattr(record, name) for name in names} if hides else {}
        return {
            name: _redacted(value, hides)
            for name, value in values.items()
            if value and not (name in _PATHS and "://" not in value)
        }

    def _hides(self, payload: str, named: Sequence[Any]) -> list[Hide]:
        """Return what takes the secrets out of `payload`, JSON of what is redacted; first learn what `named` names."""
        found = finders(payload)
        if found:
            self._learn(value for one in named for value in secrets_in(one))
        values = [spelling for spelling, encoded in self._spellings.items() if encoded in payload]
        if values:
            found.insert(0, functools.partial(_hide_values, values))
        if _CUT_SAYS in payload:
            found.insert(1 if values else 0, self._hide_cut_end)
        return found + [functools.partial(pattern.sub, MARK) for pattern in self._patterns]

    def _hide_cut_end(self, text: str) -> str:
        """Hide the beginning of a value where a text was cut off in the middle of it."""
        cut = _CUT.search(text)
        if cut is None:
            return text
        length = max((partial_end(text[: cut.start()], value) for value in self._spellings), default=0)
        return text[: cut.start() - length] + MARK + cut[0] if length else text

    def _hide_cut_start(self, text: str) -> str:
        """Hide the end of a value where a text begins in the middle of it."""
        length = max((partial_start(text, value) for value in self._spellings), default=0)
        return MARK + text[length:] if length else text

    def _learn(self, values: Iterable[str]) -> None:
        known = len(self._values)
        for value in values:
            if len(value) >= MIN_CHARACTERS and len(self._values) < VALUES_MAX:
                self._values[value] = None
        if len(self._values) == known:
            return
        spellings = {spelling for value in self._values for spelling in _spellings(value)}
        self._spellings = {spelling: _in_json(spelling) for spelling in sorted(spellings, key=len, reverse=True)}


def _redacted(value: Any, hides: Sequence[Hide], *, under: str = "", depth: int = 0) -> Any:
    """Return a value without secrets; `under` is the name of a secret that it stands under, if it does."""
    if isinstance(value, str):
        return MARK if under and is_secret_value(value, under) else _hide(value, hides)
    if isinstance(value, dict | list) and depth > DEPTH_MAX:
        return MARK
    if isinstance(value, dict):
        clean = {
            _hide(key, hides): _redacted(item, hides, under=name, depth=depth + 1)
            for key, item, name in _members(value, under)
        }
        _hide_in_arguments(clean)
        return clean
    if isinstance(value, list):
        items = [_redacted(item, hides, under=under, depth=depth + 1) for item in value]
        _hide_in_arguments(items)
        return items
    return MARK if under and _is_secret_number(value, under) else value


def _hide_in_arguments(container: Any) -> None:
    """Take out of a list that is a command what only the words before it announce: `["--password", "hunter2"]`."""
    places = list(_words_in(container))
    words = [str(one[key]) for one, key in places]
    for number, start, end in reversed(list(in_arguments(words))):
        one, key = places[number]
        one[key] = words[number] = words[number][:start] + MARK + words[number][end:]


def _words_in(container: Any, depth: int = 0) -> Iterator[tuple[Any, Any]]:
    """Yield where the words of a command are in nested lists, and in params without names, whose keys are numbers.

    >>> list(_words_in(["a", ["b"]]))
    [(['a', ['b']], 0), (['b'], 0)]
    """
    keys = range(len(container)) if isinstance(container, list) else [key for key in container if key.isdecimal()]
    for key in keys:
        item = container[key]
        if isinstance(item, list) and depth < DEPTH_MAX:
            yield from _words_in(item, depth + 1)
        elif isinstance(item, str | int | float) and not isinstance(item, bool):
            yield container, key


def _members(members: dict[str, Any], under: str) -> Iterator[tuple[str, Any, str]]:
    """Yield the members of a dict, each with the name of a secret that it stands under, "" if under none.

    >>> list(_members({"password": "x", "name": "TOKEN", "value": "y"}, ""))
    [('password', 'x', 'password'), ('name', 'TOKEN', ''), ('value', 'y', 'TOKEN')]
    """
    name, valued = named_members(members)
    for key, item in members.items():
        own = _name_of(under, key)
        yield key, item, _name_of(own, name) if key in valued else own


def _name_of(under: str, key: str) -> str:
    return key if is_secret_name(key) else under


def _is_secret_number(value: Any, under: str) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and is_secret_value(str(value), under)


def _hide(text: str, hides: Sequence[Hide]) -> str:
    for hide in hides:
        text = hide(text)
    return text


def _hide_values(values: Iterable[str], text: str) -> str:
    for value in values:
        text = text.replace(value, MARK)
    return text


def secrets_in(value: Any, *, under: str = "", depth: int = 0) -> Iterable[str]:
    """Yield what stands under the names of secrets in nested dicts and lists, commands as lists, and logins in URLs.

    >>> list(secrets_in({"login": {"user": "ada", "apiKey": "hunter2"}, "url": "https://ada:123@host/"}))
    ['hunter2', 'ada:123', '123']
    """
    if depth > DEPTH_MAX:
        return
    if isinstance(value, dict | list):
        words = [str(one[key]) for one, key in _words_in(value)]
        for number, start, end in in_arguments(words):
            yield words[number][start:end]
    if isinstance(value, dict):
        for _, item, name in _members(value, under):
            yield from secrets_in(item, under=name, depth=depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item, under=under, depth=depth + 1)
    elif isinstance(value, str) and under and is_secret_value(value, under):
        yield value
    elif isinstance(value, str) and "://" in value:
        yield from credentials_in(value)
    elif under and _is_secret_number(value, under):
        yield str(value)


def _spellings(value: str) -> set[str]:
    """Return the ways in which a value is written in commands, URLs and messages."""
    quoted = shlex.quote(value)
    in_shell = value if quoted == value else quoted[1:-1]
    return {value, quote(value, safe=""), quote_plus(value), in_shell, repr(value)[1:-1], _in_json(value)}


def _in_json(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]
