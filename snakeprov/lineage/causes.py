"""Why one version differs from another: how their making differs, and what changed the differing inputs upstream."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from snakeprov.lineage.changes import Change, Difference, FileVersion
from snakeprov.lineage.difference import compare, packages
from snakeprov.lineage.textdifference import text_difference
from snakeprov.lineage.unrecorded import GitAnswer, Unrecorded, unrecorded
from snakeprov.model.answers import Story
from snakeprov.model.records import code_paths

DISTANCE_MAX: Final = 10
"""Default depth of the search, in activities."""

STEPS_MAX: Final = 40
"""Maximum number of changed inputs followed."""

TEXTS_MAX: Final = 20
"""Number of changed code files whose texts are compared."""

Wanted = tuple[str, int, str | None, str | None]
"""Entity, version, and which making: by the activity, or as the reader had it; both None: the latest."""

Tell = Callable[[Sequence[Wanted]], Sequence[Story | None]]
"""Returns the stories of some versions, in order; None for what may not be read."""

Read = Callable[[FileVersion], bytes | None]
"""Returns the bytes of a version, or None if they are not available."""

Describe = Callable[[str], dict[str, object] | None]
"""Returns the document of the environment of a job by the id of the job, or None."""


AskGit = Callable[[Story, Story], GitAnswer]
"""Returns which tracked files differ between the runs of two stories."""


class Step(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An input that differs, and how its two versions were made.

    Attributes:
        distance: How many activities lie between it and the version that was asked about.
        difference: How its two versions differ.
    """

    distance: int
    difference: Difference


