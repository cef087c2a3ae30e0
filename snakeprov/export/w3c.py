"""Write an export as a W3C PROV document, in any of its notations.

Source: PROV-DM (W3C Recommendation of 30 April 2013); PROV-JSON, PROV-N, PROV-XML, PROV-O.

What is an entity in the store is one here; a job and a run are activities; who called Snakemake, Snakemake and
snakeprov are agents; a rule as its Snakefile had it is a plan. In PROV nothing is generated twice, and nothing is used
before it is generated: what was made first generates the version; bytes that were made once more are an entity of
their own, an alternate of the version, and so are bytes that were used before all that is known to have made them. Who
used a version used the entity that it had. A version that was edited by hand is a revision of the one before; one that
has the content of another, or earlier bytes again, is an alternate of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from typing import Any, Final, Literal

from prov.model import (
    PROV,
    PROV_LABEL,
    PROV_LOCATION,
    PROV_ROLE,
    PROV_TYPE,
    XSD_LONG,
    ProvDocument,
    QualifiedName,
)
from prov.model import Literal as Typed

from snakeprov.export.material import Activity, Json, Material, Use, commit_of, packages
from snakeprov.export.turtle import turtle
from snakeprov.model import meant
from snakeprov.model.answers import Run, Version

TERMS: Final = "urn:x-snakeprov:terms#"
"""Begins the names of what PROV has no word for."""

SCHEMA: Final = "http://schema.org/"

Notation = Literal["prov-json", "prov-n", "prov-xml", "turtle"]

_WRITTEN: Final[dict[Notation, dict[str, Any]]] = {
    "prov-json": {"format": "json", "indent": 1},
    "prov-n": {"format": "provn"},
    "prov-xml": {"format": "xml"},
}
"""The options with which the library writes each of its notations."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9_.-]")
_ID_CHARS: Final = 16


def document(material: Material) -> ProvDocument:
    """Return the document."""
    return _Writer(material).write()


def written(made: ProvDocument, notation: Notation) -> str:
    """Return a document in one of the notations."""
    if notation == "turtle":
        return turtle(made)
    text = made.serialize(**_WRITTEN[notation]) or ""
    return text if text.endswith("\n") else text + "\n"


def plain(text: object) -> str:
    r"""Return text without the characters that XML cannot hold, which are shown as escapes.

    >>> plain("evil\x1b[2J")
    'evil\\x1b[2J'
    """
    return _NOT_XML.sub(lambda found: f"\\x{ord(found[0]):02x}", str(text))


