"""The metadata of an RO-Crate that follows a profile of Workflow Run RO-Crate.

Source: RO-Crate 1.1; Process, Workflow and Provenance Run Crate 0.5; Workflow RO-Crate 1.0.

What a crate holds has the path it has there for its `@id`; what it does not hold has one that begins with `#`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple
from urllib.parse import quote

from rocrate.model.computationalworkflow import ComputationalWorkflow
from rocrate.model.computerlanguage import get_lang
from rocrate.model.contextentity import ContextEntity
from rocrate.model.dataset import Dataset
from rocrate.model.entity import Entity
from rocrate.model.file import File
from rocrate.model.softwareapplication import SoftwareApplication
from rocrate.rocrate import ROCrate

from snakeprov.export.crateentities import Entities, image, times
from snakeprov.export.material import FAILED, SUCCEEDED, Activity, Material, Use, commit_of, packages
from snakeprov.export.vocabulary import (
    COMPLETED,
    CONTEXT,
    ERROR_CHARS_MAX,
    FAILED_STATUS,
    NO_LICENSE,
    PROFILES,
    RUN_STATUSES,
    VERSION,
    WEB,
    WORKFLOW_CRATE,
    Profile,
    error,
    safe,
    unpack,
)
from snakeprov.model import meant
from snakeprov.model.answers import Run, Version
from snakeprov.model.media_types import guessed


class License(NamedTuple):
    """A license: its URL or its path in the crate, and its name."""

    id: str
    name: str


def crate(
    material: Material, included: Mapping[str, str], *, profile: Profile, license_: License | None = None
) -> ROCrate:
    """Return the crate.

    Args:
        material: What it is about.
        included: The path in the crate of each version that it holds, by the version's id; a directory ends with a
            slash. Of a workflow or a provenance crate the main Snakefile must be one.
        profile: The profile that it follows; each of them contains those before.
        license_: The license of what it holds.
    """
    return _Builder(material, included, profile).build(license_)


class _Builder:
    """Builds one crate. What several actions share is added when it is first needed."""

    def __init__(self, material: Material, included: Mapping[str, str], profile: Profile) -> None:
        self._material = material
        self._included = included
        self._profile = profile
        self._crate = ROCrate(version=VERSION)
        self._crate.metadata.extra_contexts.append(CONTEXT)
        self._entities: dict[str, Entity] = {}
        self._shared = Entities(self._crate)
        self._actions: list[Entity] = []
        self._tools: dict[tuple[Any, ...], Entity] = {}
        self._steps: dict[str, Entity] = {}
        self._code = {version.id for version in (*material.used_as("code"), *material.workflow_files())}
        workflows = {run_id: material.main_snakefile(run) for run_id, run in material.runs.items()}
        self._workflows = {run_id: found for run_id, found in workflows.items() if found is not None}
        self._has_workflow = profile != "process"
        self._workflow_ids = {version.id for version in self._workflows.values()} if self._has_workflow else set()

    def build(self, license_: License | None) -> ROCrate:
        for version in self._material.versions.values():
            self._version(version)
        for version in self._material.versions.values():
            if version.meaning is not None and version.meant_id in self._entities:
                self._entities[version.id]["isBasedOn"] = self._entities[version.meant_id]
        for run_id, run in self._material.runs.items():
            self._run(run_id, run)
        for activity in self._material.of_run(None):
            self._action(activity)
        self._describe(license_)
        for entity in self._crate.get_entities():
            unpack(entity.properties())
        return self._crate

    def _describe(self, license_: License | None) -> None:
        root, material = self._crate.root_dataset, self._material
        root["name"] = f"Provenance of {material.title}"
        root["description"] = (
            f"How {material.title} came to be: {len(material.activities)} jobs, {len(material.versions)} files, "
            "recorded by snakeprov."
        )
        names = list(PROFILES)
        profiles = [PROFILES[name] for name in names[: names.index(self._profile) + 1]] + (
            [WORKFLOW_CRATE] if self._has_workflow else []
        )
        root["conformsTo"] = [
            self._shared.add(ContextEntity, id_, {"@type": "CreativeWork", "name": name, "version": version})
            for id_, name, version in profiles
        ]
        if self._has_workflow:
            conforms = [f"https://w3id.org/ro/crate/{VERSION}", WORKFLOW_CRATE[0]]
            self._crate.metadata["conformsTo"] = [{"@id": one} for one in conforms]
            root["mainEntity"] = self._entities[self._main_workflow().id]
        if self._actions:
            root["mentions"] = self._actions
        users = dict.fromkeys(run.user for run in material.runs.values() if run.user)
        if users:
            root["author"] = [self._shared.person(user) for user in users]
        if license_ is None:
            root["license"] = NO_LICENSE
        elif WEB.match(license_.id):
            facts: dict[str, Any] = {"@type": "CreativeWork", "name": license_.name}
            root["license"] = self._shared.add(ContextEntity, license_.id, facts)
        else:
            facts = {"@type": ["File", "CreativeWork"], "name": license_.name, "encodingFormat": "text/plain"}
            root["license"] = self._crate.add(File(self._crate, dest_path=license_.id, properties=facts))

    def _main_workflow(self) -> Version:
        """Return the Snakefile of the run that was asked for, or of the first that is known."""
        return main_workflow(self._material) or next(iter(self._workflows.values()))

    def _version(self, version: Version) -> None:
        is_workflow = version.id in self._workflow_ids
        facts: dict[str, Any] = {
            "name": version.label,
            "version": str(version.version_number),
            "alternateName": version.path,
            "sha256": version.sha256,
            "md5": version.md5 if version.sha256 is None else None,
            "contentSize": None if version.size_bytes is None else str(version.size_bytes),
            "encodingFormat": version.content_type,
            "dateModified": version.created_on,
            "description": "; ".join(self._remarks(version)) or None,
        }
        if version.is_directory:
            facts |= dict.fromkeys(("sha256", "md5", "contentSize", "encodingFormat"))
        types = ["Dataset"] if version.is_directory else ["File"]
        if version.id in self._code:
            types.append("SoftwareSourceCode")
        if is_workflow:
            types += ["ComputationalWorkflow"] + (["HowTo"] if self._profile == "provenance" else [])
        facts["@type"] = types if len(types) > 1 else types[0]
        path = self._included.get(version.id)
        known = {name: value for name, value in facts.items() if value is not None}
        if path is None:
            entity = self._shared.add(ContextEntity, self._reference(version), known)
        else:
            kind = Dataset if version.is_directory else ComputationalWorkflow if is_workflow else File
            entity = self._crate.add(kind(self._crate, dest_path=path, properties=known))
        self._entities[version.id] = entity
        if path is not None and version.is_directory:
            self._members(version, path, entity)

    def _remarks(self, version: Version) -> Iterable[str]:
        """Yield remarks on a version besides what made it."""
        if version.meaning is not None:
            yield meant.said(version.meaning, path=version.path)
        if not version.is_proved:
            yield meant.NOT_PROVED

    def _reference(self, version: Version) -> str:
        """Return the id of a version that the crate does not hold."""
        id_ = f"#{quote(version.label, safe='/@')}"
        return f"{id_}-{version.id}" if id_ in self._shared else id_

    def _members(self, version: Version, path: str, directory: Entity) -> None:
        parts = [
            File(
                self._crate,
                dest_path=path + member.path,
                properties={
                    "name": version.path + member.path,
                    "sha256": member.sha256,
                    "contentSize": str(member.size_bytes),
                    "encodingFormat": guessed(member.path),
                },
            )
            for member in self._material.members.get(version.id, ())
        ]
        for part in parts:
            self._crate.add(part)
        if parts:
            directory["hasPart"] = parts

    def _run(self, run_id: str, run: Run) -> None:
        activities = self._material.of_run(run_id)
        workflow = self._workflows.get(run_id) if self._has_workflow else None
        if workflow is None:
            for activity in activities:
                self._action(activity)
            return
        entity = self._entities[workflow.id]
        if "programmingLanguage" not in entity:
            self._describe_workflow(entity, run)
        action = self._run_action(run_id, run, activities, entity)
        if self._profile != "provenance":
            return
        controls = []
        for activity in activities:
            done = self._action(activity, workflow=entity)
            controls.append(self._control(activity, done, entity))
        engine = self._shared.software("Snakemake", run.snakemake_version, url="https://snakemake.github.io")
        facts = {
            "@type": "OrganizeAction",
            "name": f"Snakemake in run {run_id[:8]}",
            "instrument": engine,
            "object": controls,
            "result": action,
            **times(run),
        }
        self._shared.add(ContextEntity, f"#engine_{safe(run_id)}", facts)

    def _describe_workflow(self, entity: Entity, run: Run) -> None:
        language = get_lang(self._crate, "snakemake")
        self._crate.add(language)
        entity["programmingLanguage"] = language
        if (commit := commit_of(run)) is not None:
            entity["version"] = commit
        if run.git is not None and WEB.match(run.git.remote or ""):
            entity["url"] = run.git.remote

    def _run_action(self, run_id: str, run: Run, activities: list[Activity], workflow: Entity) -> Entity:
        made = dict.fromkeys(one.version_id for activity in activities for one in activity.made)
        used = dict.fromkeys(
            use.version_id
            for activity in activities
            for use in activity.used
            if use.role == "input" and use.version_id is not None
        )
        config = [
            self._shared.value(f"config_{run_id}", name, value, of=workflow, described=True)
            for name, value in run.config.items()
        ]
        status = RUN_STATUSES.get(run.status)
        errors = [error(one) for one in activities if one.status in FAILED]
        facts = {
            "@type": "CreateAction",
            "name": f"Run {run_id[:8]} of {workflow['name']}",
            "description": run.command_line,
            "instrument": workflow,
            "object": [self._entities[one] for one in used if one not in made] + config,
            "result": [self._entities[one] for one in made if one not in used] or [self._entities[one] for one in made],
            "actionStatus": status,
            "error": "\n".join(errors)[:ERROR_CHARS_MAX] or None if status == FAILED_STATUS else None,
            **times(run),
            **self._shared.agent(run),
        }
        action = self._shared.add(ContextEntity, f"#run_{safe(run_id)}", facts)
        self._actions.append(action)
        return action

    def _action(self, activity: Activity, *, workflow: Entity | None = None) -> Entity:
        job, run = activity.job, self._material.run_of(activity)
        tool = self._tool(activity, workflow)
        inputs = [self._exemplified(use, tool, "input") for use in activity.used if use.role == "input"]
        params = [self._shared.value(tool.id.lstrip("#"), name, value, of=tool) for name, value in job.params.items()]
        results = [
            self._exemplified(
                Use(role="input", version_id=made.version_id, name=made.name or made.role), tool, "output"
            )
            for made in activity.made
        ]
        status = FAILED_STATUS if activity.status in FAILED else COMPLETED if activity.status in SUCCEEDED else None
        container = image(job.container)
        facts = {
            "@type": "CreateAction",
            "name": activity.description,
            "description": job.shellcmd or job.script or activity.name,
            "instrument": tool,
            "object": _each_once([*inputs, *params]),
            "result": _each_once(results),
            "actionStatus": status,
            "error": error(activity) if status == FAILED_STATUS else None,
            "containerImage": None if container is None else self._shared.add(ContextEntity, *container),
            **times(job),
            **self._shared.agent(run),
        }
        action = self._shared.add(ContextEntity, f"#{activity.id}", facts)
        self._actions.append(action)
        return action

    def _control(self, activity: Activity, action: Entity, workflow: Entity) -> Entity:
        tool = action["instrument"]
        if tool.id not in self._steps:
            position = str(len(self._steps) + 1)
            facts = {"@type": "HowToStep", "name": tool["name"], "position": position, "workExample": tool}
            step = self._steps[tool.id] = self._shared.add(ContextEntity, f"#step_{tool.id.lstrip('#')}", facts)
            workflow.append_to("step", step)
        facts = {
            "@type": "ControlAction",
            "name": f"Control of {activity.description}",
            "instrument": self._steps[tool.id],
            "object": action,
            "actionStatus": action.get("actionStatus"),
        }
        return self._shared.add(ContextEntity, f"#control_{activity.id}", facts)

    def _tool(self, activity: Activity, workflow: Entity | None) -> Entity:
        """Return what a job ran: its rule as it was, with the same code and in the same environment."""
        snakefile = self._material.snakefile_of(activity)
        used = [
            one
            for one in activity.used
            if one.version_id is not None and one.version_id != getattr(snakefile, "id", None)
        ]
        code = tuple(str(one.version_id) for one in used if one.role == "code")
        files = tuple(str(one.version_id) for one in used if one.role == "environment")
        key = (
            workflow and workflow.id,
            activity.name,
            snakefile and snakefile.id,
            code,
            files,
            activity.job.environment_digest,
        )
        if key in self._tools:
            return self._tools[key]
        links = [one.url for one in activity.used if one.role == "code" and one.url and WEB.match(one.url)]
        name = f"#rule_{safe(activity.name)}" if activity.run_id else f"#tool_{safe(activity.name)}"
        same = sum(1 for tool in self._tools.values() if tool["name"] == activity.name)
        facts = {
            "@type": "SoftwareApplication",
            "name": activity.name,
            "description": None if snakefile is None else f"Rule {activity.name} of {snakefile.label}",
            "softwareVersion": commit_of(self._material.run_of(activity)),
            "url": links[0] if links else None,
            "hasPart": [self._entities[one] for one in code],
            "softwareRequirements": [self._entities[one] for one in files]
            + [str(one) for one in packages(self._material.environment_of(activity))],
        }
        tool = self._shared.add(SoftwareApplication, f"{name}-{same + 1}" if same else name, facts)
        self._tools[key] = tool
        if workflow is not None:
            workflow.append_to("hasPart", tool)
        return tool

    def _exemplified(self, use: Use, tool: Entity, side: Literal["input", "output"]) -> Entity:
        """Return the entity that is used, as an example of a formal parameter of the tool."""
        if use.version_id is not None:
            entity = self._entities[use.version_id]
        elif use.url is not None and WEB.match(use.url):
            entity = self._shared.web_file(use.url, use.name)
        else:
            facts = {"@type": "CreativeWork", "name": use.name or use.url, "url": use.url}
            return self._shared.add(ContextEntity, f"#url_{quote(use.url or '', safe='')}", facts)
        kind = "Dataset" if "Dataset" in entity.type else "File"
        name = use.name or side
        self._shared.example(entity, tool, side, name, kind, id_=f"#{side}_{tool.id.lstrip('#')}_{safe(name)}_{kind}")
        return entity


def main_workflow(material: Material) -> Version | None:
    """Return the Snakefile that a workflow crate is about: of the run, or of the run that made the first result."""
    targets = material.results()[:1]
    makers = [one.run_id for one in material.activities if any(made.version_id in targets for made in one.made)]
    wanted = [material.run_id, *makers, *material.runs]
    known = [material.runs[one] for one in wanted if one is not None and one in material.runs]
    return next((found for run in known if (found := material.main_snakefile(run)) is not None), None)


def _each_once(entities: Iterable[Entity]) -> list[Entity]:
    return list({entity.id: entity for entity in entities}.values())
