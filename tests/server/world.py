"""Somebody's private project, and two others who ask for what is in it."""

from __future__ import annotations

from .api import Json, used
from .live import Served

OTHER_RUN = "f" * 32
CONTENT = b"the secret bytes"
NAMES = ("SecretProject", "SecretFolder", "SecretFile", "SecretRule", "SecretKey", "secret bytes")
"""What ada has; none of it is to be read in an answer to somebody else."""

E = "/repo/v1/entity"
V = "/repo/v1/entity/{id}/version/{version}"
F = "/file/v1/file/multipart/{id}"
OWN = "/snakeprov/v1"


class World:
    """Ada's private project with one of everything; eve is another user, and nobody has no token."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.ada, self.eve, self.nobody = served.user("ada"), served.user("eve"), served.nobody()
        ada = self.ada
        self.project = ada.project("SecretProject")
        self.folder = ada.folder_in(self.project, "SecretFolder")
        self.handle = ada.handle(CONTENT, name="SecretFile", keep=True)
        self.file = ada.file_in(self.folder, "SecretFile", handle=self.handle)
        self.activity = ada.activity(used(self.folder), name="SecretRule")
        ada.put(f"/repo/v1/entity/{self.file['id']}/generatedBy?generatedBy={self.activity['id']}")
        self.loose = ada.activity(name="SecretRule")
        self.file = ada.get(f"/repo/v1/entity/{self.file['id']}")
        self.spare = ada.folder_in(self.project, "SecretFolder2")
        self.upload = ada.start_upload(b"other")
        self.document = ada.upload(b"SecretFile", name="SecretFile")
        ada.run(project="SecretProject", git={"root": "/w", "dirty": True, "patchFileHandleId": self.document})
        output = {
            "role": "output",
            "path": "SecretFile",
            "outcome": "generated",
            "entityId": self.file["id"],
            "versionNumber": 1,
        }
        facts: Json = {"params": {"SecretKey": 1}, "environmentFileHandleId": self.document}
        ada.job("j1", rule="SecretRule", files=[output], activity=self.activity["id"], **facts)

    def share(self, *permissions: str, who: str | None = None) -> None:
        self.ada.share(self.project, **{who or f"u{self.eve.id}": permissions} if permissions else {})

    def wanted(self) -> Json:
        """Return a request for the file's handle and the URL of its bytes."""
        asked = {
            "fileHandleId": self.handle,
            "associateObjectId": self.file["id"],
            "associateObjectType": "FileEntity",
        }
        return {"requestedFiles": [asked], "includeFileHandles": True, "includePreSignedURLs": True}