class _Writer:
    """Writes one document. What several jobs share is written when it is first needed."""

    def __init__(self, material: Material) -> None:
        self._material = material
        self._made = ProvDocument()
        self._repo = self._made.add_namespace("repo", material.store)
        self._own = self._made.add_namespace("snakeprov", TERMS)
        self._schema = self._made.add_namespace("schema", SCHEMA)
        self._written: set[QualifiedName] = set()

    def write(self) -> ProvDocument:
        for version in self._material.versions.values():
            self._version(version)
        for run in self._material.runs.values():
            self._run(run)
        for version in self._material.versions.values():
            self._meaning(version)
        for activity in self._material.activities:
            self._activity(activity)
        return self._made

    def _name(self, *parts: str) -> QualifiedName:
        return self._repo["_".join(_NOT_A_NAME.sub("-", part) for part in parts)]

    def _is_new(self, name: QualifiedName) -> bool:
        is_new = name not in self._written
        self._written.add(name)
        return is_new

    def _version(self, version: Version) -> None:
        entity = self._made.entity(
            self._name(version.id),
            self._known(
                (PROV_LABEL, version.label),
                (PROV_LOCATION, version.path),
                (PROV_TYPE, PROV["Collection"] if version.is_directory else None),
                (self._own["versionNumber"], version.version_number),
                (self._schema["sha256"], version.sha256),
                (self._schema["contentSize"], version.size_bytes),
                (self._schema["encodingFormat"], version.content_type),
                (self._own["recordedOn"], version.created_on),
                (self._own["recordedBy"], version.created_by),
                (self._own["identityProved"], None if version.is_proved else "false"),
                (self._own["means"], version.meaning and meant.said(version.meaning, path=version.path)),
            ),
        )
        for position, member in enumerate(self._material.members.get(version.id, ())):
            part = self._made.entity(
                self._name(version.id, str(position)),
                self._known(
                    (PROV_LABEL, version.path + member.path),
                    (self._schema["sha256"], member.sha256),
                    (self._schema["contentSize"], member.size_bytes),
                ),
            )
            self._made.membership(entity, part)

    def _meaning(self, version: Version) -> None:
        meant_id = version.meant_id
        if version.meaning is None or meant_id is None or meant_id not in self._material.versions:
            return
        own, other = self._name(version.id), self._name(meant_id)
        if version.meaning.kind == "edited" and self._may_precede(meant_id, version.id):
            self._made.revision(own, other)
        else:
            self._made.alternate(own, other)

    def _may_precede(self, version_id: str, later_id: str) -> bool:
        """Return whether a version can have been generated before everything known of another one."""
        makings = self._material.makings.get(version_id, ())
        began = makings[0].began if makings else None
        touched = (one for one in self._material.activities if self._touches(one, later_id))
        return began is None or all(one.ended is None or began <= one.ended for one in touched)

    @staticmethod
    def _touches(activity: Activity, version_id: str) -> bool:
        versions = {*(one.version_id for one in activity.used), *(one.version_id for one in activity.made)}
        return version_id in versions

    def _run(self, run: Run) -> None:
        name = self._name("run", run.id)
        self._made.activity(
            name,
            run.started_on,
            run.ended_on,
            self._known(
                (PROV_LABEL, f"run {run.id[:8]}"),
                (PROV_TYPE, self._own["Run"]),
                (self._own["status"], run.status),
                (self._own["commandLine"], run.command_line),
                (self._own["workingDirectory"], run.working_directory or None),
                (self._own["host"], run.host),
                (self._own["platform"], run.platform),
                (self._own["pythonVersion"], run.python_version),
                (self._own["commit"], commit_of(run)),
                (self._own["remote"], run.git.remote if run.git else None),
                *((self._own["config"], one) for one in _pairs(run.config)),
            ),
        )
        plan = self._material.main_snakefile(run)
        if plan is not None and self._is_new(self._name("workflow", plan.id)):
            self._plan(self._name("workflow", plan.id), f"workflow {plan.label}", plan)
        if run.user:
            self._made.association(
                name,
                self._person(run.user),
                plan=None if plan is None else self._name("workflow", plan.id),
                other_attributes={PROV_ROLE: "operator"},
            )
        if run.snakeprov_version:
            recorder = self._software("snakeprov", run.snakeprov_version)
            self._made.association(name, recorder, other_attributes={PROV_ROLE: "recorder"})

    def _activity(self, activity: Activity) -> None:
        job, name = activity.job, self._name(activity.id)
        self._made.activity(
            name,
            job.started_on,
            job.ended_on,
            self._known(
                (PROV_LABEL, activity.description),
                (PROV_TYPE, self._own["Job"] if activity.run_id else None),
                (self._own["rule"], activity.name if activity.run_id else None),
                (self._own["status"], activity.status),
                *((self._own["wildcard"], one) for one in _pairs(job.wildcards)),
                *((self._own["param"], one) for one in _pairs(job.params)),
                *((self._own["resource"], one) for one in _pairs(job.resources)),
                (self._own["threads"], job.threads),
                (self._own["shellCommand"], job.shellcmd),
                (self._own["script"], job.script),
                (self._own["reason"], job.reason),
                (self._own["attempt"], job.attempt if job.attempt > 1 else None),
                (self._own["exitCode"], job.exit_code),
                (self._own["error"], job.error),
            ),
        )
        self._associate(activity, name)
        for use in activity.used:
            self._made.usage(name, self._used(use, activity), other_attributes=_role(use.name, use.role, usual="input"))
        self._use_environment(activity, name)
        for made in activity.made:
            entity = self._written_by(made.version_id, activity.id)
            self._made.generation(entity, name, other_attributes=_role(made.name, made.role, usual="output"))

    def _associate(self, activity: Activity, name: QualifiedName) -> None:
        run = self._material.run_of(activity)
        if run is None:
            return
        self._made.start(name, starter=self._name("run", run.id))
        if run.snakemake_version:
            engine = self._software("snakemake", run.snakemake_version)
            self._made.association(name, engine, plan=self._rule(activity), other_attributes={PROV_ROLE: "engine"})
            if run.user and self._is_new(self._name("delegation", run.id, engine.localpart)):
                self._made.delegation(engine, self._person(run.user), self._name("run", run.id))

    def _rule(self, activity: Activity) -> QualifiedName | None:
        """Return the plan that is the rule of a job as it was."""
        snakefile = self._material.snakefile_of(activity)
        commit = commit_of(self._material.run_of(activity))
        if snakefile is None and commit is None:
            return None
        where = snakefile.id if snakefile is not None else str(commit)
        name = self._name("rule", activity.name, where)
        if self._is_new(name):
            line = next((one.line for one in activity.job.code if one.role == "snakefile"), None)
            self._plan(name, f"rule {activity.name}", snakefile, commit=commit, line=line)
        return name

    def _plan(
        self,
        name: QualifiedName,
        label: str,
        snakefile: Version | None,
        *,
        commit: str | None = None,
        line: int | None = None,
    ) -> None:
        plan = self._made.entity(
            name,
            self._known(
                (PROV_LABEL, label), (PROV_TYPE, PROV["Plan"]), (self._own["commit"], commit), (self._own["line"], line)
            ),
        )
        if snakefile is not None:
            self._made.quotation(plan, self._name(snakefile.id))

    def _written_by(self, version_id: str, activity_id: str) -> QualifiedName:
        """Return the entity that an activity generated: the version where it was the first to, else an alternate."""
        if self._material.makings[version_id][0].activity_id == activity_id:
            return self._name(version_id)
        return self._alternate(version_id, activity_id, "once more")

    def _read_by(self, version_id: str, activity: Activity) -> QualifiedName:
        """Return the entity for a version that an activity used: the one that the preceding making generated."""
        if not self._material.makings.get(version_id):
            return self._name(version_id)
        making = self._material.making_had(activity, version_id)
        is_later = making and making.began and activity.ended and making.began > activity.ended
        if making is None or is_later:
            return self._alternate(version_id, "before", "before it was made")
        return self._written_by(version_id, making.activity_id)

    def _alternate(self, version_id: str, of: str, what: str) -> QualifiedName:
        name = self._name(version_id, of)
        if self._is_new(name):
            label = f"{self._material.versions[version_id].label} {what}"
            self._made.entity(name, self._known((PROV_LABEL, label)))
            self._made.alternate(name, self._name(version_id))
        return name

    def _used(self, use: Use, activity: Activity) -> QualifiedName:
        if use.version_id is not None:
            return self._read_by(use.version_id, activity)
        url = use.url or ""
        name = self._name("url", hashlib.sha256(url.encode()).hexdigest()[:_ID_CHARS])
        if self._is_new(name):
            self._made.entity(name, self._known((PROV_LABEL, use.name or url), (self._schema["url"], url)))
        return name

    def _use_environment(self, activity: Activity, name: QualifiedName) -> None:
        found = self._material.environment_of(activity)
        if not found:
            return
        environment = self._name("environment", (activity.job.environment_digest or "")[:_ID_CHARS])
        if self._is_new(environment):
            facts = ((self._own["software"], str(one)) for one in packages(found))
            self._made.entity(environment, self._known((PROV_LABEL, "environment"), *facts))
        self._made.usage(name, environment, other_attributes={PROV_ROLE: "environment"})

    def _person(self, user: str) -> QualifiedName:
        name = self._name("user", user)
        if self._is_new(name):
            self._made.agent(name, self._known((PROV_TYPE, PROV["Person"]), (PROV_LABEL, user)))
        return name

    def _software(self, called: str, version: str) -> QualifiedName:
        name = self._name(called, version)
        if self._is_new(name):
            label = f"{called} {version}"
            self._made.agent(name, self._known((PROV_TYPE, PROV["SoftwareAgent"]), (PROV_LABEL, label)))
        return name

    def _known(self, *attributes: tuple[QualifiedName, Any]) -> list[tuple[QualifiedName, Any]]:
        """Return the attributes whose value is known, as the library takes them."""
        return [(name, _value(value)) for name, value in attributes if value is not None]


def _role(name: str | None, role: str, *, usual: str) -> dict[QualifiedName, str]:
    """Return the role of something used or generated; the usual one, without a name, says nothing and is left out."""
    return {} if name is None and role == usual else {PROV_ROLE: plain(name or role)}


def _value(value: Any) -> Any:
    if isinstance(value, QualifiedName):
        return value
    # The library takes every whole number for one of 32 bits; sizes are larger.
    return Typed(value, XSD_LONG) if isinstance(value, int) and not isinstance(value, bool) else plain(value)


def _pairs(values: Json) -> Iterable[str]:
    for name, value in values.items():
        yield f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)}"
