"""Files that lie elsewhere: Snakemake fetches and brings them, and removes its local copies."""

from __future__ import annotations

import functools
import hashlib
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.matrix import accounts
from tests.matrix.accounts import MADE, SEEN
from tests.matrix.rows import row
from tests.matrix.workflow import Job, Place, Run

REMOTE = "from elsewhere\n"

KEY = {"SNAKEMAKE_STORAGE_S3_ACCESS_KEY": "key", "SNAKEMAKE_STORAGE_S3_SECRET_KEY": "secret"}


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    """A client for a local S3 server with the bucket `bucket`, in which there is the object `in.txt`."""
    boto3 = pytest.importorskip("boto3")
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        client = boto3.client(
            "s3",
            endpoint_url=f"http://{host}:{port}",
            aws_access_key_id="key",
            aws_secret_access_key="secret",  # noqa: S106  of a server in this process
            region_name="us-east-1",
        )
        client.create_bucket(Bucket="bucket")
        client.put_object(Bucket="bucket", Key="in.txt", Body=REMOTE.encode())
        yield client
    finally:
        server.stop()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a file on a local web server."""
    folder = tmp_path_factory.mktemp("web")
    (folder / "in.txt").write_text(REMOTE)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/in.txt"
        server.shutdown()


def copying(read: str, write: str, more: str = "") -> str:
    """Return a Snakefile with a rule that copies, and one that copies the copy."""
    return f"""{more}
rule all:
    input: "last.txt"

rule copy:
    input: {read}
    output: {write}
    shell: {SEEN!r} + "cp {{input}} {{output}}" + {MADE!r}

rule last:
    input: {write}
    output: "last.txt"
    shell: {SEEN!r} + "cat {{input}} > {{output}}" + {MADE!r}
"""


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def used_urls(place: Place, job: Job) -> list[str]:
    with place.client() as client:
        activity = client.activities.get(job.activity_id)
    return [str(used.get("url")) for used in activity["used"] if not used["wasExecuted"] and used.get("url")]


def agrees(run: Run) -> None:
    """Assert that the jobs were recorded once, with the bytes that they say they read and wrote, wherever they lay."""
    assert run.status == 0, run.stderr
    run.counts_agree()
    said = sorted((read.role, read.rule, read.sha256) for read in run.reads.elements())
    files = [(one.job.rule, file) for one in run.jobs for file in one.files]
    recorded = sorted((file.role, rule, file.sha256) for rule, file in files if file.role in ("input", "output"))
    assert [one for one in recorded if one[1] != "all"] == said
    assert said


def nothing_is_left(place: Place) -> None:
    """Assert that Snakemake removed its local copies, so that digests can only be of what was read in time."""
    copies = [path for path in (place.folder / ".snakemake" / "storage").rglob("*") if path.is_file()]
    assert copies == []


@row("storage: http")
def test_an_input_from_the_web_is_a_url_with_the_digest_of_what_was_read(tmp_path: Path, web: str) -> None:
    """The local copy is gone, the digest is that of the bytes that the server has."""
    pytest.importorskip("snakemake_storage_plugin_http")
    place = Place(tmp_path / "work", copying(f'storage.http("{web}")', '"copy.txt"'))
    run = place.run()
    agrees(run)
    nothing_is_left(place)
    job = run.job("copy")
    assert used_urls(place, job) == [web]
    (read,) = (file for file in job.files if file.role == "input")
    assert read.sha256 == digest(REMOTE)


@row("storage: fs", "storage: local copy that vanishes")
def test_files_of_the_fs_plugin_are_urls_with_digests_though_the_local_copies_are_gone(tmp_path: Path) -> None:
    """What one job brings there and the next reads from there is one and the same version."""
    if shutil.which("rsync") is None:
        pytest.skip("the fs plugin needs rsync")
    pytest.importorskip("snakemake_storage_plugin_fs")
    far = tmp_path / "far"
    far.mkdir()
    (far / "in.txt").write_text(REMOTE)
    snakefile = copying(f'storage.fs("{far}/in.txt")', f'storage.fs("{far}/copy.txt")')
    place = Place(tmp_path / "work", snakefile)
    run = place.run()
    agrees(run)
    nothing_is_left(place)
    assert used_urls(place, run.job("copy")) == [(far / "in.txt").as_uri()]
    (made,) = (file for file in run.job("copy").files if file.role == "output")
    (read,) = (file for file in run.job("last").files if file.role == "input")
    assert made.sha256 == accounts.sha256(far / "copy.txt")
    assert (read.entity_id, read.version_number) == (made.entity_id, made.version_number)


@row("storage: S3", "storage: local copy that vanishes")
def test_objects_of_s3_are_urls_with_digests(tmp_path: Path, s3: Any) -> None:
    """An object that a job made has a version, which the next job used; its bytes are those in the bucket."""
    pytest.importorskip("snakemake_storage_plugin_s3")
    settings = f'storage s3:\n    provider="s3", endpoint_url="{s3.meta.endpoint_url}"\n'
    place = Place(
        tmp_path / "work", copying('storage.s3("s3://bucket/in.txt")', 'storage.s3("s3://bucket/copy.txt")', settings)
    )
    run = place.run(**KEY)
    agrees(run)
    nothing_is_left(place)
    assert used_urls(place, run.job("copy")) == ["s3://bucket/in.txt"]
    (made,) = (file for file in run.job("copy").files if file.role == "output")
    (read,) = (file for file in run.job("last").files if file.role == "input")
    assert made.sha256 == digest(s3.get_object(Bucket="bucket", Key="copy.txt")["Body"].read().decode())
    assert made.path == "s3:/bucket/copy.txt"
    assert (read.entity_id, read.version_number) == (made.entity_id, made.version_number)


@row("storage: default storage provider")
def test_plain_paths_become_the_objects_of_the_default_provider(tmp_path: Path, s3: Any) -> None:
    """The rules name no storage; every file is recorded as the object that it is, local ones as files."""
    pytest.importorskip("snakemake_storage_plugin_s3")
    s3.put_object(Bucket="bucket", Key="default/in.txt", Body=REMOTE.encode())
    place = Place(tmp_path / "work", copying('"in.txt"', '"copy.txt"'))
    run = place.run(
        *("--default-storage-provider", "s3", "--default-storage-prefix", "s3://bucket/default"),
        *("--storage-s3-endpoint-url", s3.meta.endpoint_url),
        **KEY,
    )
    agrees(run)
    assert used_urls(place, run.job("copy")) == ["s3://bucket/default/in.txt"]
    (made,) = (file for file in run.job("last").files if file.role == "output")
    assert made.path == "s3:/bucket/default/last.txt"
    assert made.sha256 == digest(s3.get_object(Bucket="bucket", Key="default/last.txt")["Body"].read().decode())
