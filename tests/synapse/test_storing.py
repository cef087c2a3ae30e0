"""Storing with provenance in one call: the documented examples, in an embedded store and in Synapse's manner."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from snakeprov import Activity, File, Folder, Project, connect
from snakeprov.client import Client
from snakeprov.errors import NotFoundError, NotRecordedError, ProvenanceError, UsageError

from .conftest import Synapse


@pytest.fixture(params=["embedded", "synapse"])
def client(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client in a folder that holds excellent.csv."""
    monkeypatch.chdir(tmp_path)
    Path("excellent.csv").write_text("1")
    if request.param == "synapse":
        synapse: Synapse = request.getfixturevalue("synapse")
        made = synapse.connect()
    else:
        made = connect(tmp_path / "embedded", create=True)
    with made:
        yield made


def test_the_documented_examples(client: Client) -> None:
    """As Synapse's documentation has them."""
    project = client.store(Project("My project"))

    data = client.store(
        File("excellent.csv", parent=project),
        used="http://example.org/data",
        executed="http://example.org/code.py",
        activityName="download",
        activityDescription="downloaded from data-r-us",
    )
    act = Activity(name="clustering", description="whizzy clustering")
    act.used(target=data)
    act.executed("http://example.org/cluster.py")
    Path("clustered.csv").write_text("2")
    clustered = client.store(File("clustered.csv", parent=project), activity=act)

    made_by = client.entities.generated_by(data.id or "")
    assert made_by is not None and (made_by.name, made_by.description) == ("download", "downloaded from data-r-us")
    assert [(one["url"], one["wasExecuted"]) for one in made_by["used"]] == [
        ("http://example.org/data", False),
        ("http://example.org/code.py", True),
    ]
    made_by = client.entities.generated_by(clustered.id or "")
    assert made_by is not None
    assert made_by["used"][0]["reference"] == {"targetId": data.id, "targetVersionNumber": 1}
    assert "id" not in act
    assert clustered.path == "clustered.csv"


def test_other_bytes_make_the_next_version_and_the_same_none(client: Client) -> None:
    """Storing what is stored changes nothing, under the same name as under the same id."""
    project = client.store(Project("P"))
    assert client.store(Project("P")).id == project.id
    folder = client.store(Folder("data", parent=project, description="of the lab"))
    first = client.store(File("excellent.csv", parent=folder))

    assert client.store(File("excellent.csv", parent=folder)).version_number == 1
    assert client.store(first).version_number == 1
    Path("excellent.csv").write_text("2")
    second = client.store(File("excellent.csv", parent=folder))
    assert (second.id, second.version_number) == (first.id, 2)
    assert client.store(second, forceVersion=True).version_number == 3


def test_what_is_known_of_a_version_is_not_rewritten(client: Client) -> None:
    """A version without an Activity gets one; with one, another Activity makes another version."""
    project = client.store(Project("P"))
    client.store(File("excellent.csv", parent=project))

    data = client.store(File("excellent.csv", parent=project), used="http://example.org/1")
    assert data.version_number == 1
    again = client.store(File("excellent.csv", parent=project), used="http://example.org/2")

    assert again.version_number == 2
    urls = []
    for number in (1, 2):
        activity = client.entities.generated_by(data.id or "", version_number=number)
        assert activity is not None
        urls.append(activity["used"][0]["url"])
    assert urls == ["http://example.org/1", "http://example.org/2"]


def test_clashing_arguments_leave_nothing_behind(client: Client) -> None:
    """They are refused before anything is sent."""
    project = client.store(Project("P"))

    with pytest.raises(ProvenanceError, match="activity cannot be combined with used"):
        client.store(File("excellent.csv", parent=project), activity=Activity("a"), used="syn1")
    with pytest.raises(ProvenanceError, match=r"must be a snakeprov.Activity, not a dict"):
        client.store(File("excellent.csv", parent=project), activity={"name": "a"})  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"no-such.csv is not a file"):
        client.store(File("no-such.csv", parent=project))
    with pytest.raises(UsageError, match="'Q' is not stored yet"):
        File("excellent.csv", parent=Project("Q"))
    with pytest.raises(UsageError, match="A dict cannot be stored"):
        client.store({})  # type: ignore[type-var]
    client.store(Folder("excellent.csv", parent=project))
    with pytest.raises(UsageError, match="it is a Folder, not a File"):
        client.store(File("excellent.csv", parent=project))

    assert client.entities.find_child(project.id, "no-such.csv") is None


def test_a_version_is_got_with_its_bytes(client: Client, tmp_path: Path) -> None:
    """Any version; what lies in the folder already is not changed."""
    project = client.store(Project("P"))
    data = client.store(File("excellent.csv", parent=project))
    Path("excellent.csv").write_text("2")
    client.store(File("excellent.csv", parent=project))

    latest = client.get(data.id or "", download=tmp_path / "latest")
    first = client.get(f"{data.id}.1", download=tmp_path / "first")

    assert (tmp_path / "latest" / "excellent.csv").read_text() == "2"
    assert (tmp_path / "first" / "excellent.csv").read_text() == "1"
    assert getattr(latest, "version_number", 0) == 2
    assert getattr(first, "path", "") == str(tmp_path / "first" / "excellent.csv")
    assert client.get(data, version=1, download=tmp_path / "first") == first
    with pytest.raises(UsageError, match="exists and is another file"):
        client.get(data, version=2, download=tmp_path / "first")
    assert [path.name for path in (tmp_path / "first").iterdir()] == ["excellent.csv"]
    with pytest.raises(NotFoundError):
        client.get(f"{data.id}.9")


def test_bytes_that_are_not_kept_are_said_to_be_so(client: Client) -> None:
    """Synapse keeps no empty files; an embedded store does."""
    project = client.store(Project("P"))
    Path("empty").write_text("")
    empty = client.store(File("empty", parent=project))

    if client.backend.takes_empty:
        client.get(empty, download="there")
        assert Path("there/empty").read_text() == ""
    else:
        with pytest.raises(NotRecordedError, match="are not kept"):
            client.get(empty, download="there")


def test_a_file_is_got_by_its_path(client: Client) -> None:
    """The path is the recorded one; what is not recorded is answered with what is like it."""
    client.project = "P"
    results = client.store(Folder("results", parent=client.store(Project("P"))))
    for content in ("1", "2"):
        Path("excellent.csv").write_text(content)
        stored = client.store(File("excellent.csv", parent=results))

    assert client.get("results/excellent.csv").id == stored.id
    assert client.get("results/excellent.csv", version=1, download="there") == client.get(f"{stored.id}.1")
    assert Path("there/excellent.csv").read_text() == "1"
    for typed in ("results/excelent.csv", "result/excellent.csv"):
        with pytest.raises(NotRecordedError, match=f"{typed} is not recorded") as missing:
            client.get(typed)
        assert missing.value.hint == "Did you mean results/excellent.csv?"
    with pytest.raises(NotRecordedError, match="is not recorded") as missing:
        client.get("something quite different")
    assert missing.value.hint == "An id is written syn123 or syn123.4."
    with pytest.raises(NotFoundError):
        client.get("results/excellent.csv", version=3)


def test_a_path_in_several_projects_is_not_guessed(client: Client) -> None:
    """Unless the client was told the project, it says which there are."""
    ids = [client.store(File("excellent.csv", parent=client.store(Project(name)))).id for name in ("P", "Q")]

    told = "in several projects: P, Q" if client.backend.keeps_runs else "has to be told"
    with pytest.raises(UsageError, match=told):
        client.get("excellent.csv")

    client.project = "Q"
    assert client.get("excellent.csv").id == ids[1]
