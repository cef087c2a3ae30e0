"""Two stories compared fact by fact, texts line by line, and changed inputs followed upstream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from snakeprov.lineage import causes
from snakeprov.lineage.causes import Sources, Trace, made_before, trace
from snakeprov.lineage.changes import Change
from snakeprov.lineage.difference import compare
from snakeprov.lineage.jobdifference import compare_all
from snakeprov.lineage.textdifference import (
    LINES_MAX,
    SHOWN_LINES_MAX,
    SIZE_BYTES_MAX,
    text_difference,
)
from snakeprov.lineage.unrecorded import GitAnswer, Unrecorded, unrecorded
from snakeprov.lineage.values import differing
from snakeprov.model.answers import JobFile, RecordedJob, Story
from snakeprov.model.records import CodeFact, FileFact, JobKind, StoredJob

from ..answers import entity_of, job_file, making, named, told_run, told_story, told_version

Json = dict[str, Any]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.text(max_size=3), JSON, max_size=4)


def story(
    path: str,
    *,
    rule: str | None = "fit",
    inputs: Sequence[str] = (),
    code: Sequence[str] = (),
    run: Json | None = None,
    names: Json | None = None,
    **job: Any,
) -> Story:
    """Return the story of `path@version`; without a rule nobody made it."""
    version = told_version(path, sha256=f"sha of {path}")
    if rule is None:
        return told_story(version)
    files = [*(job_file("input", one) for one in inputs), *(job_file("code", one, "executed") for one in code)]
    facts = [FileFact(path=one, name=(names or {}).get(one)) for one in (name.partition("@")[0] for name in inputs)]
    codes = [CodeFact(role="script", path=one.partition("@")[0]) for one in code]
    record = {"id": "1", "run_id": "2", "rule": rule, "status": "success", "inputs": facts, "code": codes, **job}
    return told_story(
        version,
        activity={"id": "7", "name": rule, "used": []},
        job=RecordedJob(job=StoredJob(**record), files=files),
        run=told_run("2", **(run or {})),
    )


def with_files(told: Story, *files: JobFile) -> Story:
    """Return a story whose job had other files."""
    assert told.job is not None
    return replace(told, job=replace(told.job, files=list(files)))


def no_git(old: Any, new: Any) -> GitAnswer:
    return GitAnswer()


def told(old: Story, new: Story) -> list[tuple[str, str, str]]:
    """Return kind, name and action of each cause."""
    return [(one.kind, one.name, one.action) for one in compare(old, new).causes]


def test_every_sort_of_cause_is_found_in_the_order_of_nearness() -> None:
    """Rule, wildcards, params, code, command, environment, then inputs: each with its old and its new value."""
    old = story(
        "r@1",
        inputs=["a@1", "gone@1", "same@1"],
        code=["fit.py@1"],
        wildcards={"s": "x"},
        params={"alpha": 0.1, "opts": {"b": [1, 2]}},
        shellcmd="fit 0.1",
        container="debian:11",
        kind="script",
        run={"python_version": "3.11.2"},
    )
    new = story(
        "r@2",
        rule="fit_all",
        inputs=["a@2", "same@1", "extra@1", "more@1"],
        code=["fit.py@2"],
        wildcards={"s": "y"},
        params={"alpha": 0.2, "opts": {"b": [1, 3]}},
        shellcmd="fit 0.2",
        container="debian:12",
        kind="script",
        run={"python_version": "3.12.1"},
    )
    assert told(old, new) == [
        ("rule", "", "changed"),
        ("wildcard", "s", "changed"),
        ("param", "alpha", "changed"),
        ("param", "opts.b[1]", "changed"),
        ("code", "fit.py", "changed"),
        ("command", "shell command", "changed"),
        ("environment", "container", "changed"),
        ("environment", "Python", "changed"),
        ("input", "a", "changed"),
        ("input", "gone", "removed"),
        ("input", "extra", "added"),
        ("input", "more", "added"),
    ]


def test_a_file_that_was_not_made_by_a_job_has_one_cause_at_most() -> None:
    """Made by hand before or after, that is the cause; raw both times, nothing is known to have caused it."""
    raw, made = story("r@1", rule=None), story("r@2", inputs=["a@1"])
    assert told(raw, made) == [("origin", "", "added")]
    assert told(made, raw) == [("origin", "", "removed")]
    assert told(raw, story("r@2", rule=None)) == []


def test_a_version_of_the_same_bytes_is_no_change() -> None:
    """Where digests are known they decide; where one is not, the version does."""
    new = with_files(story("r@2", inputs=["a@2"]), job_file("input", "a@2", sha256="sha of a@1"))
    assert told(story("r@1", inputs=["a@1"]), new) == []
    new = with_files(new, job_file("input", "a@2", sha256=None))
    assert told(story("r@1", inputs=["a@1"]), new) == [("input", "a", "changed")]


def test_a_renamed_input_is_known_by_its_keyword() -> None:
    """An input of another path under the same keyword is one that was replaced; so is the only one left."""
    old = story("r@1", inputs=["a@1", "x@1"], names={"a": "table"})
    new = story("r@2", inputs=["b@1", "x@1", "y@1"], names={"b": "table"})
    assert [(one.old and one.old.path, one.new.path) for one in compare(old, new).causes] == [("a", "b"), (None, "y")]
    assert told(story("r@1", inputs=["a@1"]), story("r@2", inputs=["b@1"])) == [("input", "b", "changed")]


def test_what_usually_has_no_effect_is_a_circumstance() -> None:
    """Host, threads and versions of tools around a shell command are no causes; nor is config that params repeat."""
    old = story("r@1", kind="shell", threads=1, params={"k": 1}, run={"host": "a", "config": {"k": 1, "z": 0}})
    new = story("r@2", kind="shell", threads=2, params={"k": 2}, run={"host": "b", "config": {"k": 2, "z": 1}})
    difference = compare(old, new)
    assert [one.name for one in difference.causes] == ["k"]
    assert [(one.kind, one.name) for one in difference.circumstances] == [
        ("config", "z"),
        ("circumstance", "host"),
        ("circumstance", "threads"),
    ]


def test_what_a_backfilled_job_does_not_know_did_not_change() -> None:
    """Snakemake's metadata hold no wildcards, names of params or code: only what both sides know is compared."""
    old = story("r@1", inputs=["a@1"], status="backfilled", params={"0": 1}, shellcmd="fit 1")
    new = story("r@2", inputs=["a@2"], code=["fit.py@1"], params={"k": 1}, wildcards={"s": "x"}, shellcmd="fit 2")
    assert told(old, new) == [("command", "shell command", "changed"), ("input", "a", "changed")]
    assert [(one.name, one.old, one.new) for one in compare(old, new).circumstances] == [
        ("record", "backfilled", "recorded")
    ]