class Trace(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Why one version differs from another.

    Attributes:
        difference: Of the two versions.
        upstream: Their inputs that differ, nearest first, each pair once.
        truncated: Whether more inputs differ than were followed.
    """

    difference: Difference
    upstream: tuple[Step, ...] = ()
    truncated: bool = False


class Sources:
    """The sources of a trace; each text is fetched once. Not thread-safe."""

    def __init__(self, *, tell: Tell, read: Read, describe: Describe, ask_git: AskGit) -> None:
        self.tell = tell
        self.ask_git = ask_git
        self._read = read
        self._describe = describe
        self._texts: dict[FileVersion, bytes | None] = {}

    def text(self, version: FileVersion) -> bytes | None:
        """Return the bytes of a version; None if they are not available, or enough has been read."""
        if version not in self._texts:
            within = len(self._texts) < 2 * TEXTS_MAX
            self._texts[version] = self._read(version) if within else None
        return self._texts[version]

    def environment(self, story: Story) -> dict[str, object] | None:
        """Return the document of the environment of a job."""
        job = story.record
        return None if job is None or job.environment_file_handle_id is None else self._describe(job.id)


def trace(old: Story, new: Story, sources: Sources, *, distance_max: int = DISTANCE_MAX) -> Trace:
    """Return how two stories differ, and what changed the differing inputs, as far upstream as the limits allow.

    Args:
        old: A story.
        new: Another.
        sources: Whom to ask for more.
        distance_max: How many activities, one behind another, are looked through.
    """
    difference = _explained(old, new, sources)
    steps: list[Step] = []
    frontier, followed, truncated = [difference], set[_Versions](), False
    for distance in range(1, distance_max + 1):
        wanted: dict[_Versions, _Pair] = {}
        for pair in (pair for one in frontier for pair in _changed_inputs(one)):
            if _versions_of(pair) not in followed:
                wanted.setdefault(_versions_of(pair), pair)
        room = STEPS_MAX - len(steps)
        truncated = truncated or len(wanted) > room
        followed.update(wanted)
        frontier = _differences(list(wanted.values())[:room], sources)
        steps += [Step(distance=distance, difference=one) for one in frontier]
        if not frontier:
            break
    beyond = (pair for one in frontier for pair in _changed_inputs(one))
    truncated = truncated or any(_versions_of(pair) not in followed for pair in beyond)
    return Trace(difference=difference, upstream=tuple(steps), truncated=truncated)


def made_before(story: Story, activity_id: str | None = None) -> Wanted | None:
    """Return which making to compare with what came after it; None if there is none.

    Args:
        story: Of the version.
        activity_id: One of the activities that made its bytes; selects the making before that one. None: the latest.
    """
    makings = [one.activity_id for one in story.version.makings]
    if activity_id in makings:
        makings = makings[: makings.index(activity_id)]
    return (story.entity.id, story.version.version_number, makings[-1], None) if makings else None


def as_first_seen(story: Story, sources: Sources) -> Story | None:
    """Return the story of a version when it was new, from the activity that generated it, if any.

    A job that made the bytes of a raw input later did not make the version differ from the one before.
    """
    version = story.version
    generated_by = version.generated_by
    if generated_by is None:
        return msgspec.structs.replace(story, activity=None, job=None, run=None)
    if generated_by == version.activity_id:
        return story
    (first,) = sources.tell([(story.entity.id, version.version_number, generated_by, None)])
    return first


def since_the_version_before(story: Story, sources: Sources, distance_max: int | None = None) -> Trace | None:
    """Return why a version differs from the one before; None if there is none, or if the user may not read it.

    The first making of the version is compared with the last of the one before: what changed then made the difference.
    """
    number = story.previous_version_number
    if number is None:
        return None
    (old,) = sources.tell([(story.entity.id, number, None, None)])
    new = as_first_seen(story, sources)
    if old is None or new is None:
        return None
    return trace(old, new, sources, distance_max=distance_max or DISTANCE_MAX)


def made_again(story: Story, sources: Sources, distance_max: int | None = None) -> Trace | None:
    """Return how the last making of the bytes of a version differs from the one before; None: there was one at most."""
    last = made_before(story)
    before = None if last is None else made_before(story, last[2])
    if last is None or before is None:
        return None
    old, new = sources.tell([before, last])
    if old is None or new is None:
        return None
    return trace(old, new, sources, distance_max=distance_max or DISTANCE_MAX)


_Pair = tuple[Wanted, Wanted]
"""An input on the old and on the new side, each as its reader had it."""

_Versions = tuple[tuple[str, int], tuple[str, int]]


def _versions_of(pair: _Pair) -> _Versions:
    old, new = pair
    return old[:2], new[:2]


def _changed_inputs(difference: Difference) -> list[_Pair]:
    readers = difference.old.activity_id, difference.new.activity_id
    return [
        (
            (change.old.entity_id, change.old.version_number, None, readers[0]),
            (change.new.entity_id, change.new.version_number, None, readers[1]),
        )
        for change in difference.causes
        if change.kind == "input"
        and change.action == "changed"
        and change.old.version_number is not None
        and change.new.version_number is not None
    ]


def _differences(pairs: Sequence[_Pair], sources: Sources) -> list[Difference]:
    """Return how the versions of each pair differ, without pairs that may not be read."""
    if not pairs:
        return []
    told = list(sources.tell([side for pair in pairs for side in pair]))
    return [
        _explained(old, new, sources)
        for old, new in zip(told[::2], told[1::2], strict=True)
        if old is not None and new is not None
    ]


def _explained(old: Story, new: Story, sources: Sources) -> Difference:
    """Compare two stories, and look into the texts of code and the packages of environments that differ."""
    difference = compare(old, new)
    causes = [_with_text(change, sources) for change in difference.causes]
    if difference.new.origin == "job" and difference.old.origin == "job":
        documents = [sources.environment(story) for story in _differing_environments(old, new)]
        if len(documents) == 2 and documents[0] is not None and documents[1] is not None:
            place = next((n for n, one in enumerate(causes) if one.kind == "input"), len(causes))
            causes[place:place] = packages(documents[0], documents[1])
    difference = msgspec.structs.replace(difference, causes=tuple(causes))
    return msgspec.structs.replace(difference, unrecorded=_unrecorded(old, new, difference, sources))


def _unrecorded(old: Story, new: Story, difference: Difference, sources: Sources) -> tuple[Unrecorded, ...]:
    """Return what could explain different bytes if no recorded fact does."""
    jobs = old.record, new.record
    if difference.causes or difference.same_bytes or jobs[0] is None or jobs[1] is None:
        return ()
    # No fact differs, so whatever either job names is the same for both, unless it is unproved.
    unproved = {one.name for one in difference.unproved}
    recorded = {one.path for one in new.files if one.role != "output"} - unproved
    recorded |= {place for place, path in code_paths(jobs[1]).items() if path in recorded}
    return unrecorded(
        [jobs[0], jobs[1]],
        [sources.environment(story) for story in (old, new)],
        sources.ask_git(old, new),
        recorded=recorded,
    )


def _with_text(change: Change, sources: Sources) -> Change:
    """Return a change of code or of an environment's file with how the texts differ."""
    old, new = change.old, change.new
    if change.kind not in ("code", "environment") or not (
        isinstance(old, FileVersion) and isinstance(new, FileVersion)
    ):
        return change
    return msgspec.structs.replace(change, difference=text_difference(sources.text(old), sources.text(new)))


def _differing_environments(old: Story, new: Story) -> list[Story]:
    digests = [story.record and story.record.environment_digest for story in (old, new)]
    return [] if digests[0] == digests[1] else [old, new]
