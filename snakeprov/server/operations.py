"""What each service does, in words and types: the source of the API's description and of its reference.

Must not know: how anything is done. The tests see to it that every route is described here, and truly.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from snakeprov.model import answers
from snakeprov.model.entities import Entity, FileHandle
from snakeprov.model.planned import RunPlan
from snakeprov.model.records import StoredRun
from snakeprov.server import (
    acl,
    activities,
    affected,
    batch,
    bundles,
    children,
    contents,
    current,
    details,
    entities,
    evidence,
    filehandles,
    generated,
    history,
    jobs,
    legacy,
    lineage,
    localfiles,
    lookup,
    messages,
    plans,
    profiles,
    pruning,
    requirements,
    runs,
    search,
    status,
    trash,
    uploads,
    versions,
    wire,
)
from snakeprov.server import annotations as annotation_resource
from snakeprov.server import synapseanswers as synapse
from snakeprov.server.routes import Handler


class Operation(NamedTuple):
    """One service.

    Attributes:
        summary: What it does.
        body: The type of the JSON body; None: it has none.
        answer: The type of the JSON answer; None: it has none.
        status: The status of success.
        query: The names of its query parameters; a `!` marks one that is required.
        note: How the design of 2012, today's Synapse and this server differ; empty where they do not. Goes on from
            "Differs:".
    """

    summary: str
    answer: Any = None
    body: Any = None
    status: int = 200
    query: str = ""
    note: str = ""


_PAGED = "limit offset"
_CREATOR = (
    "in the design only the creator of an activity may connect it to an entity (403); today's Synapse lets everybody "
    "who may read the activity. Here: the creator."
)
_BUNDLE = (
    "the design has bundles with annotations in their old form; today's clients know `bundle2` only. Both are here, "
    f"and add to the annotations that there are. For `generatedBy`: {_CREATOR}"
)
_MEANS = "meaning meaningOf meaningOfVersion whileJob mode"
_MEANING = (
    "`meaning`, `meaningOf` and `meaningOfVersion` are snakeprov's: they say what the bytes of a new version mean, "
    "where its activity does not say it: those of an earlier version of the file again, edited by hand after a version "
    "(`whileJob`: while this job ran), or the same content as a version of another file. An activity of another user "
    "can be named where the version has the bytes again that it made, or lies in a directory that it made. `mode`, "
    "snakeprov's too, are the permissions that the file of a new version had."
)
_NO_INHERITING = "A new version never inherits the activity of the one before it."
_CREATED = "today's Synapse answers 201; here it is 200. Its client takes both."
_LIMITS = "Synapse has 10 000 children in a container and 50 levels; here there are no such bounds."

OPERATIONS: dict[Handler, Operation] = {
    status.greet: Operation("Says that somebody answers.", synapse.Nothing),
    profiles.own: Operation("The user who asks.", synapse.UserProfile),
    profiles.read: Operation("A user.", synapse.UserProfile),
    profiles.teams: Operation("The teams of a user: always empty.", answers.Page[synapse.Nothing]),
    profiles.headers: Operation(
        "Users whose names begin with a text, in any case. Synapse's client asks until a page is empty.",
        synapse.UserGroupHeaders,
        query=f"prefix {_PAGED}",
    ),
    messages.send: Operation(
        "A note to oneself, which is dropped.",
        dict[str, Any],
        messages.MessageBody,
        201,
        note="Synapse sends mail to any user; here a note to somebody else is refused (403).",
    ),
    entities.create: Operation(
        "Makes a project, a folder or a file.",
        Entity,
        wire.EntityBody,
        201,
        f"generatedBy {_MEANS}",
        f"{_CREATOR} {_MEANING} Synapse allows letters, digits, spaces and `_,.-+()'` in names; here a name can be any "
        f"that a file can have. {_LIMITS}",
    ),
    entities.read: Operation("An entity.", Entity, query="versionNumber"),
    entities.read_version: Operation("An entity at a version.", Entity),
    entities.update: Operation(
        "Changes an entity, with its etag; other content, or `newVersion`, makes a new version of a file. "
        f"{_NO_INHERITING} `generatedBy=-1` removes the link.",
        Entity,
        wire.EntityBody,
        query=f"newVersion generatedBy {_MEANS}",
        note=f"{_CREATOR} {_MEANING}",
    ),
    versions.create: Operation(
        f"Makes the next version of a file. {_NO_INHERITING}",
        Entity,
        wire.EntityBody,
        query=f"generatedBy {_MEANS}",
        note="in the design; deprecated in today's Synapse in favour of `newVersion=true`. Here as designed. For "
        f"`generatedBy`: {_CREATOR}",
    ),
    versions.listing: Operation(
        "The versions of an entity, newest first.",
        answers.Page[synapse.VersionInfo],
        query=_PAGED,
        note="today's Synapse estimates `totalNumberOfResults`; here it is the true number.",
    ),
    trash.remove: Operation(
        "Puts an entity and everything below it into the trash, or deletes it for good. What is in the trash answers "
        "404, and its name is free.",
        status=204,
        query="skipTrashCan",
        note="Synapse has services that look into the trash and restore from it; here there are none, and whoever made "
        "something can delete it from there with `skipTrashCan=true`.",
    ),
    trash.remove_version: Operation(
        "Deletes a version for good; one that is not there is no error, and the last one cannot be deleted.",
        status=204,
    ),
    bundles.create_legacy: Operation(
        "Makes an entity with its annotations.",
        synapse.LegacyBundle,
        bundles.LegacyBundleBody,
        201,
        "generatedBy",
        _BUNDLE,
    ),
    bundles.update_legacy: Operation(
        "Changes an entity and adds annotations.",
        synapse.LegacyBundle,
        bundles.LegacyBundleBody,
        query="generatedBy",
        note=_BUNDLE,
    ),
    bundles.create: Operation(
        "Makes an entity with its annotations.", synapse.Bundle, bundles.BundleBody, 201, "generatedBy", _CREATOR
    ),
    bundles.update: Operation(
        "Changes an entity and adds to its annotations; never forces a version.",
        synapse.Bundle,
        bundles.BundleBody,
        query="generatedBy",
        note=_CREATOR,
    ),
    bundles.read: Operation(
        "An entity and what belongs to it.",
        synapse.Bundle,
        bundles.BundleRequest,
        note="for a version Synapse gives the activity of the current one; here it is that version's. "
        "What snakeprov has not got (tables, wikis, DOIs, threads) is left out.",
    ),
    children.child: Operation("The child of a name.", synapse.EntityId, children.ChildBody),
    children.children: Operation(
        "A page of children, fifty at a time; types that are unknown here are ignored.",
        synapse.ChildrenPage,
        children.ChildrenBody,
    ),
    children.with_md5: Operation(
        "The file versions whose content has an md5.",
        answers.Page[synapse.EntityHeader],
        note="here only contents whose md5 is known are found: those up to 64 KiB, those uploaded or recorded over a "
        "network, and those whose file handle somebody has asked for.",
    ),
    children.header: Operation("An entity as listings show it.", synapse.EntityHeader),
    children.path: Operation("From the root to an entity.", synapse.EntityPath),
    acl.read: Operation(
        "The access list of a project.",
        synapse.AccessControlList,
        note="in Synapse every entity can have a list of its own; here projects have, and what is inside inherits.",
    ),
    acl.replace: Operation("Replaces the access list of a project.", synapse.AccessControlList, acl.AclBody),
    acl.create: Operation(
        "Refused: a project has a list, and nothing else can.",
        synapse.AccessControlList,
        note="in Synapse this gives an entity a list of its own.",
    ),
    acl.remove: Operation(
        "Refused: the list of a project stays.", status=204, note="in Synapse this ends an entity's own list."
    ),
    acl.told: Operation("What the user may do with an entity.", dict[str, Any]),
    acl.benefactor: Operation("The project whose access list holds for an entity.", synapse.EntityHeader),
    requirements.listing: Operation("Access requirements: always empty.", answers.Page[synapse.Nothing]),
    requirements.lock: Operation(
        "Refused: there are no access requirements, so nothing can be locked by one.",
        synapse.Nothing,
        note="Synapse locks the entity until its staff has looked at it.",
    ),
    requirements.wiki: Operation("404: there are no wikis.", answers.Page[synapse.Nothing]),
    legacy.read: Operation(
        "Annotations in the form of 2012.",
        LegacyAnnotations := legacy.LegacyAnnotations,
        note="the same annotations as `annotations2`. Today's Synapse still has this form, deprecated. Both are here.",
    ),
    legacy.read_version: Operation(
        "Annotations of a version in the form of 2012.",
        LegacyAnnotations,
        note="PUT of the annotations of a version is 405, in the design and here.",
    ),
    legacy.replace: Operation("Replaces the annotations, with the etag.", LegacyAnnotations, LegacyAnnotations),
    annotation_resource.read: Operation("Annotations.", synapse.AnnotationsAnswer),
    annotation_resource.read_version: Operation("Annotations of a version.", synapse.AnnotationsAnswer),
    annotation_resource.replace: Operation(
        "Replaces the annotations, with the etag.",
        synapse.AnnotationsAnswer,
        annotation_resource.AnnotationsBody,
        note="Synapse allows letters, digits, underscores and dots in their names; here a name can be any text.",
    ),
    generated.read: Operation(
        "The activity that generated a version; 404 without one.",
        synapse.ActivityAnswer,
        note="today's Synapse asks only whether the activity may be read; here the entity must be readable as well.",
    ),
    generated.connect: Operation(
        "Says which activity generated a version; the etag of the entity changes.",
        synapse.ActivityAnswer,
        query="generatedBy!",
        note=f"{_CREATOR} `generatedBy=-1` removes the link and answers 204; in today's Synapse it ends in 404.",
    ),
    generated.disconnect: Operation("Removes the link to the activity, which stays.", status=204),
    activities.create: Operation(
        "Makes an activity; what it used without naming a version is pinned to the current one.",
        synapse.ActivityAnswer,
        wire.ActivityBody,
        201,
        note="`activityType` is of the design, and not in today's Synapse; it is kept here. Used URLs came after the "
        "design, and today's Synapse takes those with a scheme that Java knows; here any scheme. "
        f"Here an activity can have used at most {activities.USED_MAX} things.",
    ),
    activities.read: Operation(
        "An activity: for its creator, and for everybody who may read something that it generated.",
        synapse.ActivityAnswer,
    ),
    activities.update: Operation(
        "Changes an activity: its creator, with the etag.",
        synapse.ActivityAnswer,
        wire.ActivityBody,
        note="today's Synapse changes the activity that the body names and ignores the path; here they must agree.",
    ),
    activities.remove: Operation(
        "Deletes an activity: its creator, and only while no version refers to it, not even one in the trash.",
        status=204,
        note="a missing activity is 404 in the design and 204 today. Here: 404.",
    ),
    activities.generated: Operation(
        "The versions that an activity generated, and how many.", answers.Page[synapse.ReferenceAnswer], query=_PAGED
    ),
    uploads.destination: Operation("Where files are uploaded to.", synapse.UploadDestination),
    uploads.start: Operation(
        "Begins an upload in parts, or tells how far the same one has come.",
        synapse.UploadStatus,
        uploads.UploadBody,
        query="forceRestart",
        note="Synapse refuses an empty file, and holds the file's name to the rule for entities; here both are taken. "
        "Synapse has parts of up to 5 GiB; here they are up to 1 GiB. "
        f"{_CREATED[0].upper()}{_CREATED[1:]}",
    ),
    uploads.urls: Operation("Where to PUT the bytes of parts.", synapse.PartUrls, uploads.PartsBody, note=_CREATED),
    uploads.add: Operation("Says that a part was sent.", synapse.AddedPart, query="partMD5Hex!", note=_CREATED),
    uploads.complete: Operation("Makes the file handle of a complete upload.", synapse.UploadStatus, note=_CREATED),
    filehandles.read: Operation("A file handle: for its creator.", FileHandle),
    filehandles.batch: Operation(
        "File handles and URLs of their bytes, or why the user cannot have them.",
        synapse.FileResults,
        filehandles.FilesBody,
        note=_CREATED,
    ),
    filehandles.copy: Operation(
        "The same contents under other names, as the user's own.", synapse.CopyResults, filehandles.CopiesBody, 201
    ),
    filehandles.create_external: Operation(
        "A file handle for a file that is elsewhere.", FileHandle, filehandles.ExternalBody, 201
    ),
    status.about: Operation("What answers here.", answers.About),
    status.read: Operation("How much the store holds.", answers.Status),
    localfiles.register: Operation(
        "File handles for files of the server's own machine, where the server allows it.",
        answers.LocalFileResults,
        localfiles.LocalFilesBody,
    ),
    pruning.prune: Operation(
        "Removes the bytes of versions, or with `dryRun` tells which; everything that is recorded stays. For whoever "
        "may delete from the project; a content that something else has as well stays, and so does what was executed.",
        answers.Pruned,
        pruning.PruneBody,
    ),
    lookup.at_paths: Operation("What is recorded at some paths of a project.", answers.Lookup, lookup.LookupBody),
    evidence.read: Operation(
        "What is recorded that may explain bytes seen at some paths of a project, in the order asked: an earlier "
        "version of the file, the current one, a version of another file, when the current one was read first.",
        answers.EvidenceResults,
        evidence.EvidenceBody,
    ),
    details.read: Operation(
        "What is known of many versions and jobs: those that the user may see, in the order asked.",
        answers.Details,
        details.DetailsBody,
    ),
    lookup.files: Operation(
        "The files at a path, or the paths that resemble it.", answers.Matches, query="path! project"
    ),
    lookup.paths: Operation(
        "Paths of files that begin in a way, in order.", answers.Paths, query="prefix! project limit"
    ),
    contents.listing: Operation(
        "The versions that have a content, newest first: by its digest, or at least 8 of its first digits.",
        answers.SameContent,
        query="sha256 md5 limit",
    ),
    current.listing: Operation(
        "The files of a project at their current versions, by path; `next` is what to give as `after` to go on.",
        answers.CurrentFiles,
        query="project! under after limit",
    ),
    runs.listing: Operation("Runs, newest first.", answers.Page[answers.Run], query=_PAGED),
    runs.put: Operation("Makes a run (201) or replaces it (200).", answers.Run, StoredRun, 201),
    runs.read: Operation("A run, by its id or the beginning of it.", answers.Run),
    runs.jobs_of: Operation(
        "The jobs of a run, in the order in which they ended.", answers.Page[answers.JobSummary], query=_PAGED
    ),
    runs.outputs_of: Operation("What a run made, newest last.", answers.Page[answers.MadeVersion], query=_PAGED),
    plans.put: Operation(
        "Keeps every job of a run's DAG, in place of what was kept before.", answers.PlanKept, RunPlan
    ),
    plans.read: Operation(
        "Every job of a run's DAG: executed, failed, interrupted, reused, edited, not needed or not reached.",
        answers.Plan,
        query=_PAGED,
    ),
    jobs.create: Operation("Records a job, once.", answers.JobId, jobs.JobBody, 201),
    jobs.read: Operation("A job.", answers.RecordedJob),
    jobs.of_activity: Operation("The job from which an activity was recorded.", answers.RecordedJob),
    history.listing: Operation("The versions of an entity and how they came to be.", answers.History, query=_PAGED),
    history.story: Operation("One version, and its latest making: activity, job and run.", answers.Story),
    history.stories: Operation(
        "The stories of several versions, in order: of their latest making; with `activityId` of the making by that "
        "activity; with `readerActivityId` of the making that an activity had before it. Null for what there is not or "
        "may not be read.",
        answers.Stories,
        history.StoriesBody,
    ),
    lineage.graph: Operation(
        "What a version comes from, or what comes from it. `depth` counts activities, and links between versions that "
        "no activity made.",
        answers.Lineage,
        query="entityId! versionNumber direction depth limit",
    ),
    search.results: Operation(
        "What was made with a rule, a value, at a commit, …: versions and the jobs that made them, the latest first.",
        answers.SearchResults,
        search.SearchBody,
    ),
    affected.versions: Operation(
        "Everything that came from some versions, or from what jobs made: those of a rule, of a run, at a commit. What "
        "only evidence links comes last.",
        answers.AffectedVersions,
        affected.AffectedBody,
    ),
    batch.run: Operation(
        "Many requests in one transaction, each able to use the answers to those before it.",
        answers.BatchResults,
        batch.BatchBody,
    ),
}
