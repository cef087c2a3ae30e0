"""Random histories of a working directory: what is recorded of each version is what an independent model says.

The model knows what was written when and by whom, keeps every version in a list, and applies the rules one after the
other as they are worded. It shares no code with the recorder.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snakeprov import connect
from snakeprov.client import Client
from snakeprov.disk.files import fingerprint

from .lab import Job, Lab

Content = str | frozenset[tuple[str, str]]

RULES: dict[str, tuple[list[str], str]] = {
    "a": (["in.txt"], "a.txt"),
    "b": (["a.txt"], "b.txt"),
    "c": (["c.txt"], "out.txt"),
    "split": (["in.txt"], "d/"),
    "up": (["d/m1"], "up.txt"),
    "whole": (["d/"], "whole.txt"),
    "tiny": (["in.txt"], "c.txt"),
    "member": (["a.txt"], "d/m2"),
    "change": (["a.txt"], "done.txt"),
}
"""What each rule reads and writes; `change` adds to what it reads."""

BY_HAND = ("in.txt", "a.txt", "c.txt", "d/m1", "d/m2")
CONTENTS = ("short", "tiny", *(letter * 40 for letter in "xyz"))


@dataclass(eq=False)
class Done:
    """A job: its name, when it ran, and what it used."""

    name: str
    began: int
    ended: int = 0
    used: list[Version] = field(default_factory=list)


@dataclass(eq=False)
class Version:
    """A version: by whom it was made, first and again, and what its bytes mean."""

    path: str
    number: int
    content: Content
    maker: Done | None
    kind: str | None = None
    of: Version | None = None
    remade: list[Done] = field(default_factory=list)
    first_read: int | None = None
    place: tuple[int, int, int] = (0, 0, 0)
    others: list[Version] = field(default_factory=list)
    is_meanwhile: bool = False
    adopted_in: int | None = None

    def choose(self, said: str | None) -> None:
        """Take that of several versions which are evidence alike which was recorded."""
        for other in self.others:
            if said == f"sameContent {other.name}":
                self.of = other

    @property
    def makers(self) -> list[Done]:
        return [*([] if self.maker is None else [self.maker]), *self.remade]

    @property
    def is_work(self) -> bool:
        if self.kind == "again" and not self.makers:
            assert self.of is not None
            return self.of.is_work
        return bool(self.makers) or self.kind in ("edited", "sameContent")

    @property
    def name(self) -> str:
        return f"{self.path}@{self.number}"

    @property
    def said(self) -> str | None:
        if self.of is None:
            return None
        where = "" if self.of.path == self.path else self.of.path
        return f"{self.kind} {where}@{self.of.number}" + (" while" if self.is_meanwhile else "")


class Model:
    """Every version of every path."""

    def __init__(self) -> None:
        self.paths: dict[str, list[Version]] = {}
        self.batch = 0
        self._process = 0
        self._numbers = count()

    def begin_run(self, *, afresh: bool) -> None:
        """Begin to record a run: what a process recorded itself it knows in its order, the rest by its time."""
        self.batch += 1
        self._process += afresh

    def see(self, path: str, content: Content, writer: Done | None = None) -> Version:
        """Return the version that bytes at a path are; a new one where they are not the current one."""
        known = self.paths.setdefault(path, [])
        current = known[-1] if known else None
        if current is not None and current.content == content:
            if writer is not None:
                is_late = current.first_read is not None and writer.ended > current.first_read
                if current.maker is None and not is_late:
                    current.maker, current.adopted_in = writer, self.batch
                else:
                    current.remade.append(writer)
            return current
        folder, is_listed = self._folder(path, content)
        if writer is None and folder is not None and is_listed:
            writer = folder.maker
        made = Version(path, len(known) + 1, content, writer, place=(self._process, self.batch, next(self._numbers)))
        earlier = next((one for one in reversed(known) if one.content == content), None)
        if earlier is not None:
            if earlier.kind == "again" and earlier.of is not None and earlier.of.maker is earlier.maker:
                earlier = earlier.of
            made.kind, made.of = "again", earlier
            made.maker = writer or earlier.maker
        elif writer is None:
            before = current
            if folder is not None and not is_listed and self._is_newer(folder, current, path):
                before = folder
            made.others = self._elsewhere(path, content)
            if before is not None and before.is_work:
                made.kind, made.of = "edited", before
            elif made.others:
                made.kind, made.of = "sameContent", made.others[0]
        known.append(made)
        return made

    def lineage(self, version: Version) -> set[str]:
        """Return what a version comes from: what its maker used, or else what its bytes mean."""
        found: dict[str, Version] = {}
        left = [version]
        while left:
            one = left.pop()
            if one.name not in found:
                found[one.name] = one
                left += one.maker.used if one.maker is not None else [one.of] if one.of is not None else []
        return set(found)

    def _folder(self, path: str, content: Content) -> tuple[Version | None, bool]:
        """Return the newest version of the directory above that a job made and that has a file of the name."""
        above, slash, name = path.rpartition("/")
        one: Version | None = next(reversed(self.paths.get(above + slash, [])), None) if name and slash else None
        while one is not None and one.maker is None:
            one = one.of if one.kind in ("edited", "again") else None
        members = {} if one is None or isinstance(one.content, str) else dict(one.content)
        return (one, members[name] == content) if name in members else (None, False)

    def _is_newer(self, folder: Version, current: Version | None, path: str) -> bool:
        if current is None:
            return True
        if dict(folder.content)[path.rpartition("/")[2]] == current.content:  # type: ignore[arg-type]
            return False
        if folder.place[0] == current.place[0] == self._process:
            return folder.place > current.place
        return folder.place[:2] > current.place[:2]

    def _elsewhere(self, path: str, content: Content) -> list[Version]:
        """Return the newest that a job made of other versions with a content, else the newest; several of one time."""
        size = len(content) if isinstance(content, str) else sum(len(text) for _, text in content)
        same = [one for known in self.paths.values() for one in known if one.path != path and one.content == content]
        made = [one for one in same if one.maker is not None and one.adopted_in != self.batch] or same
        if size < 32 or not made:
            return []
        now = [one for one in made if one.place[1] == self.batch]
        if now:
            return [max(now, key=lambda one: one.place)]
        newest = max(one.place[1] for one in made)
        return [one for one in made if one.place[1] == newest]


class History:
    """The laboratory and the model side by side."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.model = Model()
        self._runs = count(1)
        self._observed: set[object] = set()
        self._made_here: set[str] = set()
        self._outputs: dict[str, list[tuple[str, int, str]]] = {}

    def by_hand(self, action: str, path: str, other: str, content: str) -> None:
        """Let somebody write, restore, remove, copy or rename a file."""
        place = self.lab.folder / path
        if not place.parent.is_dir():
            return
        if action == "write":
            self.lab.write(path, content)
        elif action == "restore":
            texts = [one.content for one in self.model.paths.get(path, []) if isinstance(one.content, str)]
            if texts:
                self.lab.write(path, texts[CONTENTS.index(content) % len(texts)])
        elif not place.exists():
            return
        elif action == "remove":
            self.lab.remove(path)
        elif (self.lab.folder / other).parent.is_dir() and path != other:
            text = self.lab.read(path)
            if action == "rename":
                self.lab.remove(path)
            self.lab.write(other, text)

    def run(self, rules: list[str], *, together: bool, dirty: bool, afresh: bool) -> None:
        """Do those jobs whose inputs are there, record them, and tell the model."""
        self._observed.clear()
        self._made_here.clear()
        self.model.begin_run(afresh=afresh)
        jobs = self._jobs(rules, f"run{next(self._runs)}", together=together)
        self.lab.run(more=jobs, together=together, dirty=dirty, afresh=afresh)

    def check(self) -> None:
        """Compare every version, its makers and its lineage with what the model says."""
        for path, known in self.model.paths.items():
            recorded = self.lab.versions(path)
            for one, (_, said) in zip(known, recorded, strict=True):
                one.choose(said)
            assert recorded == [(one.maker and one.maker.name, one.said) for one in known], path
        for path, known in self.model.paths.items():
            for one in known:
                assert self.lab.recorded_lineage(path, one.number) == self.model.lineage(one), one.name
        assert self.lab.outputs() == self._outputs

    def _jobs(self, rules: list[str], run: str, *, together: bool) -> Iterator[Job]:
        for rule in rules:
            reads, writes = RULES[rule]
            needed = [*reads, *(["d"] if rule == "member" else [])]
            if not all((self.lab.folder / path).exists() for path in needed):
                continue
            if not together:
                self.model.batch += 1
            before = {path: self._content(path) for path in reads}
            was_known = self._print(reads[0]) in self._observed
            result = f"{rule} of {hashlib.sha256(repr(sorted(before.items(), key=str)).encode()).hexdigest()}"
            job = Job(rule, reads, {writes: result})
            if rule == "split":
                job.writes = {writes: {"m1": f"1 {result}", "m2": f"2 {result}"}}
            elif rule == "tiny":
                job.writes = {writes: "tiny"}
            elif rule == "change":
                job.appends = {reads[0]: "more" * 20}
            yield job
            self._tell(job, f"{rule} {run}", before, was_known=was_known)

    def _tell(self, job: Job, name: str, before: dict[str, Content], *, was_known: bool) -> None:
        """Tell the model what a job has read and written."""
        done = Done(name, *self.lab.span)
        self._outputs.setdefault(name, [])
        for path in job.reads:
            content = before[path]
            if path in job.appends and not was_known:
                content = self._content(path)
            if path in self._made_here and content != self.model.paths[path][-1].content:
                version = self.model.paths[path][-1]  # nobody can tell which state was read
            else:
                version = self.model.see(path, content)
                version.is_meanwhile |= path in job.appends and version.kind == "edited" and version.first_read is None
            version.first_read = min(done.began, version.first_read or done.began)
            done.used.append(version)
            self._observed.add(self._print(path))
        for path in [*job.writes, *(job.appends if was_known else ())]:
            self._write(path, done)
            self._observed.add(self._print(path))
            self._made_here |= {path} if path.endswith("/") else set()

    def _write(self, path: str, done: Done) -> None:
        before = len(self.model.paths.get(path, []))
        version = self.model.see(path, self._content(path), done)
        is_new = len(self.model.paths[path]) > before or version.maker is done
        told = path, version.number, "generated" if is_new else "reproduced"
        self._outputs.setdefault(done.name, []).append(told)

    def _content(self, path: str) -> Content:
        place = self.lab.folder / path
        if place.is_dir():
            return frozenset((one.name, one.read_text()) for one in place.iterdir())
        return place.read_text()

    def _print(self, path: str) -> object:
        return fingerprint(str(self.lab.folder / path))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a store that all histories are recorded in, each in a project of its own."""
    with connect(tmp_path_factory.mktemp("store") / ".snakeprov", create=True) as made:
        yield made


HAND = st.tuples(
    st.sampled_from(["write", "restore", "restore", "remove", "copy", "rename"]),
    st.sampled_from(BY_HAND),
    st.sampled_from(BY_HAND),
    st.sampled_from(CONTENTS),
)
ROUND = st.tuples(
    st.lists(HAND, max_size=3),
    st.lists(st.sampled_from(list(RULES)), min_size=1, max_size=6),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
"""What people do, and then the jobs of a run: delivered together or not, from a dirty tree or not, by a process that
knows nothing of the store or by the one before."""


@settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(ROUND, min_size=3, max_size=6))
def test_every_history_is_told_as_it_was(
    client: Client, tmp_path_factory: pytest.TempPathFactory, rounds: list[tuple[Any, ...]]
) -> None:
    """Versions, what their bytes mean, who made them, and everything that they come from."""
    folder = tmp_path_factory.mktemp("work")
    history = History(Lab(client, folder, project=folder.name))
    history.lab.write("in.txt", "x" * 40)
    history.run(["a", "b", "split", "up", "whole"], together=True, dirty=False, afresh=True)
    for by_hand, rules, together, dirty, afresh in rounds:
        for deed in by_hand:
            history.by_hand(*deed)
        history.run(rules, together=together, dirty=dirty, afresh=afresh)
    history.check()
