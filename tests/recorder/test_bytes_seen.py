"""What bytes mean, as it is recorded: in a folder and on a server, with bytes kept, too large to keep, and not kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from snakeprov import connect
from snakeprov.blobs.local import LocalBlobs
from snakeprov.db import open_database

from ..server.live import Socket
from .lab import Job, Lab

X, Y, Z = (letter * 40 + "\n" for letter in "xyz")


def a(content: str = X) -> Job:
    return Job("a", ["in.txt"], {"a.txt": "a of " + content})


def b(content: str = X, reads: str = "a.txt") -> Job:
    return Job("b", [reads], {"b.txt": "b of " + content})


MakeLab = Callable[..., Lab]


@pytest.fixture(scope="module")
def socket() -> Socket:
    return Socket()


@pytest.fixture(params=["folder", "server", "too large", "not kept"])
def lab(request: pytest.FixtureRequest, tmp_path: Path, socket: Socket) -> Iterator[Lab]:
    """A laboratory whose records are in one of the places."""
    work = tmp_path / "work"
    work.mkdir()
    policy: dict[str, Any] = {"too large": {"keep_bytes_max": 10}, "not kept": {"upload": False}}
    with ExitStack() as stack:
        if request.param in ("folder", "not kept"):
            client = stack.enter_context(connect(work / ".snakeprov", create=True))
        else:
            store = open_database(tmp_path / "team", create=True)
            stack.callback(store.close)
            served = socket.serve(store, LocalBlobs(tmp_path / "team" / "blobs"))
            token = served.login("ada")["SNAKEPROV_TOKEN"]
            client = stack.enter_context(connect(served.url, token=token))
        lab = Lab(client, work, **policy.get(request.param, {}))
        lab.write("in.txt", X)
        yield lab


def test_the_same_bytes_again_are_a_further_making(lab: Lab) -> None:
    """Run and run again: one version of each file."""
    lab.run(a(), b())
    lab.run(a(), b())

    assert lab.versions("a.txt") == [("a run1", None)]
    assert lab.makings("a.txt")[0] == ["a run1", "a run2"]
    assert (lab.tally.versions, lab.tally.reproduced, lab.tally.edited) == (0, 2, 0)
    assert lab.lineage("b.txt", 1) == {"b.txt@1", "a.txt@1", "in.txt@1"}


@pytest.mark.parametrize("together", [True, False])
def test_the_same_bytes_from_a_dirty_and_a_clean_tree_are_two_makings(lab: Lab, together: bool) -> None:
    """One version; the dirty making was the first, the clean one is told."""
    lab.run(a(), b(), dirty=True, together=together)
    lab.run(a(), b(), dirty=False, together=together)

    for path, rule in (("a.txt", "a"), ("b.txt", "b")):
        assert lab.versions(path) == [(f"{rule} run1", None)]
        assert lab.makings(path) == [[f"{rule} run1", f"{rule} run2"]]
        (version,) = lab.client.provenance.history(lab.id_of(path)).results
        commit = "c" * 40
        assert [(one.commit, one.dirty) for one in version.makings] == [(commit, True), (commit, False)]
        assert (version.commit, version.dirty) == (commit, False)
        assert version.generated_by == version.makings[0].activity_id
        assert version.activity_id == version.makings[1].activity_id
    assert (lab.tally.versions, lab.tally.reproduced) == (0, 2)


def test_a_raw_input_that_changed_is_the_next_version_of_it(lab: Lab) -> None:
    """Nobody made it, and nothing is said of it."""
    lab.run(a(), b())
    lab.write("in.txt", Y)
    lab.run(a(Y), b(Y))

    assert lab.versions("in.txt") == [(None, None)] * 2
    assert lab.lineage("b.txt", 2) == {"b.txt@2", "a.txt@2", "in.txt@2"}


def test_an_output_edited_by_hand_is_no_raw_input(lab: Lab) -> None:
    """Its lineage goes on through the version before; edited once more, through the edited one."""
    lab.run(a(), b())
    lab.write("a.txt", Z)
    lab.run(b(Z))
    edits = lab.tally.edited, lab.tally.edited_paths
    lab.write("a.txt", Z + "more\n")
    lab.run(b(Z + "more"))

    assert edits == (1, ["a.txt"])
    assert lab.versions("a.txt") == [("a run1", None), (None, "edited @1"), (None, "edited @2")]
    assert lab.lineage("b.txt", 3) == {"b.txt@3", "a.txt@3", "a.txt@2", "a.txt@1", "in.txt@1"}


@pytest.mark.parametrize("together", [True, False])
def test_a_version_that_was_put_back_has_its_maker_again(lab: Lab, together: bool) -> None:
    """Whoever put it back; told as the first of these versions, however often it was put back."""
    lab.run(a(), b(), together=together)
    for _ in range(2):
        lab.write("a.txt", Z)
        lab.run(b(Z))
        lab.write("a.txt", "a of " + X)
        lab.run(b())

    edited = (None, "edited @1")
    back = ("a run1", "again @1")
    assert lab.versions("a.txt") == [("a run1", None), edited, back, (None, "again @2"), back]
    assert lab.tally.put_back == 1
    assert lab.lineage("b.txt", lab.latest("b.txt")) >= {"a.txt@5", "in.txt@1"}


def test_a_job_that_makes_earlier_bytes_again_made_that_version(lab: Lab) -> None:
    """After an edit, the same bytes by the job and then by hand: the newest making is told."""
    lab.run(a(), b())
    lab.write("a.txt", Z)
    lab.run(b(Z))
    lab.run(a(), b())
    lab.write("a.txt", Y)
    lab.run(b(Y))
    lab.write("a.txt", "a of " + X)
    lab.run(b())

    assert lab.versions("a.txt")[2:] == [("a run3", "again @1"), (None, "edited @3"), ("a run3", "again @3")]


def test_a_copy_of_a_raw_input_is_a_raw_input(lab: Lab) -> None:
    """No job wrote it: with other bytes it has changed and was not edited, in one run and in the next."""
    lab.write("copy.txt", lab.read("in.txt"))
    lab.run(a(), b("c", reads="copy.txt"))
    lab.write("copy.txt", Z)
    lab.run(b("c again", reads="copy.txt"))

    assert lab.versions("copy.txt") == [(None, "sameContent in.txt@1"), (None, None)]


@pytest.mark.parametrize("together", [True, False])
def test_a_copy_that_a_job_made_is_no_evidence_beside_its_origin(lab: Lab, together: bool) -> None:
    """Somebody copies a file that a job has copied too: the bytes come from the file that both were copied from."""
    copying = Job("e", ["a.txt"], {"e.txt": "a of " + X})
    lab.write("c.txt", "a of " + X)
    lab.run(a(), copying, b("c", reads="c.txt"), together=together)
    lab.write("d.txt", "a of " + X)
    lab.run(b("d", reads="d.txt"))

    assert lab.versions("e.txt") == [("e run1", None)]
    assert lab.versions("c.txt") == lab.versions("d.txt") == [(None, "sameContent a.txt@1")]
    assert lab.lineage("b.txt", 2) == {"b.txt@2", "d.txt@1", "a.txt@1", "in.txt@1"}


def test_a_renamed_file_has_its_old_content_as_evidence(lab: Lab) -> None:
    """A made file rather than a raw one; edited after that, it was edited."""
    lab.run(a(), b())
    lab.rename("a.txt", "c.txt")
    lab.run(b("c", reads="c.txt"))
    lab.write("c.txt", Z)
    lab.run(b("c again", reads="c.txt"))

    assert lab.versions("c.txt") == [(None, "sameContent a.txt@1"), (None, "edited @1")]
    assert lab.lineage("b.txt", 3) == {"b.txt@3", "c.txt@2", "c.txt@1", "a.txt@1", "in.txt@1"}


def test_trivial_content_is_no_evidence(lab: Lab) -> None:
    """Neither nothing nor a few bytes, nor an empty directory."""
    (lab.folder / "full").mkdir()
    (lab.folder / "empty").mkdir()
    for path in ("one", "two"):
        lab.write(path, "")
        lab.write(f"{path}.short", "x" * 31)
    lab.run(Job("make", [], {"made/": {}, "made.empty": "", "made.short": "x" * 31}))
    lab.run(Job("read", ["one", "two", "one.short", "two.short", "empty/", "full/"], {"out": "out"}))

    for path in ("one", "two", "one.short", "two.short", "empty/", "full/"):
        assert lab.versions(path) == [(None, None)], path


def test_code_that_was_copied_is_evidence_too(lab: Lab) -> None:
    """A script that was renamed is known by its content."""
    lab.write("old.py", "print('a script of more than 32 bytes')\n")
    lab.run(Job("s", [], {"s.txt": "s"}, code="old.py"))
    lab.rename("old.py", "new.py")
    lab.run(Job("s", [], {"s.txt": "s"}, code="new.py"))

    assert lab.versions("new.py") == [(None, "sameContent old.py@1")]


@pytest.mark.parametrize("together", [True, False])
def test_bytes_that_were_read_before_a_job_made_them_stay_unmade(lab: Lab, together: bool) -> None:
    """A job that writes them later is a further making; edited after that, they count as edited."""
    lab.write("a.txt", "a of " + X)
    lab.run(b(), a(), together=together)
    lab.write("a.txt", Z)
    lab.run(b(Z))

    assert lab.versions("a.txt") == [(None, None), (None, "edited @1")]
    assert lab.makings("a.txt")[0] == ["a run1"]


@pytest.mark.parametrize("together", [True, False])
def test_bytes_that_nobody_had_read_get_their_maker(lab: Lab, together: bool) -> None:
    """They were seen when Snakemake touched them; then the job that makes them ran."""
    lab.write("a.txt", "a of " + X)
    touched = Job("a", [], {"a.txt": "a of " + X}, status="touched")
    lab.run(touched, a(), together=together)

    assert lab.versions("a.txt") == [("a run1", None)]
    assert lab.tally.adopted == 1


@pytest.mark.parametrize("together", [True, False])
def test_a_job_that_changes_its_input_is_the_maker_of_what_it_left(lab: Lab, together: bool) -> None:
    """It used what was there before; who reads it after comes from there."""
    k = Job("k", ["a.txt"], {"done": ""}, appends={"a.txt": "more\n"})
    lab.run(a(), k, b(), together=together)

    assert lab.versions("a.txt") == [("a run1", None), ("k run1", None)]
    assert lab.lineage("b.txt", 1) == {"b.txt@1", "a.txt@2", "a.txt@1", "in.txt@1"}
    assert lab.tally.edited == 0


def test_an_input_that_changed_while_a_failed_job_ran_was_edited(lab: Lab) -> None:
    """A job that failed makes no version; that it ran meanwhile is said."""
    lab.run(a(), Job("k", ["a.txt"], {}, appends={"a.txt": "more\n"}, status="failed"), b())

    assert lab.versions("a.txt") == [("a run1", None), (None, "edited @1 while")]


def test_a_file_that_changed_before_it_was_digested_is_still_followed(lab: Lab) -> None:
    """Not proved: the next job read what looked as the first had left it, and made what it changed that to."""
    k = Job("k", ["a.txt"], {"done": "done"}, appends={"a.txt": "more\n"})
    lab.run(a(), k, b(), late=True)

    assert lab.versions("a.txt") == [("a run1", None), ("k run1", None)]
    assert lab.lineage("b.txt", 1) == {"b.txt@1", "a.txt@2", "a.txt@1", "in.txt@1"}
    assert lab.lineage("done", 1) == {"done@1", "a.txt@1", "in.txt@1"}
    both = [(lab.id_of("a.txt"), number) for number in (1, 2)]
    (first, second) = lab.client.provenance.versions(both)
    assert (first.sha256, first.size_bytes) == (None, len("a of " + X))
    assert second.sha256 is not None
    assert (lab.tally.unread, lab.tally.unread_paths) == (1, ["a.txt (changed before it was digested)"])


def test_a_file_that_changed_undigested_while_a_failed_job_ran_was_edited(lab: Lab) -> None:
    """After the version that it looked like when the job began."""
    lab.run(a(), Job("k", ["a.txt"], {}, appends={"a.txt": "more\n"}, status="failed"), b(), late=True)

    assert lab.versions("a.txt") == [("a run1", None), (None, "edited @1 while")]
    assert (lab.tally.edited, lab.tally.changed_paths) == (0, ["a.txt (k)"])


def split(letter: str, names: str = "12") -> Job:
    return Job("split", ["in.txt"], {"d/": {f"m{name}": letter * 40 + name for name in names}})


def up(text: str, member: str = "d/m1") -> Job:
    return Job("up", [member], {"up.txt": "up of " + text})


@pytest.mark.parametrize("together", [True, False])
def test_a_member_of_a_directory_made_again_comes_from_its_job(lab: Lab, together: bool) -> None:
    """Also with the bytes of an earlier time; nobody edited anything."""
    for letter in "xyx":
        lab.write("in.txt", letter * 50)
        lab.run(split(letter), up(letter), together=together)

    assert lab.versions("d/m1") == [("split run1", None), ("split run2", None), ("split run3", "again @1")]
    assert lab.lineage("up.txt", 2) == {"up.txt@2", "d/m1@2", "in.txt@2"}
    assert lab.tally.edited == 0


def test_members_of_a_temporary_directory_come_from_its_job(lab: Lab) -> None:
    """Its manifest is kept, though none of its bytes are."""
    made = split("x")
    made.temp = ["d/"]
    lab.run(made)
    lab.run(up("x"))

    assert lab.versions("d/m1") == [("split run1", None)]


def test_a_member_edited_by_hand_comes_from_the_directory(lab: Lab) -> None:
    """Seen before or not, also where the directory was made again since it was seen; then from the edited one."""
    lab.run(split("x"), up("x"))
    lab.write("d/m1", Z)
    lab.write("d/m2", Z + Z)
    lab.run(up("z"), up("zz", "d/m2"))
    lab.run(split("y"))
    lab.write("d/m1", Y)
    lab.run(up("y"))
    lab.write("d/m1", X)
    lab.run(up("x again"))

    assert lab.versions("d/m2") == [(None, "edited d/@1")]
    edits = [(None, "edited @1"), (None, "edited d/@2"), (None, "edited @3")]
    assert lab.versions("d/m1") == [("split run1", None), *edits]
    assert lab.tally.edited_paths == ["d/m1"]


def test_what_came_into_a_directory_later_is_not_its_jobs(lab: Lab) -> None:
    """The directory was changed after its job; what its job left in it is still that job's."""
    lab.run(split("x"))
    lab.write("d/m3", Z)
    lab.remove("d/m1")
    lab.run(Job("whole", ["d/"], {"whole.txt": "whole"}))
    lab.run(up("m3", "d/m3"), up("m2", "d/m2"))

    assert lab.versions("d/") == [("split run1", None), (None, "edited @1")]
    assert lab.versions("d/m3") == [(None, None)]
    assert lab.versions("d/m2") == [("split run1", None)]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("leaves", [{"d/m3": Z}, {"d/m3": Z, "d/m1": None}, {"d/m2": Z}, {"d/m1": Z, "d/m3": Z}])