@settings(max_examples=60, deadline=None)
@given(OBJECTS, OBJECTS)
def test_values_differ_where_they_do_and_nowhere_else(old: Json, new: Json) -> None:
    """Nothing differs from itself; both ways the same places differ, each named once."""
    assert differing(old, old, limit=1000) == []
    there, back = differing(old, new, limit=1000), differing(new, old, limit=1000)
    assert {one.path for one in there} == {one.path for one in back}
    assert len({one.path for one in there}) == len(there)
    assert bool(there) == (repr_of(old) != repr_of(new))


def repr_of(value: Any) -> Any:
    """Return a value in a form in which 1, 1.0 and true differ, and the order of keys does not matter."""
    if isinstance(value, dict):
        return sorted((key, repr_of(one)) for key, one in value.items())
    if isinstance(value, list):
        return [repr_of(one) for one in value]
    return repr(value + 0.0 if isinstance(value, float) else value)


def test_values_are_looked_into_only_so_deep() -> None:
    """Below the bound two values are compared whole, and the number of differences is bounded."""
    deep: Json = {"end": 1}
    other: Json = {"end": 2}
    for _ in range(50):
        deep, other = {"k": deep}, {"k": other}
    (one,) = differing(deep, other, limit=9)
    assert one.path == ".".join("k" * 20)
    assert len(differing({str(n): 1 for n in range(50)}, {}, limit=9)) == 9


