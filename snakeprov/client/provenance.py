"""Questions about provenance, the same for every store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from snakeprov.model.answers import (
    AffectedVersions,
    History,
    Lineage,
    Page,
    Pruned,
    SearchResults,
    SelectedVersions,
    Story,
    Version,
)


class Provenance(Protocol):
    """Questions that need more than one entity or activity to answer.

    What a store cannot be asked raises UsageError, and what it does not know is None.
    """

    @property
    def digest(self) -> Literal["sha256", "md5"]:
        """The algorithm by whose digest contents are searched."""

    @property
    def is_stepwise(self) -> bool:
        """Whether each file and each activity takes requests of its own, which is slow for many."""

    def prune(self, criteria: Mapping[str, Any], *, dry_run: bool, limit: int = 1000) -> Pruned:
        """Remove the bytes of versions, or with `dry_run` only tell which; what is recorded stays.

        Args:
            criteria: All of them have to hold: `project`, `rules`, `before` (RFC 3339), `largerThanBytes`, `keepLast`;
                `unreferenced` adds contents that nothing refers to.
            dry_run: Change nothing.
            limit: Maximum number of versions listed.

        Raises:
            ForbiddenError: One may not delete from the project.
            NotFoundError: There is no such project.
        """

    def find(self, path: str, *, project: str | None = None) -> SelectedVersions:
        """Return the files recorded at `path` at their current versions, or else the paths that resemble it.

        Newest first; in one project, or each in its own.
        """

    def paths(self, prefix: str, *, project: str | None = None, limit: int = 100) -> list[str]:
        """Return recorded paths that begin with `prefix`, in order."""

    def with_digest(
        self, algorithm: str, digest: str, *, project: str | None = None, limit: int = 100, after: str = ""
    ) -> Page[Version]:
        """Return the versions that have a content, newest first.

        Args:
            algorithm: "sha256" or "md5".
            digest: The digest in hex, or at least its first 8 characters.
            project: The name of the project to look in; None: in all.
            limit: How many versions at most.
            after: `next` of the page before.

        Raises:
            BadRequestError: The text is not a digest.
        """

    def current(
        self, prefix: str = "", *, project: str | None = None, limit: int = 1000, after: str = ""
    ) -> Page[Version]:
        """Return files at their current versions, by path.

        Args:
            prefix: What their paths begin with.
            project: The name of the project to look in; None: in all.
            limit: How many at most.
            after: `next` of the page before.

        Raises:
            ForbiddenError: The user may not read the project.
        """

    def history(self, entity_id: str, *, limit: int = 100, after: str = "") -> History:
        """Return a page of an entity's versions and what made them, newest first."""

    def story(self, entity_id: str, version_number: int) -> Story:
        """Return the details of a version and its latest making.

        Raises:
            NotFoundError: There is no such version.
        """

    def versions(self, ids: Sequence[tuple[str, int]]) -> list[Version]:
        """Return some versions; those that do not exist, or that may not be read, are left out.

        Args:
            ids: Entities and the numbers of their versions, at most `IDS_MAX`.
        """

    def stories(self, versions: Sequence[tuple[str, int, str | None, str | None]]) -> list[Story | None]:
        """Return the stories of several versions, in order; None for one that may not be read or does not exist.

        Args:
            versions: At most 100 of (entity id, version number, activity id, reader's activity id): the making by that
                activity, or the making that preceded a reader; None and None: the latest.
        """

    def lineage(
        self, entity_id: str, version_number: int, *, direction: str = "upstream", depth: int = 10, limit: int = 1000
    ) -> Lineage:
        """Return what a version came from ("upstream") or what came from it ("downstream").

        Args:
            entity_id: The entity.
            version_number: Its version.
            direction: "upstream" or "downstream".
            depth: How many activities to pass, 1 to 1000.
            limit: How many nodes at most.
        """

    def search(self, terms: Sequence[tuple[str, str]], *, limit: int = 100, after: str = "") -> SearchResults:
        """Return the results that were made with given values, latest first.

        Args:
            terms: Keys (rule, status, path, unmade, commit, run, user, host, since, until, digest, wildcard.NAME,
                param.NAME, config.NAME, annotation.NAME) and values; of one key any value, of different keys all must
                hold.
            limit: How many results at most.
            after: `next` of the page before.

        Raises:
            BadRequestError: A value is not one that its key can have.
        """

    def affected(
        self,
        versions: Sequence[tuple[str, int | None]] = (),
        *,
        rule: str | None = None,
        run_id: str | None = None,
        commit: str | None = None,
        limit: int = 10_000,
    ) -> AffectedVersions:
        """Return everything that came from given versions, or from the outputs of given jobs, which are included.

        Args:
            versions: Ids of entities with a version each; None: all versions of it. At most 1000.
            rule: The jobs of this rule.
            run_id: The jobs of this run.
            commit: The jobs of runs at this commit, or one that begins so.
            limit: How many versions are returned at most.

        Raises:
            NotFoundError: There is no such version or run.
            BadRequestError: Nothing to start from is named.
        """