def test_a_directory_that_a_later_job_changed_was_edited_while_it_ran(
    lab: Lab, leaves: dict[str, str | None], together: bool
) -> None:
    """What its job left in it is still that job's; what the later job read is what was there before."""
    change = Job("x", ["d/"], {"done": "done"}, leaves=leaves)
    lab.run(split("x"), change, Job("whole", ["d/"], {"whole.txt": "whole"}), together=together)

    assert lab.versions("d/") == [("split run1", None), (None, "edited @1 while")]
    assert lab.lineage("done", 1) == {"done@1", "d/@1", "in.txt@1"}
    assert lab.lineage("whole.txt", 1) == {"whole.txt@1", "d/@2", "d/@1", "in.txt@1"}
    assert (lab.tally.edited, lab.tally.changed_paths) == (0, ["d/ (x)"])


@pytest.mark.parametrize("leaves", [{"d/m3": Z}, {"d/m2": Z}])
def test_a_directory_that_a_job_of_a_later_run_changed_was_edited_while_it_ran(
    lab: Lab, leaves: dict[str, str | None]
) -> None:
    """That the job read what was recorded is not proved: nobody listed the directory when it began."""
    lab.run(split("x"))
    lab.run(Job("x", ["d/"], {"done": "done"}, leaves=leaves), Job("whole", ["d/"], {"whole.txt": "whole"}))

    assert lab.versions("d/") == [("split run1", None), (None, "edited @1 while")]