def test_texts_that_cannot_be_compared_say_why() -> None:
    """Bytes that are not kept, binary content, and contents too large or with too many lines."""
    assert text_difference(None, b"a").reason == "bytesNotKept"
    assert text_difference(b"a\0", b"b").reason == "binary"
    assert text_difference(b"a" * (SIZE_BYTES_MAX + 1), b"b").reason == "tooLarge"
    lines = [b"".join(b"%d\n" % (n * k) for n in range(LINES_MAX + 9)) for k in (1, 2)]
    assert text_difference(*lines).reason == "tooLarge"


def test_long_text_differences_are_bounded_and_counted() -> None:
    """A bounded number of lines is kept; the counts of added and removed lines cover all."""
    old, new = (b"".join(b"%s%d\n" % (name, n) for n in range(1000)) for name in (b"a", b"b"))
    difference = text_difference(old, new)
    assert (len(difference.lines), difference.truncated) == (SHOWN_LINES_MAX, True)
    assert (difference.added, difference.removed) == (1000, 1000)
    long = text_difference(b"a\n", b"b" * 10_000)
    assert long.truncated
    assert max(map(len, long.lines)) <= 500


def test_line_ends_and_the_end_of_the_text_are_seen() -> None:
    """A carriage return and a missing line feed at the end make a difference, as for `diff -u`."""
    assert text_difference(b"a\r\n", b"a\n").lines == ("@@ -1 +1 @@", "-a\r", "+a")
    assert text_difference(b"a\n", b"a").lines == ("@@ -1 +1 @@", "-a", "+a", "\\ No newline at end of file")
    assert text_difference(b"", b"a\n").lines == ("@@ -0,0 +1 @@", "+a")


class Repository:
    """Stories by version, and how often it was asked for some."""

    def __init__(self, *stories: Story, texts: dict[str, bytes] | None = None) -> None:
        self.stories = {(one.entity.id, one.version.version_number): one for one in stories}
        self.texts = texts or {}
        self.asked = 0

    def tell(self, wanted: Sequence[causes.Wanted]) -> list[Story | None]:
        self.asked += 1
        return [self.stories.get(one[:2]) for one in wanted]

    def trace(self, old: str, new: str) -> Trace:
        """Return why `new` is not `old`."""
        stories = [self.stories[entity_of(path), number] for path, number in map(named, (old, new))]
        sources = Sources(
            tell=self.tell,
            read=lambda one: self.texts.get(f"{one.path}@{one.version_number}"),
            describe=lambda _: None,
            ask_git=no_git,
        )
        return trace(stories[0], stories[1], sources)


def steps(found: Trace) -> list[tuple[int, str, int, int]]:
    return [
        (one.distance, one.difference.new.path, one.difference.old.version_number, one.difference.new.version_number)
        for one in found.upstream
    ]


def test_changed_inputs_are_followed_to_what_changed_them() -> None:
    """Each pair of versions is followed once, nearest first, in one request a distance."""
    repository = Repository(
        story("r@1", inputs=["m@1", "n@1"]),
        story("r@2", inputs=["m@3", "n@2"]),
        *(story(f"{name}@{number}", rule="clean", inputs=[f"raw@{number}"]) for name in "mn" for number in (1, 2)),
        story("m@3", rule="tidy", inputs=["raw@2"], params={"k": 1}),
        story("raw@1", rule=None),
        story("raw@2", rule=None),
    )
    found = repository.trace("r@1", "r@2")
    assert steps(found) == [(1, "m", 1, 3), (1, "n", 1, 2), (2, "raw", 1, 2)]
    assert [one.kind for one in found.upstream[0].difference.causes] == ["rule", "param", "input"]
    assert (repository.asked, found.truncated) == (2, False)


def test_what_may_not_be_read_is_not_followed() -> None:
    """An input without a story is still told as changed."""
    found = Repository(story("r@1", inputs=["m@1"]), story("r@2", inputs=["m@2"])).trace("r@1", "r@2")
    assert (steps(found), [one.name for one in found.difference.causes]) == ([], ["m"])


