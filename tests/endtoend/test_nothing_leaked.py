"""Secrets in every place where a workflow may have one: none is ever on disk or in an answer of the store."""

from __future__ import annotations

import gzip
import http.server
import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from snakeprov.apps.connect import connect
from snakeprov.client import Client
from tests.endtoend.conftest import Work

SECRETS = {
    "DECLARED_PLACE": "declared-8af1",
    "FORWARDED": "forwarded-8af2",
    "UPLOAD_TOKEN": "environment-8af3",
    "STORAGE_LOGIN": "storage-8af4",
    "STORAGE_SIGNATURE": "signature-8af5",
}
"""In variables of the environment. The names of the first two say nothing."""

ON_COMMAND_LINE, IN_CONFIG, IN_PARAMS, IN_REMOTE = "arguments-8af6", "configured-8af7", "params-8af8", "remote-8af9"
IN_LOG, IN_MESSAGE, IN_STORE = "ghp_" + "8aF0" * 9, "postgres-8afb", "repository-8afc"
IN_WORDS, IN_UNNAMED = "words-8afe", "unnamed-8aff"
ACCESS = {"SNAKEPROV_TOKEN": "access-8afd"}
ENTITIES = 4
"""The Snakefile, two outputs, and the log of the job that failed, of which the digest is known and no more."""

PATTERN = "patient-8af12345"
ALL = [
    *SECRETS.values(),
    ON_COMMAND_LINE,
    IN_CONFIG,
    IN_PARAMS,
    IN_WORDS,
    IN_UNNAMED,
    IN_REMOTE,
    IN_LOG,
    IN_MESSAGE,
    IN_STORE,
    *ACCESS.values(),
    PATTERN,
]

SNAKEFILE = """
import os, snakeprov
snakeprov.track(workflow)

envvars: "DECLARED_PLACE"

configfile: "config.yaml"

PIECES = {name: open("elsewhere/" + name).read().strip() for name in os.listdir("elsewhere")}
QUERY = f"http://ada:{os.environ['STORAGE_LOGIN']}@{config['host']}/data.csv?sig={os.environ['STORAGE_SIGNATURE']}"

rule all:
    input: "out/table.txt", "out/fetched.txt", "out/broken.txt"

rule table:
    output: "out/table.txt"
    params:
        "--passphrase", PIECES["unnamed"],
        words=["tool", ["-v", "--password", PIECES["words"]]],
        apiKey=PIECES["params"],
        login=dict(user="ada", password=config["db"]["password"]),
        url=f"https://ada:{PIECES['params']}@example.org/",
    shell:
        "echo made > {output} # --password {config[db][password]} TOKEN={params.apiKey} {params.url} "
        f"{os.environ['DECLARED_PLACE']} {os.environ['FORWARDED']} {os.environ['UPLOAD_TOKEN']} " + PIECES["pattern"]

rule fetched:
    input: storage.http(QUERY)
    output: "out/fetched.txt"
    shell: "wc -c < {input} > {output}"

rule broken:
    output: "out/broken.txt"
    log: "broken.log"
    shell:
        "cat elsewhere/* > {log}; echo $DECLARED_PLACE {config[db][password]} >> {log}; "
        "exit 3 # " + PIECES["message"] + " as {config[api_token]}"
"""


@pytest.fixture
def data_server() -> Iterator[str]:
    """Serves the same few bytes whatever is asked for; gives `host:port`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"a,b\n")

        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def private_umask() -> Iterator[None]:
    """The user lets nobody else read new files."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def work(make_work: Callable[..., Work], data_server: str, private_umask: None) -> Work:
    """A repository with a dirty tree, and files outside version control that hold what the workflow must not tell."""
    config = {"host": data_server, "db": {"password": IN_CONFIG}}
    work = make_work(
        SNAKEFILE,
        notes__md="nothing\n",
        **{"snakeprov.toml": "redact = ['patient-[0-9a-f]+']\n", ".gitignore": "elsewhere\nconfig.yaml\nout\n*.log\n"},
    )
    work.commit()
    work.git("remote", "add", "origin", f"https://ada:{IN_REMOTE}@github.com/ada/flights.git")
    work.write("notes/md", f"the password is {SECRETS['UPLOAD_TOKEN']}\n")
    work.write("config.yaml", json.dumps(config))
    pieces = {
        "params": IN_PARAMS,
        "words": IN_WORDS,
        "unnamed": IN_UNNAMED,
        "log": f"using {IN_LOG} now",
        "message": f"postgresql://ada:{IN_MESSAGE}@db/x",
    }
    for name, text in {**pieces, "pattern": PATTERN}.items():
        work.write(f"elsewhere/{name}", text + "\n")
    return work


def run(work: Work) -> None:
    arguments = ["--keep-going", "--envvars", "FORWARDED", "--config", f"api_token={ON_COMMAND_LINE}"]
    said = work.snakemake(*arguments, status=1, **SECRETS)
    assert "2 new versions" in said, said