def test_a_directory_edited_before_a_job_read_it_did_not_change_while_it_ran(lab: Lab) -> None:
    """A job that only adds and removes a file of its own changes nothing either."""
    lab.run(split("x"))
    lab.write("d/m2", Z)
    lab.write("other.txt", "so that a second goes by")
    scratch = Job("x", ["d/"], {"done": "done"}, leaves={"d/scratch": "s", "d/./scratch": None})
    lab.run(scratch, Job("whole", ["d/"], {"whole.txt": "whole"}))

    assert lab.versions("d/") == [("split run1", None), (None, "edited @1")]
    assert (lab.tally.edited_paths, lab.tally.changed) == (["d/"], 0)


def test_a_version_each_time_has_the_content_of_the_one_before(lab: Lab) -> None:
    """With `versions = "always"` each making is a version of its own."""
    lab.run(a(), always=True)
    lab.run(a(), always=True)

    assert lab.versions("a.txt") == [("a run1", None), ("a run2", "again @1")]


def test_temporary_and_large_files_have_one_version_as_long_as_they_are_the_same(lab: Lab) -> None:
    """What is not kept is known by its digest, wherever the records are."""
    for _ in range(3):
        lab.run(Job("t", ["in.txt"], {"t.txt": "t" * 50}, temp=["t.txt"]), b("t", reads="t.txt"))

    assert lab.versions("t.txt") == [("t run1", None)]
    found = lab.client.provenance.history(lab.id_of("t.txt")).results
    assert found[0].sha256 is not None