def test_files_rewritten_in_place_end_somewhere() -> None:
    """A file whose every version was made from the one before is followed up to the bound, and says so."""
    repository = Repository(
        story("log@1", rule=None), *(story(f"log@{number + 1}", inputs=[f"log@{number}"]) for number in range(1, 40))
    )
    found = repository.trace("log@39", "log@40")
    assert [one[0] for one in steps(found)] == list(range(1, causes.DISTANCE_MAX + 1))
    assert found.truncated
    circle = Repository(story("a@1", inputs=["a@1"]), story("a@2", inputs=["a@2"]))
    assert (steps(circle.trace("a@1", "a@2")), circle.asked) == ([(1, "a", 1, 2)], 1)


def test_of_very_many_changed_inputs_only_some_are_followed() -> None:
    """An aggregate whose inputs all changed names them all and follows a bounded number."""
    names = [f"s{number:03d}x" for number in range(150)]
    repository = Repository(
        *(story(f"all@{number}", inputs=[f"{name}@{number}" for name in names]) for number in (1, 2)),
        *(story(f"{name}@{number}", rule=None) for name in names for number in (1, 2)),
    )
    found = repository.trace("all@1", "all@2")
    assert len(found.difference.causes) == 150
    assert (len(found.upstream), found.truncated, repository.asked) == (causes.STEPS_MAX, True, 1)


def test_a_snakefile_that_changed_elsewhere_is_a_circumstance() -> None:
    """Only what defines the rule is its code; where that is not known, any Snakefile of the workflow may be."""

    def jobs(*digests: str | None) -> list[Story]:
        made = [story(f"r@{number}", code=[f"Snakefile@{number}"]) for number in (1, 2)]
        for one, digest in zip(made, digests, strict=True):
            assert one.record is not None
            one.files.append(job_file("workflow", f"other.smk@{one.version.version_number}", "executed"))
            one.record.code[:] = [
                CodeFact(role="snakefile", path="Snakefile", digest=digest),
                CodeFact(role="workflow", path="other.smk"),
            ]
        return made

    def changed(found: Sequence[Change]) -> list[tuple[str, bool]]:
        return [(one.name, one.is_elsewhere) for one in found]

    same = Repository(*jobs("d", "d")).trace("r@1", "r@2").difference
    assert (changed(same.causes), changed(same.circumstances)) == ([], [("Snakefile", True), ("other.smk", True)])
    texts = {"Snakefile@1": b"rule fit:\n    x\n", "Snakefile@2": b"rule fit:\n    y\n"}
    inside = Repository(*jobs("d", "e"), texts=texts).trace("r@1", "r@2").difference
    assert (changed(inside.causes), changed(inside.circumstances)) == ([("Snakefile", False)], [("other.smk", True)])
    assert inside.causes[0].difference is not None
    assert inside.causes[0].difference.added == 1
    unknown = Repository(*jobs(None, "e")).trace("r@1", "r@2").difference
    assert changed(unknown.causes) == [("Snakefile", False), ("other.smk", False)]


def test_packages_of_environments_are_compared_by_name() -> None:
    """If the documents of both environments are available, their packages come before the inputs."""

    def numpy(number: str, build: str) -> Json:
        return {"name": "numpy", "version": number, "build": build}

    documents: dict[str, dict[str, object]] = {
        "j1": {
            "conda": {"packages": [{"name": "numpy", "version": "1.26", "build": "a"}, {"name": "x", "version": "1"}]}
        },
        "j2": {
            "conda": {"packages": [{"name": "numpy", "version": "2.0", "build": "b"}]},
            "container": {"digest": "d"},
        },
    }
    old, new = (
        story(f"r@{n}", inputs=[f"i@{n}"], environment_digest=f"d{n}", environment_file_handle_id="3", id=f"j{n}")
        for n in (1, 2)
    )
    sources = Sources(
        tell=lambda wanted: [None] * len(wanted), read=lambda _: None, describe=documents.get, ask_git=no_git
    )
    found = trace(old, new, sources).difference.causes
    assert [(one.kind, one.name, one.old, one.new) for one in found[:3]] == [
        ("package", "numpy", "1.26 a", "2.0 b"),
        ("package", "x", "1", None),
        ("environment", "container's digest", None, "d"),
    ]
    assert found[3].kind == "input"


