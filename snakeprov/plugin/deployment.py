"""Finds the software environment of a job: conda, a container, environment modules; active, or only named by its rule.

`conda:`, `container:` and `envmodules:` have no effect unless `--software-deployment-method` switches the method on.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from snakeprov.model.paths import to_text
from snakeprov.plugin.problems import Gaps
from snakeprov.plugin.represent import encodable
from snakeprov.plugin.rulecode import Place, locate


class Deployment:
    """Finds the environments of the jobs of one workflow. Belongs to one run; not thread-safe."""

    def __init__(self, workflow: Any, path_of: Callable[[str], str]) -> None:
        """Take the workflow, and what turns a path into the one that is recorded."""
        self._workflow = workflow
        self._path_of = path_of
        # Unless Snakemake can be asked, no environment is taken for an active one.
        self._methods = Gaps().ask("deployment methods", [], deployment_methods, workflow)
        self._prefixes: dict[int, tuple[Any, str]] = {}  # with the environment, so that its id stays its own

    def of_job(self, job: Any, gaps: Gaps) -> dict[str, Any]:
        """Return the fields of a JobRecord that tell the environment of `job`, by their names on the wire.

        What is not known goes to `gaps`.
        """
        rule = job.rule
        fields: dict[str, Any] = {}
        declared: dict[str, str] = {}
        if gaps.ask("conda environment", False, lambda: rule.conda_env is not None):
            named = gaps.ask("conda environment", {}, self._conda, job)
            if "conda" in self._methods:
                fields |= named
                fields["condaPrefix"] = gaps.ask("conda prefix", None, self._prefix, job)
            elif named:
                declared["conda"] = named.get("condaEnvUrl") or next(iter(named.values()))
        if gaps.ask("container", False, lambda: rule.container_img is not None):
            named = gaps.ask("container", {}, self._container, job)
            if "apptainer" in self._methods:
                fields |= named
            elif named:
                declared["container"] = named["container"]
        if gaps.ask("env modules", False, lambda: rule.env_modules is not None):
            modules = gaps.ask("env modules", [], _env_modules, rule)
            if "env-modules" in self._methods:
                fields["envModules"] = modules
            elif modules:
                declared["modules"] = " ".join(modules)
        return fields | ({"declaredEnvironments": declared} if declared else {})

    def _conda(self, job: Any) -> dict[str, str]:
        spec = job.conda_env_spec
        if hasattr(spec, "name"):
            return {"condaEnvName": encodable(str(spec.name))}
        file = getattr(spec, "file", None)
        if file is None:
            return {"condaEnvPath": self._path_of(str(spec.path))} if spec is not None else {}
        # Before Snakemake 9.5 the file is a path or a URL, since then one of Snakemake's source files.
        place = _place_of(str.__str__(file)) if isinstance(file, str) else locate(self._workflow, [file])
        fields = {} if place.path is None else {"condaEnvPath": self._path_of(place.path)}
        return fields if place.url is None else fields | {"condaEnvUrl": encodable(place.url)}

    def _prefix(self, job: Any) -> str | None:
        """Return where a conda environment lies; asking Snakemake looks at the disk."""
        environment = job.conda_env
        if environment is None:
            return None
        if id(environment) not in self._prefixes:
            address = str(environment.address)
            text = encodable(address) if environment.name else to_text(os.path.abspath(address))  # noqa: PTH100
            self._prefixes[id(environment)] = (environment, text)
        return self._prefixes[id(environment)][1]

    def _container(self, job: Any) -> dict[str, str]:
        url = job.container_img_url
        if url is None:
            return {}
        image = job.container_img  # None unless containers are switched on
        if "://" not in str(url):
            place = self._path_of(str(url))
            return {"container": place, "containerPath": place}
        path = {} if image is None else {"containerPath": self._path_of(image.path)}
        return {"container": encodable(str(url))} | path


def has_environment(rule: Any) -> bool:
    """Return whether the jobs of `rule` name an environment."""
    return not (rule.conda_env is None and rule.container_img is None and rule.env_modules is None)


def deployment_methods(workflow: Any) -> list[str]:
    """Return what `--software-deployment-method` switched on, sorted."""
    return sorted(one.item_to_choice() for one in workflow.deployment_settings.deployment_method)


def _env_modules(rule: Any) -> list[str]:
    return [encodable(str(name)) for name in rule.env_modules.names]


def _place_of(named: str) -> Place:
    return Place(None, named) if "://" in named else Place(named, None)