def test_a_file_that_cannot_be_read_is_the_version_that_it_looks_like(lab: Lab) -> None:
    """Not proved, and said to be: its job names no digest. One that looks otherwise is a version without digest."""
    lab.run(a())
    lab.write("a.txt", "a of " + X)
    lab.run(b(), unreadable=["a.txt"])
    assert lab.versions("a.txt") == [("a run1", None)]

    for text in ("of another size", "of yet another size"):
        lab.write("a.txt", text)
        lab.run(b(), unreadable=["a.txt"])
    assert lab.versions("a.txt") == [("a run1", None), (None, "edited @1"), (None, "edited @2")]


def test_a_directory_that_cannot_be_read_looks_like_its_version(lab: Lab) -> None:
    """Its own size is not that of what is recorded of it."""
    lab.run(split("x"))
    lab.run(Job("whole", ["d/"], {"whole.txt": "whole"}), unreadable=["d"])

    assert lab.versions("d/") == [("split run1", None)]


Step = Job | Callable[[], object]


def jobs_of(*steps: Step) -> Iterator[Job]:
    """Yield the jobs among some steps; what people do in between is done when its turn has come."""
    for step in steps:
        if isinstance(step, Job):
            yield step
        else:
            step()


def go(lab: Lab, *steps: Step, together: bool) -> None:
    """Record some jobs, in one request or each in its own."""
    lab.run(more=jobs_of(*steps), together=together)


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("is_earlier", [True, False])
def test_a_version_put_back_while_a_run_goes_on_has_its_maker_again(lab: Lab, together: bool, is_earlier: bool) -> None:
    """Made by a job of the same run or of an earlier one; put back twice, it is the content of the first each time."""
    if is_earlier:
        lab.run(a(), b())

    def put(text: str) -> Callable[[], object]:
        return lambda: lab.write("a.txt", text)

    back = put("a of " + X)
    go(lab, *([] if is_earlier else [a()]), put(Z), b(Z), back, b(), put(Y), b(Y), back, b(), together=together)

    made, edited, again = ("a run1", None), (None, "edited @1"), ("a run1", "again @1")
    assert lab.versions("a.txt") == [made, edited, again, (None, "edited @3"), again]