def bytes_under(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file below `folder`, which only the user may read, and what can be unpacked of databases."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        assert path.stat().st_mode & 0o077 == 0, f"{path} can be read by others"
        content = path.read_bytes()
        yield path.name, content
        if content.startswith(b"SQLite format 3"):
            with sqlite3.connect(path) as database:
                for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
                    for row in database.execute(f'SELECT * FROM "{table}"'):  # noqa: S608  names from the schema
                        for value in row:
                            yield f"{path.name}: {table}", _unpacked(value)


def _unpacked(value: object) -> bytes:
    raw = value if isinstance(value, bytes) else str(value).encode()
    for unpack in (zlib.decompress, gzip.decompress):
        try:
            return unpack(raw)
        except (zlib.error, OSError, EOFError):
            continue
    return raw


def answers(client: Client) -> Iterator[tuple[str, Any]]:
    """Yield what the store answers about everything that it holds, with what was asked."""
    entities: set[str] = set()
    for run in client.runs.list().results:
        yield "run", client.runs.get(run.id)
        yield "outputs", client.runs.outputs(run.id)
        listed = client.runs.jobs(run.id)
        yield "jobs", listed
        for one in listed.results:
            job = client.jobs.get(one.id)
            yield "job", job
            entities |= {file.entity_id for file in job.files if file.entity_id is not None}
            if job.activity_id is not None:
                yield "activity", client.activities.get(job.activity_id)
                yield "generated", client.activities.generated(job.activity_id)
    assert len(entities) == ENTITIES
    for entity_id in entities:
        yield "bundle", client.entities.bundle(entity_id)
        yield "annotations", client.entities.annotations(entity_id)
        yield "versions", client.entities.versions(entity_id)
        yield "history", client.provenance.history(entity_id)
        yield "story", client.provenance.story(entity_id, 1)
        yield "lineage", client.provenance.lineage(entity_id, 1)


def assert_no_secret(where: str, content: bytes) -> None:
    found = [secret for secret in ALL if secret.encode() in content]
    assert not found, f"in {where}: {found}"


def test_no_secret_is_on_disk_or_in_an_answer(work: Work) -> None:
    """After delivery neither a file of the store, nor an answer, nor what a command prints or exports; marks stand."""
    run(work)
    for where, content in bytes_under(work.folder / ".snakeprov"):
        assert_no_secret(where, content)
    with connect(work.folder / ".snakeprov") as client:
        told = list(answers(client))
        patch = client.runs.patch(client.runs.list().results[0].id)
    for where, answer in told:
        assert_no_secret(where, msgspec.json.encode(answer))
    assert b"+the password is ***" in patch
    for command in (["log"], ["runs"], ["run"], ["show", "out/table.txt"], ["lineage", "out/fetched.txt"], ["status"]):
        assert_no_secret(command[0], work.say(command[0], "--json", *command[1:]).encode())
        assert_no_secret(command[0], work.say(*command).encode())
    for command in (["show", "out/table.txt", "--environment"], ["methods", "out/table.txt"], ["why", "out/table.txt"]):
        assert_no_secret(command[0], work.say(*command).encode())
    (work.folder / "told").mkdir()
    for form in ("prov-json", "ro-crate"):
        work.say("export", "out/table.txt", "out/fetched.txt", "--format", form, "-o", f"told/{form}")
    work.say("lineage", "out/fetched.txt", "-o", "told/story.html")
    exported = [path for path in (work.folder / "told").rglob("*") if path.is_file()]
    assert len(exported) > 3
    for path in exported:
        assert_no_secret(path.name, path.read_bytes())
    jobs = {job.job.rule: job.job for where, job in told if where == "job"}
    assert jobs["table"].params == {
        "0": "--passphrase",
        "1": "***",
        "words": ["tool", ["-v", "--password", "***"]],
        "apiKey": "***",
        "login": {"user": "ada", "password": "***"},
        "url": "https://***@example.org/",
    }
    assert jobs["table"].shellcmd.endswith("# --password *** TOKEN=*** https://***@example.org/ *** *** *** ***")
    assert "# postgresql://***@db/x as ***" in jobs["broken"].error
    assert jobs["broken"].log_excerpt == "using *** now\npostgresql://***@db/x\n***\n***\n***\n***\n*** ***\n"


def test_no_secret_waits_in_the_outbox(work: Work) -> None:
    """While the store cannot be reached, what waits for it holds none either; tokens and logins of URLs too."""
    work.write("snakeprov.toml", f"redact = ['patient-[0-9a-f]+']\nstore = 'http://ada:{IN_STORE}@127.0.0.1:9/'\n")
    said = work.snakemake("out/table.txt", "--envvars", "FORWARDED", **SECRETS, **ACCESS)
    assert "snakeprov push" in said
    (waiting,) = (work.folder / ".snakeprov/outbox").glob("*.log")
    assert b"TOKEN=***" in waiting.read_bytes()
    for where, content in bytes_under(work.folder / ".snakeprov"):
        assert_no_secret(where, content)
