"""What is found out about the files of a job, and what is said where nothing can be found."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snakeprov.disk import files
from snakeprov.disk.digestcache import DigestCache
from snakeprov.disk.files import MD5_FREE_BYTES, fingerprint
from snakeprov.disk.sidebyside import SIDE_BY_SIDE_BYTES, processors
from snakeprov.disk.tree import list_directory, listing_digest
from snakeprov.model.digest import Digest
from snakeprov.model.held import HeldFile, Listing, before_key, output_key
from snakeprov.model.records import CodeFact, FileFact, JobRecord
from snakeprov.plugin.observation import stamp
from snakeprov.recorder import directories
from snakeprov.recorder.digesting import Digester
from snakeprov.recorder.heldfiles import HeldFiles, OpenFile
from snakeprov.recorder.observed import Observation, key_of, path_of_key, with_changes


@pytest.fixture
def digester(tmp_path: Path) -> Digester:
    """A digester for files in a temporary folder."""
    return Digester(str(tmp_path), DigestCache(None))


def job(*outputs: FileFact, inputs: tuple[FileFact, ...] = (), **more: object) -> JobRecord:
    values = {"id": "1", "run_id": "a", "rule": "r", "status": "success", **more}
    return JobRecord(**values, inputs=list(inputs), outputs=list(outputs))  # type: ignore[arg-type]


def fact(folder: Path, name: str, content: str | None = None, *flags: str) -> FileFact:
    if content is not None:
        (folder / name).write_text(content)
    return FileFact(path=name, fingerprint=fingerprint(str(folder / name)), flags=list(flags))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_inputs_outputs_and_code_are_digested(digester: Digester, tmp_path: Path) -> None:
    """By the path that the record has."""
    record = job(fact(tmp_path, "out", "o"), inputs=(fact(tmp_path, "in", "i"),))
    (tmp_path / "code.py").write_text("c")
    record.code.append(CodeFact(role="script", path="code.py", fingerprint=fingerprint(str(tmp_path / "code.py"))))

    found = digester.observe(record, HeldFiles())

    assert {path: one.digest and one.digest.sha256 for path, one in found.items()} == {
        "in": sha256("i"),
        "out": sha256("o"),
        "code.py": sha256("c"),
    }


@pytest.mark.skipif(processors() < 2, reason="there is one processor")
def test_large_outputs_are_read_side_by_side_and_found_in_the_order_of_the_record(
    digester: Digester, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two readers meet; one that has changed meanwhile has no digest, and the others have theirs."""
    outputs = [fact(tmp_path, f"out{number}", str(number) * (SIDE_BY_SIDE_BYTES // 2)) for number in range(4)]
    (tmp_path / "out2").write_text("changed")
    meeting, read = threading.Barrier(2, timeout=20), files.digest_stable

    def meet(*arguments: Any, **options: Any) -> Digest:
        meeting.wait()
        return read(*arguments, **options)

    monkeypatch.setattr(files, "digest_stable", meet)
    found = digester.observe(job(*outputs), HeldFiles())

    assert list(found) == ["out0", "out1", "out2", "out3"]
    lacking = {path: one.problem for path, one in found.items() if one.digest is None}
    assert lacking == {"out2": "changed before it was digested"}
    assert found["out3"].digest == Digest(sha256("3" * (SIDE_BY_SIDE_BYTES // 2)), None, SIDE_BY_SIDE_BYTES // 2)


LARGE = "large" * MD5_FREE_BYTES


@pytest.mark.parametrize("is_held", [True, False])
def test_the_md5_is_found_for_a_store_that_needs_it(tmp_path: Path, is_held: bool) -> None:
    """Synapse knows contents by it; for a folder it would be computed in vain."""
    output = fact(tmp_path, "out", LARGE)

    def found(*, md5: bool) -> str | None:
        digester = Digester(str(tmp_path), DigestCache(None), md5=md5)
        digest = digester.observe(job(output), held(output, tmp_path / "out") if is_held else HeldFiles())["out"].digest
        return None if digest is None else digest.md5

    assert found(md5=True) == hashlib.md5(LARGE.encode(), usedforsecurity=False).hexdigest()
    assert found(md5=False) is None


def test_what_was_found_for_a_folder_is_completed_for_synapse(tmp_path: Path) -> None:
    """The store of a working directory may change while records wait; a file that is not the same has no digest."""
    same, other = fact(tmp_path, "same", LARGE), fact(tmp_path, "other", LARGE + "!")
    found = Digester(str(tmp_path), DigestCache(None)).observe(job(same, other), HeldFiles())
    (tmp_path / "other").write_text(LARGE + "?")

    complete = Digester(str(tmp_path), DigestCache(None), md5=True).complete(found)

    assert complete["same"].digest is not None
    assert complete["same"].digest.md5 == hashlib.md5(LARGE.encode(), usedforsecurity=False).hexdigest()
    assert (complete["other"].digest, complete["other"].problem) == (
        None,
        "was read for another store, and is not the same any more",
    )


def test_outputs_of_a_job_that_failed_are_not_looked_at(digester: Digester, tmp_path: Path) -> None:
    """Snakemake removes them."""
    assert digester.observe(job(fact(tmp_path, "out", "o"), status="failed"), HeldFiles()) == {}


Meanwhile = Callable[[Path], object]


def held(fact: FileFact, place: Path, key: str = output_key(0)) -> HeldFiles:
    """The file at `place`, open, as whoever digests it has it."""
    assert fact.fingerprint is not None
    of_job = HeldFiles()
    of_job.add(HeldFile(key, "", fact.fingerprint), os.open(place, os.O_RDONLY), may_stay_open=True)
    return of_job


def test_a_file_that_is_gone_is_read_from_its_descriptor_which_is_closed(digester: Digester, tmp_path: Path) -> None:
    """As of an output that the next job moved, or that Snakemake deleted."""
    output = fact(tmp_path, "temp", "t")
    files = held(output, tmp_path / "temp")
    opened = files.file(output_key(0))
    (tmp_path / "temp").unlink()

    found = digester.observe(job(output), files)

    assert found["temp"].digest is not None and found["temp"].digest.sha256 == sha256("t")
    assert isinstance(opened, OpenFile)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(opened.descriptor)


@pytest.mark.parametrize(
    ("meanwhile", "is_known"),
    [
        (lambda path: path.chmod(0o444), True),
        (lambda path: path.rename(path.with_name("moved")), True),
        (lambda path: path.with_name("copy").write_text("x") and path.with_name("copy").replace(path), True),
        (lambda path: path.open("a").write("more"), False),
        (lambda path: path.write_text("x"), False),
    ],
    ids=["protected", "moved", "replaced", "appended to", "overwritten"],
)
def test_an_open_file_that_was_changed_has_no_digest(
    digester: Digester, tmp_path: Path, meanwhile: Meanwhile, is_known: bool
) -> None:
    """The bytes that the next job wrote are never said to be those of the job before."""
    output = fact(tmp_path, "out", "first")
    files = held(output, tmp_path / "out")
    meanwhile(tmp_path / "out")

    digest = digester.observe(job(output), files)["out"].digest

    assert (digest and digest.sha256) == (sha256("first") if is_known else None)


def test_a_temporary_file_is_known_to_who_used_it_after_it_is_gone(digester: Digester, tmp_path: Path) -> None:
    """It was read when it was made."""
    temporary = fact(tmp_path, "temp", "t")
    digester.observe(job(temporary), HeldFiles())
    (tmp_path / "temp").unlink()

    found = digester.observe(job(inputs=(temporary,)), HeldFiles())

    assert found["temp"].digest is not None and found["temp"].digest.sha256 == sha256("t")


MEANWHILE: dict[str, tuple[Meanwhile, bool | None, bool | None]] = {
    "linked": (lambda path: path.with_name("link").hardlink_to(path), False, False),
    "made read-only": (lambda path: path.chmod(0o444), False, False),
    "touched": (lambda path: os.utime(path, ns=(0, 0)), False, None),
    "replaced by a copy": (lambda path: Path(shutil.copy2(path, path.with_name("copy"))).replace(path), False, None),
    "overwritten": (lambda path: path.write_text("other"), True, None),
    "appended to": (lambda path: path.write_text("first, and more"), True, True),
    "removed": (lambda path: path.unlink(), False, False),
}
"""What happens to an input while its job runs; whether that changed it: where it was read before, and where not."""


@pytest.mark.parametrize("name", MEANWHILE)
@pytest.mark.parametrize("is_known", [True, False])
def test_an_input_changed_only_if_its_bytes_did(digester: Digester, tmp_path: Path, name: str, is_known: bool) -> None:
    """Times, mode and links are not bytes; where nobody read the input before, a change of time proves nothing."""
    meanwhile, if_known, if_unknown = MEANWHILE[name]
    made = fact(tmp_path, "in", "first")
    if is_known:
        digester.observe(job(made), HeldFiles())
    meanwhile(tmp_path / "in")
    after = fingerprint(str(tmp_path / "in"))
    read = FileFact(
        path="in",
        kind="file" if after else "missing",
        fingerprint=after,
        fingerprint_before=made.fingerprint,
    )
    record = job(inputs=(read,))

    (told,) = with_changes(record, digester.observe(record, HeldFiles()))

    assert told.changed_while_reading is (if_known if is_known else if_unknown)


@pytest.mark.parametrize("what", ["changed", "gone"])
def test_a_file_that_is_not_what_it_was_has_no_digest_but_a_reason(
    digester: Digester, tmp_path: Path, what: str
) -> None:
    """A digest of other bytes would be a lie."""
    output = fact(tmp_path, "out", "first")
    if what == "changed":
        (tmp_path / "out").write_text("second, and longer")
    else:
        (tmp_path / "out").unlink()

    (found,) = digester.observe(job(output), HeldFiles()).values()

    assert found.digest is None
    assert found.problem is not None and found.problem == f"{what} before it was digested"


def test_protecting_a_file_after_it_was_seen_does_not_count_as_a_change(digester: Digester, tmp_path: Path) -> None:
    """chmod changes the ctime, not the bytes."""
    output = fact(tmp_path, "out", "o", "protected")
    os.chmod(tmp_path / "out", 0o444)  # noqa: PTH101

    (found,) = digester.observe(job(output), HeldFiles()).values()

    assert found.digest is not None


def test_a_directory_is_digested_by_its_manifest(digester: Digester, tmp_path: Path) -> None:
    """Its members are known by path and digest."""
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "leaf").write_text("l")

    found = digester.observe(job(FileFact(path="tree", kind="directory")), HeldFiles())["tree"]

    assert found.manifest is not None and found.digest is not None
    assert found.digest.sha256 == hashlib.sha256(found.manifest).hexdigest()
    assert {name: one.sha256 for name, one in found.members.items()} == {"leaf": sha256("l")}


@pytest.mark.parametrize("kind", ["missing", "other"])
def test_what_is_no_regular_file_is_never_opened(digester: Digester, tmp_path: Path, kind: str) -> None:
    """A FIFO would block for ever."""
    os.mkfifo(tmp_path / "pipe")

    (found,) = digester.observe(job(FileFact(path="pipe", kind=kind)), HeldFiles()).values()  # type: ignore[arg-type]

    assert found.digest is None and found.problem


def test_a_file_that_a_job_updates_is_two(digester: Digester, tmp_path: Path) -> None:
    """What it held before is known from capture, what it holds now from the disk."""
    before = FileFact(path="x", flags=["before_update"], digest=Digest(sha256("old"), "0" * 32, 3))

    found = digester.observe(job(fact(tmp_path, "x", "old and new", "update"), inputs=(before,)), HeldFiles())

    assert {path_of_key(key) for key in found} == {"x"}
    assert [one.digest and one.digest.sha256 for one in found.values()] == [sha256("old"), sha256("old and new")]
    assert found[key_of(before)].digest == before.digest


def test_a_file_that_was_renamed_and_touched_keeps_its_digest(digester: Digester, tmp_path: Path) -> None:
    """`mv {input} {output}`: Snakemake gives the output another time, which is no change of its bytes."""
    output = fact(tmp_path, "out", "first")
    assert output.fingerprint is not None
    moves: dict[tuple[int, int, int], int] = {}
    first, second = HeldFiles(moves), HeldFiles(moves)
    first.add(HeldFile(output_key(0), "", output.fingerprint), os.open(tmp_path / "out", os.O_RDONLY))
    (tmp_path / "out").rename(tmp_path / "moved")
    os.utime(tmp_path / "moved")
    moved = fact(tmp_path, "moved")
    assert moved.fingerprint is not None
    renamed = HeldFile(output_key(0), "", moved.fingerprint, moved_from_ns=output.fingerprint.mtime_ns)
    second.add(renamed, os.open(tmp_path / "moved", os.O_RDONLY))

    for made, held_files in ((output, first), (moved, second)):
        digest = digester.observe(job(made), held_files)[made.path].digest
        assert digest is not None and digest.sha256 == sha256("first")


FOLDER = "folder"


def made(folder: Path, digester: Digester) -> tuple[FileFact, Observation]:
    """Let a job make a directory: what is recorded of it, and what is found of it."""
    place = folder / FOLDER
    (place / "deep").mkdir(parents=True)
    (place / "one").write_text("1")
    (place / "deep" / "two").write_text("2")
    members = list_directory(str(place))
    output = FileFact(path=FOLDER, kind="directory", fingerprint=stamp(str(place)), listing=listing_digest(members))
    held = HeldFiles()
    held.take_listing(Listing("job", output_key(0), str(place), members))
    return output, digester.observe(job(output), held)[FOLDER]


def add(place: Path) -> None:
    (place / "three").write_text("3")


def remove(place: Path) -> None:
    (place / "one").unlink()


def change(place: Path) -> None:
    (place / "one").write_text("another")


def add_deep(place: Path) -> None:
    (place / "deep" / "three").write_text("3")


@pytest.mark.parametrize("meanwhile", [add, remove, change, add_deep])
def test_a_directory_is_what_its_job_left_however_it_changed_since(
    digester: Digester, tmp_path: Path, meanwhile: Callable[[Path], None]
) -> None:
    """From the listing made when the job ended: what came is not in it, what is gone or changed cannot be read."""
    place = tmp_path / FOLDER
    (place / "deep").mkdir(parents=True)
    (place / "one").write_text("1")
    (place / "deep" / "two").write_text("2")
    members = list_directory(str(place))
    output = FileFact(path=FOLDER, kind="directory", fingerprint=stamp(str(place)), listing=listing_digest(members))
    meanwhile(place)
    held = HeldFiles()
    held.take_listing(Listing("job", output_key(0), str(place), members))

    found = digester.observe(job(output), held)[FOLDER]

    known = {"one": sha256("1"), "deep/two": sha256("2")}
    if meanwhile in (remove, change):
        del known["one"]
    assert {path: digest.sha256 for path, digest in found.members.items()} == known
    assert found.manifest is not None and b"three" not in found.manifest
    assert (b"unreadable" in found.manifest) == (meanwhile in (remove, change))


@pytest.mark.parametrize("meanwhile", [add, remove, change, add_deep])
def test_without_the_listing_a_directory_that_changed_has_no_digest(
    digester: Digester, tmp_path: Path, meanwhile: Callable[[Path], None]
) -> None:
    """As when the delivering process was killed: the record tells that it changed, not what it was."""
    output, unchanged = made(tmp_path, digester)
    assert Digester(str(tmp_path), DigestCache(None)).observe(job(output), HeldFiles())[FOLDER].digest is not None
    meanwhile(tmp_path / FOLDER)

    found = Digester(str(tmp_path), DigestCache(None)).observe(job(output), HeldFiles())[FOLDER]

    assert unchanged.digest is not None
    assert found.digest is None and found.problem is not None and "changed" in found.problem


@pytest.mark.parametrize("meanwhile", [add, remove, change, add_deep])
@pytest.mark.parametrize("when", ["before", "while", "after"])
def test_a_directory_was_read_as_it_was_made_or_it_is_not_known(
    digester: Digester, tmp_path: Path, meanwhile: Callable[[Path], None], when: str
) -> None:
    """Names that came or went show in the directory's time; what else changed may have changed at any moment."""
    _, left = made(tmp_path, digester)
    place = tmp_path / FOLDER
    if when == "before":
        meanwhile(place)
    began = stamp(str(place))
    if when == "while":
        meanwhile(place)
    ended = stamp(str(place))
    if when == "after":
        meanwhile(place)
    before = None if began == ended else began
    read = FileFact(path=FOLDER, kind="directory", fingerprint=ended, fingerprint_before=before)

    found = digester.observe(job(inputs=(read,)), HeldFiles())[FOLDER]

    if meanwhile in (change, add_deep):
        assert found.digest is None and found.problem is not None
    elif when == "before":
        assert found.digest is not None and found.digest != left.digest
    else:
        assert found.digest == left.digest


def read(folder: Path, digester: Digester, *, began: bool = True, **more: object) -> Observation:
    """Let a job read the directory, as it is now."""
    seen = stamp(str(folder / FOLDER)) if began else None
    fact = FileFact(path=FOLDER, kind="directory", fingerprint=seen, **more)  # type: ignore[arg-type]
    return digester.observe(job(inputs=(fact,)), HeldFiles())[FOLDER]


def test_a_directory_that_no_recorded_job_made_was_read_as_it_is(digester: Digester, tmp_path: Path) -> None:
    """A raw input, like a file."""
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "one").write_text("1")

    assert {path: one.sha256 for path, one in read(tmp_path, digester).members.items()} == {"one": sha256("1")}


def test_a_directory_that_is_gone_before_it_could_be_read_is_not_known(digester: Digester, tmp_path: Path) -> None:
    """What its job left in it may have changed before it was read."""
    _, left = made(tmp_path, digester)
    shutil.rmtree(tmp_path / FOLDER)

    found = read(tmp_path, digester)
    other = Digester(str(tmp_path), DigestCache(None))

    assert left.digest is not None and found.digest is None
    assert found.problem is not None and "may have changed" in found.problem
    unknown = read(tmp_path, other)
    assert unknown.digest is None and unknown.problem is not None and "may have changed" not in unknown.problem


def test_names_that_came_and_went_leave_a_directory_as_it_was(digester: Digester, tmp_path: Path) -> None:
    """Before its reader began and after: the time of the directory says nothing, its listing does."""
    _, left = made(tmp_path, digester)
    place = tmp_path / FOLDER
    os.utime(place)
    seen = FileFact(path=FOLDER, kind="directory", fingerprint=stamp(str(place)))
    os.utime(place)

    assert digester.observe(job(inputs=(seen,)), HeldFiles())[FOLDER].digest == left.digest


def test_a_directory_that_changed_before_and_after_its_reader_began_is_not_known(
    digester: Digester, tmp_path: Path
) -> None:
    """It is neither what its job left nor what is there now."""
    made(tmp_path, digester)
    place = tmp_path / FOLDER
    add(place)
    seen = FileFact(path=FOLDER, kind="directory", fingerprint=stamp(str(place)))
    remove(place)

    assert digester.observe(job(inputs=(seen,)), HeldFiles())[FOLDER].digest is None


def test_a_directory_whose_time_nobody_took_is_not_known_once_names_came_or_went(
    digester: Digester, tmp_path: Path
) -> None:
    """Nor does it fail the recording of its job."""
    made(tmp_path, digester)
    add(tmp_path / FOLDER)

    found = read(tmp_path, digester, began=False)

    assert found.digest is None and found.problem is not None


def test_a_directory_is_what_its_reader_listed_although_it_changed_since(digester: Digester, tmp_path: Path) -> None:
    """The listing of that moment is the one that its job left."""
    output, left = made(tmp_path, digester)
    change(tmp_path / FOLDER)

    assert read(tmp_path, digester, listing=output.listing).digest == left.digest


@pytest.mark.parametrize(
    ("limits", "is_remembered"),
    [
        ({}, [True, True, True]),
        ({"DIRECTORIES_REMEMBERED_MAX": 3}, [True, True, True]),
        ({"DIRECTORIES_REMEMBERED_MAX": 2}, [False, True, True]),
        ({"MEMBERS_REMEMBERED_MAX": 6}, [True, True, True]),
        ({"MEMBERS_REMEMBERED_MAX": 5}, [False, True, True]),
        ({"MEMBERS_REMEMBERED_MAX": 1}, [False, False, True]),
    ],
)
def test_the_directories_made_last_are_remembered(
    digester: Digester,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limits: dict[str, int],
    is_remembered: list[bool],
) -> None:
    """As many as there is room for, at least one; one that is made again counts once, as made last."""
    for name, limit in limits.items():
        monkeypatch.setattr(directories, name, limit)
    names = ["first", "second", "third"]
    for name in ("second", *names):
        place = tmp_path / name
        place.mkdir(exist_ok=True)
        (place / "one").touch()
        (place / "two").touch()
        digester.observe(job(FileFact(path=name, kind="directory")), HeldFiles())
    for name in names:
        (tmp_path / name / "one").write_text("changed")

    facts = [FileFact(path=name, kind="directory") for name in names]
    found = digester.observe(job(inputs=tuple(facts)), HeldFiles())

    # What is known to have been something else is not taken for what was read.
    assert [found[name].digest is None for name in names] == is_remembered


def test_a_directory_before_its_update_is_what_was_listed(digester: Digester, tmp_path: Path) -> None:
    """`update(directory())`: without a listing nothing is known of it."""
    place = tmp_path / FOLDER
    place.mkdir()
    (place / "one").write_text("1")
    members = list_directory(str(place))
    before = FileFact(path=FOLDER, kind="directory", flags=["before_update"], listing=listing_digest(members))
    held = HeldFiles()
    held.take_listing(Listing("job", before_key(FOLDER), str(place), members))
    add(place)

    known = digester.observe(job(inputs=(before,)), held)
    unknown = Digester(str(tmp_path), DigestCache(None)).observe(job(inputs=(before,)), HeldFiles())

    (one,), (other,) = known.values(), unknown.values()
    assert list(one.members) == ["one"]
    assert other.digest is None and other.problem is not None