@pytest.mark.parametrize("together", [True, False])
def test_the_newest_maker_of_bytes_that_were_put_back_is_told(lab: Lab, together: bool) -> None:
    """Where another job had made them again in between."""

    def put(text: str) -> Callable[[], object]:
        return lambda: lab.write("a.txt", text)

    other = Job("other", ["in.txt"], {"a.txt": "a of " + X})
    go(lab, a(), put(Z), b(Z), other, put(Y), b(Y), put("a of " + X), b(), together=together)

    assert lab.versions("a.txt")[2:] == [("other run1", "again @1"), (None, "edited @3"), ("other run1", "again @3")]


@pytest.mark.parametrize("together", [True, False])
def test_a_raw_input_that_was_put_back_has_changed_when_it_has_other_bytes(lab: Lab, together: bool) -> None:
    """Though a job had written the file in between: what was there last was nobody's work."""
    lab.write("p.txt", X)
    lab.run(b(reads="p.txt"))
    lab.run(Job("p", [], {"p.txt": Y}))

    def put(text: str) -> Callable[[], object]:
        return lambda: lab.write("p.txt", text)

    go(lab, put(X), b("x", reads="p.txt"), put(Z), b("z", reads="p.txt"), together=together)

    assert lab.versions("p.txt") == [(None, None), ("p run2", None), (None, "again @1"), (None, None)]


