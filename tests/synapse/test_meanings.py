"""What bytes mean, as it is recorded in Synapse and told by commands: the same as in a folder.

Each history is recorded twice, in a folder and over a socket in a server as strict as Synapse. The folder's answers are
what is expected of Synapse.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest

from snakeprov import connect
from snakeprov.errors import RemoteError
from snakeprov.model.entities import File
from snakeprov.recorder.context import Prepared
from snakeprov.recorder.deliver import Deliverer
from snakeprov.synapse.jobmark import marked

from ..commands import Answer, call
from ..recorder.lab import Job, Lab
from ..told.conftest import lasting
from .conftest import Synapse

X, Y, Z = (letter * 40 + "\n" for letter in "xyz")


class SynapseLab(Lab):
    """A laboratory whose records are in Synapse, which knows no paths and no jobs.

    Attributes:
        deliver: Delivers some jobs.
    """

    deliver: Callable[[Callable[[], list[str | None]]], list[str | None]] = staticmethod(lambda call: call())

    def _deliver(self, deliverer: Deliverer, batch: Sequence[Prepared]) -> list[str | None]:
        return self.deliver(lambda: super(SynapseLab, self)._deliver(deliverer, batch))

    def id_of(self, path: str) -> str:
        (match,) = self.client.provenance.find(path, project=self._project).results
        return match.entity_id

    def _maker(self, activity_id: str | None) -> str | None:
        if activity_id is None:
            return None
        found = marked(self.client.activities.get(activity_id)["description"])
        return None if found is None else self._jobs[found[0]]


@pytest.fixture
def labs(synapse: Synapse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Lab, Lab]]:
    """One laboratory that records in a folder, and one that records in Synapse."""
    monkeypatch.setattr("tests.recorder.lab.uuid4", lambda: UUID(int=random.getrandbits(128)))
    works = [tmp_path / "by folder" / "work", tmp_path / "by synapse" / "work"]
    for work in works:
        work.mkdir(parents=True)
    with connect(works[0] / ".snakeprov", create=True) as folder, synapse.connect() as remote:
        remote.project = "lab"
        yield Lab(folder, works[0]), SynapseLab(remote, works[1])


Ask = Callable[..., Answer]


@pytest.fixture
def ask() -> Ask:
    """Give `ask(lab, *arguments)`: run a command in a laboratory."""

    def ask_lab(lab: Lab, *arguments: str) -> Answer:
        store = "synapse" if isinstance(lab, SynapseLab) else ".snakeprov"
        return call(*arguments, "--store", store, "--project", "lab", folder=lab.folder)

    return ask_lab


def a(content: str = X) -> Job:
    return Job("a", ["in.txt"], {"a.txt": "a of " + content})


def b(content: str = X, reads: str = "a.txt") -> Job:
    return Job("b", [reads], {"b.txt": "b of " + content})


def split(letter: str) -> Job:
    return Job("split", ["in.txt"], {"d/": {f"m{name}": letter * 40 + name for name in "12"}})


def up(text: str, member: str = "d/m1") -> Job:
    return Job("up", [member], {"up.txt": "up of " + text})


def _made_again(lab: Lab) -> None:
    lab.run(a(), b())
    lab.run(a(), b())


def _raw_input_changed(lab: Lab) -> None:
    lab.run(a(), b())
    lab.write("in.txt", Y)
    lab.run(a(Y), b(Y))


def _edited(lab: Lab) -> None:
    lab.run(a(), b())
    lab.write("a.txt", Z)
    lab.run(b(Z))
    lab.write("a.txt", Z + "more\n")
    lab.run(b(Z + "more"))


def _put_back(lab: Lab) -> None:
    lab.run(a(), b())
    for _ in range(2):
        lab.write("a.txt", Z)
        lab.run(b(Z))
        lab.write("a.txt", "a of " + X)
        lab.run(b())


def _made_again_after_edit(lab: Lab) -> None:
    lab.run(a(), b())
    lab.write("a.txt", Z)
    lab.run(b(Z))
    lab.run(a(), b())
    lab.write("a.txt", Y)
    lab.run(b(Y))
    lab.write("a.txt", "a of " + X)
    lab.run(b())


def _renamed(lab: Lab) -> None:
    lab.run(a(), b())
    lab.rename("a.txt", "c.txt")
    lab.run(b("c", reads="c.txt"))
    lab.write("c.txt", Z)
    lab.run(b("c again", reads="c.txt"))


def _copy_of_raw_input(lab: Lab) -> None:
    lab.write("copy.txt", lab.read("in.txt"))
    lab.run(a(), b("c", reads="copy.txt"))
    lab.write("copy.txt", Z)
    lab.run(b("c again", reads="copy.txt"))
    lab.write("copy.txt", lab.read("in.txt"))
    lab.run(b("c", reads="copy.txt"))
    lab.write("copy.txt", Y)
    lab.run(b("c at last", reads="copy.txt"))


def _directory_made_again(lab: Lab) -> None:
    for letter in "xyx":
        lab.write("in.txt", letter * 50)
        lab.run(split(letter), up(letter))


def _member_edited(lab: Lab) -> None:
    lab.run(split("x"), up("x"))
    lab.write("d/m1", Z)
    lab.write("d/m2", Z + Z)
    lab.run(up("z"), up("zz", "d/m2"))
    lab.run(split("y"))
    lab.write("d/m1", Y)
    lab.run(up("y"))


def _changed_while_a_job_ran(lab: Lab) -> None:
    change = Job("k", ["d/"], {"done": "done"}, leaves={"d/m3": Z})
    lab.run(split("x"), change, Job("whole", ["d/"], {"whole.txt": "whole"}))


def _changed_in_place(lab: Lab) -> None:
    lab.run(a(), Job("k", ["a.txt"], {"done": "done"}, appends={"a.txt": "more\n"}), b())


HISTORIES: dict[str, tuple[Callable[[Lab], None], tuple[str, ...]]] = {
    "made again": (_made_again, ("in.txt", "a.txt", "b.txt")),
    "raw input changed": (_raw_input_changed, ("in.txt", "a.txt", "b.txt")),
    "edited": (_edited, ("in.txt", "a.txt", "b.txt")),
    "put back": (_put_back, ("in.txt", "a.txt", "b.txt")),
    "made again after an edit": (_made_again_after_edit, ("in.txt", "a.txt", "b.txt")),
    "renamed": (_renamed, ("a.txt", "b.txt", "c.txt")),
    "copy of a raw input": (_copy_of_raw_input, ("in.txt", "copy.txt", "b.txt")),
    "directory made again": (_directory_made_again, ("in.txt", "d/", "d/m1", "up.txt")),
    "changed while a job ran": (_changed_while_a_job_ran, ("d/", "whole.txt", "done")),
    "changed in place": (_changed_in_place, ("a.txt", "b.txt", "done")),
    "member edited": (_member_edited, ("d/", "d/m1", "d/m2", "up.txt")),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_synapse_holds_and_tells_the_same_as_a_folder(labs: tuple[Lab, Lab], ask: Ask, name: str) -> None:
    """The numbers of the versions, who made each, what its bytes mean, and what each came from; in words too."""
    history, paths = HISTORIES[name]
    for lab in labs:
        random.seed(name)  # the ids of runs and jobs
        lab.write("in.txt", X)
        history(lab)
    folder, synapse = labs

    for path in paths:
        assert synapse.versions(path) == folder.versions(path)
        named = [f"{path}@{number}" for number in range(1, folder.latest(path) + 1)]
        for number, version in enumerate(named, 1):
            assert synapse.lineage(path, number) == folder.lineage(path, number), version
            assert origin(ask(synapse, "show", version).out) == origin(ask(folder, "show", version).out)
            assert ask(synapse, "lineage", version).out == ask(folder, "lineage", version).out
        assert known(ask(synapse, "log", path).out) == known(ask(folder, "log", path).out)
        refused = ask(synapse, "affected", path)
        assert refused.status != 0 and "Synapse cannot tell what came from a file" in refused.err


def test_a_file_that_a_job_made_again_is_not_said_to_be_put_back(labs: tuple[Lab, Lab], ask: Ask) -> None:
    """Nor is one in a directory that was made again."""
    for lab in labs:
        _directory_made_again(lab)
        for version in ("d/@3", "d/m1@3", "up.txt@3"):
            assert "the content of @1 again" in ask(lab, "show", version).out.splitlines()


KINDS = ("a.txt", "again.txt", "back.txt", "copy.txt", "d/m1", "e/", "new.txt", "place.txt")
"""Files whose newest version means something, each something else."""


def _every_kind(lab: Lab, last: Callable[[SynapseLab], None] = lambda lab: None) -> None:
    """Record versions of every meaning, all of them by the last run; call `last` before it."""
    made = {name: f"{name} of {X}" for name in ("a.txt", "again.txt", "back.txt", "old.txt", "place.txt")}
    lab.write("in.txt", X)
    lab.run(Job("make", ["in.txt"], made), split("x"), Job("other", ["in.txt"], {"e/": {"m": X}}))
    lab.write("back.txt", Z)
    lab.run(Job("read", ["back.txt"], {"1": "1"}), Job("make", ["in.txt"], {"again.txt": Z + Z}))
    lab.write("a.txt", Y)
    lab.write("back.txt", made["back.txt"])
    lab.write("copy.txt", made["a.txt"])
    lab.write("d/m1", Z)
    lab.rename("old.txt", "new.txt")
    if isinstance(lab, SynapseLab):
        last(lab)
    lab.run(
        Job("read", ["a.txt", "back.txt", "copy.txt", "d/m1", "new.txt"], {"2": "2"}),
        Job("make", ["in.txt"], {"again.txt": made["again.txt"]}),
        Job("x", ["e/"], {"3": "3"}, leaves={"e/n": Z}),
        Job("k", ["place.txt"], {"4": "4"}, appends={"place.txt": "more\n"}),
    )


def test_what_a_delivery_that_broke_off_had_not_noted_is_noted_by_the_next(
    labs: tuple[Lab, Lab], synapse: Synapse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the server dies between a version and its annotations: nothing is missing, and nothing there twice."""
    monkeypatch.setattr("snakeprov.client.session.RETRIES_MAX", 0)
    folder, remote = labs
    _every_kind(folder)
    expected = {path: folder.versions(path) for path in KINDS}
    assert {versions[-1][1] for versions in expected.values()} >= {"edited @1", "again @1", "edited @1 while"}
    for at in itertools.count(1):
        lab = SynapseLab(remote.client, remote.folder.parent / f"{at}", project=f"broken off at {at}")
        lab.folder.mkdir()
        breaking = _Breaking(synapse, at)
        _every_kind(lab, lambda lab, breaking=breaking: setattr(lab, "deliver", breaking.deliver))
        if not breaking.has_broken:
            break
        assert {path: lab.versions(path) for path in KINDS} == expected, at
        assert [lab.lineage(name, 1) for name in "234"] == [folder.lineage(name, 1) for name in "234"], at
    assert at > len(KINDS)