def test_the_making_before_is_the_last_that_wrote_the_bytes() -> None:
    """What came after a version is compared with the activity that made its bytes last; nothing precedes the first."""
    once = story("r@1")
    assert made_before(once) is None
    thrice = replace(once, version=replace(once.version, makings=[making(one) for one in "789"]))
    made = [made_before(thrice, one) for one in (None, "9", "8", "7")]
    assert [one and one[2] for one in made] == ["9", "8", "7", None]


def job(rule: str, sample: str, *, inputs: Sequence[str] = (), outputs: Sequence[str] = (), **more: Any) -> RecordedJob:
    """Return a job of a run."""
    made = story("r@1", rule=rule, inputs=inputs, wildcards={"s": sample} if sample else {}, **more).job
    assert made is not None
    made.job.outputs[:] = [FileFact(path=one.partition("@")[0]) for one in outputs]
    made.files.extend(job_file("output", one, "generated") for one in outputs)
    return made


def test_what_the_jobs_of_two_runs_were_given_is_compared() -> None:
    """Each difference once for all jobs that both runs have; what a run made itself is no cause of anything."""
    old = [
        job("a", "x", inputs=["in-x@1"], outputs=["a-x@1"], params={"k": 1}, shellcmd="a 1"),
        job("a", "y", inputs=["in-y@1"], outputs=["a-y@1"], params={"k": 1}, shellcmd="a 1"),
        job("b", "", inputs=["a-x@1", "a-y@1"], outputs=["b@1"], shellcmd="old"),
        job("c", "", inputs=["in-x@1"], outputs=["c@1"], shellcmd="c < in-x"),
        job("d", "", outputs=["only-old@1"], params={"gone": 1}),
    ]
    new = [
        job("a", "x", inputs=["in-x@2"], outputs=["a-x@2"], params={"k": 2}, shellcmd="a 2"),
        job("a", "y", inputs=["in-y@1"], outputs=["a-y@2"], params={"k": 3}, shellcmd="a 3"),
        job("b", "", inputs=["a-x@2", "a-y@2"], outputs=["b@2"], shellcmd="new"),
        job("c", "", inputs=["in-x@2"], outputs=["c@2"], shellcmd="c < in-x"),
        job("a", "new", params={"k": 9}),
    ]
    found = compare_all(old, new, old_run=told_run("1"), new_run=told_run("2"))
    assert [(one.kind, one.name, one.rules, one.jobs, one.varies) for one in found] == [
        ("input", "in-x", ("a", "c"), 2, False),
        ("param", "k", ("a",), 2, True),
    ]
    assert (found[1].old, found[1].new) == (1, 2)
    changed = job("b", "", inputs=["a-x@1", "a-y@1"], outputs=["b@1"], shellcmd="new")
    (command,) = compare_all(old[2:3], [changed], old_run=told_run("1"), new_run=told_run("2"))
    assert (command.kind, command.rules) == ("command", ("b",))


def test_what_cannot_be_compared_is_neither_the_same_nor_another() -> None:
    """Inputs that nobody read and params without a digest are unproved; a digest decides."""
    note = "too large to compare"
    old = story("r@1", inputs=["a@1", "b@1"], params={"t": f"<set of 9000, {note}>", "n": [1, f"… 8 more ({note})"]})
    new = story("r@2", inputs=["a@1", "b@1"], params={"t": f"<set of 9000, {note}>", "n": [1, f"… 9 more ({note})"]})
    old, new = (with_files(one, replace(one.files[0], sha256=None), *one.files[1:]) for one in (old, new))
    found = compare(old, new)
    assert [(one.kind, one.name, one.action) for one in found.causes] == [("param", "n", "changed")]
    assert [(one.kind, one.name, one.action) for one in found.unproved] == [
        ("param", "t", "unknown"),
        ("input", "a", "unknown"),
    ]