@pytest.mark.parametrize("together", [True, False])
def test_the_newest_file_that_a_job_made_is_the_evidence(lab: Lab, together: bool) -> None:
    """Rather than an older one, or a newer one that nobody made."""

    def copy() -> None:
        lab.write("c.txt", X + Z)
        lab.write("d.txt", X + Z)

    one, two = (Job(name, ["in.txt"], {name: X + Z}) for name in ("one.txt", "two.txt"))
    go(lab, one, two, copy, b("c", reads="c.txt"), b("d", reads="d.txt"), together=together)

    assert lab.versions("c.txt") == lab.versions("d.txt") == [(None, "sameContent two.txt@1")]


@pytest.mark.parametrize("together", [True, False])
def test_of_nested_directories_the_innermost_that_has_a_file_made_it(lab: Lab, together: bool) -> None:
    """An outer one only what the inner one does not have; by hand it is the inner one that was changed."""

    def put(name: str, text: str) -> Callable[[], object]:
        return lambda: lab.write(f"d/e/{name}", text)

    outer = Job("outer", ["in.txt"], {"d/": {"e/m1": X, "e/m2": X, "e/m3": X}})
    inner = Job("inner", ["in.txt"], {"d/e/": {"m1": Y, "m2": X, "m3": Y}})
    read = [up(name, f"d/e/{name}") for name in ("m1", "m2", "m3")]
    go(lab, outer, inner, put("m3", X), *read, together=together)
    go(lab, put("m1", Z), up("edited", "d/e/m1"), together=together)

    assert lab.versions("d/e/m1") == [("inner run1", None), (None, "edited @1")]
    assert lab.versions("d/e/m2") == [("inner run1", None)]
    assert lab.versions("d/e/m3") == [("outer run1", None)]


@pytest.mark.parametrize("together", [True, False])
def test_a_file_that_was_never_seen_and_edited_comes_from_the_innermost_directory(lab: Lab, together: bool) -> None:
    """Both have a file of that name, with other bytes."""
    outer = Job("outer", ["in.txt"], {"d/": {"e/m1": X}})
    inner = Job("inner", ["in.txt"], {"d/e/": {"m1": Y}})
    go(lab, outer, inner, lambda: lab.write("d/e/m1", Z), up("edited", "d/e/m1"), together=together)

    assert lab.versions("d/e/m1") == [(None, "edited d/e/@1")]


def test_a_member_that_a_directory_has_as_before_is_edited_after_its_own_version(lab: Lab) -> None:
    """The directory was made again since, with the same bytes in this file."""
    lab.run(split("x"), up("x"))
    again = split("x")
    again.writes = {"d/": {"m1": "x" * 40 + "1", "m2": Y}}
    lab.run(again)
    lab.write("d/m1", Z)
    lab.run(up("z"))

    assert lab.versions("d/m1") == [("split run1", None), (None, "edited @1")]