class _Breaking:
    """Loses the answer to one of the requests that make a version, and delivers once more."""

    def __init__(self, synapse: Synapse, at: int) -> None:
        self.has_broken = False
        self._synapse = synapse
        self._left = at

    def deliver(self, call: Callable[[], list[str | None]]) -> list[str | None]:
        self._synapse.after = self._after
        try:
            return call()
        except RemoteError:
            return call()
        finally:
            self._synapse.after = lambda method, path: None

    def _after(self, method: str, path: str) -> None:
        if method in ("POST", "PUT") and re.fullmatch(r"/repo/v1/entity(/syn\d+)?", path):
            self._left -= 1
            if self._left == 0:
                self.has_broken = True
                raise ConnectionError


def test_a_copy_whose_original_was_deleted_is_recorded_and_told(labs: tuple[Lab, Lab], ask: Ask) -> None:
    """It counts as a raw input then: nothing shows that the original was work."""
    _, synapse = labs
    synapse.write("in.txt", X)
    synapse.run(a(), b())
    synapse.rename("a.txt", "c.txt")
    synapse.run(b("c", reads="c.txt"))
    synapse.client.session.delete(f"/repo/v1/entity/{synapse.id_of('a.txt')}")
    synapse.write("c.txt", Z)
    synapse.run(b("c again", reads="c.txt"))

    assert synapse.versions("c.txt") == [(None, "sameContent a.txt@1"), (None, None)]
    assert synapse.lineage("c.txt", 1) == {"c.txt@1"}
    assert "same content as a.txt@1" in ask(synapse, "lineage", "b.txt@2").out