def test_the_visible_part_of_a_shortened_value_says_where_it_differs() -> None:
    """Where both sides show it; else the value as a whole differs."""
    first, second = "sha256:" + "0" * 16, "sha256:" + "1" * 16

    def paths(old: Any, new: Any) -> list[tuple[str, str]]:
        return [(one.path, one.action) for one in differing({"v": old}, {"v": new}, limit=99)]

    assert paths(["a", "b", f"… 7 more ({first})"], ["a", "c", f"… 7 more ({second})"]) == [("v[1]", "changed")]
    assert paths(["a", "b", f"… 7 more ({first})"], ["a", "b", f"… 7 more ({second})"]) == [("v", "changed")]
    assert paths(["a", "b", f"… 7 more ({first})"], ["a", f"… 8 more ({first})"]) == []
    assert paths({"a": 1, "…": f"7 more ({first})"}, {"a": 2, "b": 1, "…": f"6 more ({second})"}) == [
        ("v.a", "changed")
    ]
    assert paths(["a", "… 1 more (not comparable)"], ["a", "b"]) == [("v", "unknown")]
    assert paths("<function f, not comparable>", "<function g, not comparable>") == [("v", "changed")]


def test_what_could_explain_a_difference_is_what_no_record_holds() -> None:
    """Software outside of a described environment, files that git knows of, an environment that is only named."""
    packages = {"conda": {"packages": [{"name": "x", "version": "1"}]}}

    def ran(kind: JobKind, **facts: Any) -> StoredJob:
        return StoredJob(id="1", run_id="2", rule="fit", status="success", kind=kind, **facts)

    def software(job: StoredJob, document: Json | None) -> list[str]:
        found = unrecorded([job, job], [document, document], GitAnswer(), recorded=set())
        return [name for one in found for name in one.names]

    assert software(ran("shell"), {}) == ["the versions of the programs that it ran"]
    assert software(ran("script"), None) == ["the versions of the packages that its code loads"]
    assert software(ran("shell", conda_env_path="e.yaml"), packages) == []
    assert software(ran("shell", conda_env_path="e.yaml"), {}) == ["the packages of the conda environment"]
    assert software(ran("shell", container="c"), {"container": {"sha256": "0"}}) == []
    assert software(ran("shell", container="c"), packages) == ["the content of the container c"]
    assert software(ran("shell", env_modules=["r/4", "gcc"]), {}) == ["the content of the modules r/4 gcc"]

    known = ran("shell", conda_env_path="e.yaml")
    answers = [
        GitAnswer(files=("a.sh", "fit.py")),
        GitAnswer(problem="no git"),
        GitAnswer(is_tracked=False),
        GitAnswer(files=("fit.py",)),
    ]
    assert [unrecorded([known] * 2, [packages] * 2, one, recorded={"fit.py"}) for one in answers] == [
        (Unrecorded(kind="files", names=("a.sh",)),),
        (Unrecorded(kind="git", names=("no git",)),),
        (Unrecorded(kind="noGit"),),
        (),
    ]


def test_what_is_unrecorded_is_asked_for_only_where_no_fact_explains_the_bytes() -> None:
    """Neither git nor an environment is asked about versions whose difference is explained, or that do not differ."""
    asked: list[Any] = []

    def ask_git(old: Any, new: Any) -> GitAnswer:
        asked.append((old, new))
        return GitAnswer()

    sources = Sources(tell=lambda _: [], read=lambda _: None, describe=lambda _: None, ask_git=ask_git)
    same = story("r@1")
    assert trace(story("r@1", params={"k": 1}), story("r@2", params={"k": 2}), sources).difference.unrecorded == ()
    assert trace(story("r@1"), same, sources).difference.unrecorded == ()
    assert asked == []
    assert trace(story("r@1"), story("r@2"), sources).difference.unrecorded != ()
    assert len(asked) == 1