def test_annotations_of_the_version_before_say_nothing_of_the_next(labs: tuple[Lab, Lab]) -> None:
    """A version that somebody uploads has them too, in Synapse; but they name other bytes."""
    _, synapse = labs
    synapse.write("in.txt", X)
    _edited(synapse)
    entities = synapse.client.entities
    edited = entities.get(synapse.id_of("a.txt"))
    assert isinstance(edited, File)
    edited.data_file_handle_id = synapse.client.files.upload(b"uploaded by hand", file_name="a.txt")
    entities.update(edited, new_version=True)
    noted = entities.annotations(edited.id or "")["annotations"]

    assert "snakeprov.meaning" in noted
    assert synapse.versions("a.txt")[-2:] == [(None, "edited @2"), (None, None)]


def origin(shown: str) -> list[str]:
    """Return what `show` says of the origin of a version; when a job ran is not known in Synapse."""
    return [line.partition(" · ")[0] for line in lasting(shown).split("\n\n")[0].splitlines()]


def known(log: str) -> str:
    """Return what `log` says, without what is not known in Synapse: later makings, and whether bytes are kept."""
    text = re.sub(r"\n  bytes not kept(?=\n)|(\n  | · )reproduced .*", "", lasting(log))
    return re.sub(r"(?m)^(@\d+ +N ago +\w+ +)[0-9a-f]{8}", r"\1RUN", text)
