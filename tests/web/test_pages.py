"""What the pages say about a recorded study."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta
from pathlib import Path

import pytest

from snakeprov.model.records import FileFact, JobRecord
from snakeprov.web import Waiting

from ..cli.conftest import Study
from .conftest import Reader, pages_of


def id_of(pages: Reader, path: str) -> str:
    """The address of the latest version of a file."""
    return pages.page(f"/f/{path}").url.removeprefix(pages.url)


def test_the_first_page_lists_runs_and_the_latest_results(pages: Reader) -> None:
    """It says how many runs there are, lists them with their state, and what the latest of them wrote."""
    assert pages.lead("/") == "2 runs are recorded; the latest is run bbbb65ba of penguins."
    said = pages.read("/")
    assert "results/figure.png@1 plot" in said
    assert "aaaa" in said and "✓ success" in said


def test_the_first_page_says_what_waits(recorded_study: Study) -> None:
    """Records that are not delivered are not shown, and the page says so, and with which command they are."""
    with pages_of(recorded_study.store, waiting=lambda: Waiting(2, 1, ("too large",))) as reader:
        said = reader.read("/")
    assert "2 records of jobs wait to be delivered" in said
    assert "The store refused 1 record of jobs. too large" in said
    assert "snakeprov push" in said


def test_an_empty_store_says_that_nothing_is_recorded(tmp_path: Path) -> None:
    """There is no table without rows."""
    Study(tmp_path / "new").client.close()
    with pages_of(tmp_path / "new" / ".snakeprov") as reader:
        assert reader.lead("/") == "No run has been recorded yet."
        assert "<table" not in reader.page("/").text


def test_the_page_of_a_file_says_how_it_was_made(pages: Reader) -> None:
    """The first sentence names the rule, its wildcards, what it read, the run and the commit."""
    assert pages.lead("/f/results/table.csv") == (
        "Rule summarise (island=biscoe) made results/table.csv@2 from 2 files in run bbbb65ba, "
        "with the code of commit 1a2b3c4+dirty."
    )
    said = pages.read("/f/results/table.csv")
    assert "results/clean/adelie.csv@1" in said
    assert "Snakefile@1 line 12" in said
    assert "minimum 3" in said
    assert "sort > results/table.csv" in said
    assert "mem_mb 100" in said
    assert "Params have changed" in said
    assert "1 version came from this one: plot 1" in said
    assert "snakeprov show results/table.csv@2" in said


def test_the_page_of_a_raw_input_says_that_no_job_made_it(pages: Reader) -> None:
    """What came from it is counted by rule."""
    assert pages.lead("/f/data/penguins.csv") == "data/penguins.csv@1 is a raw input: no recorded job made it."
    assert "summarise 2" in pages.read("/f/data/penguins.csv")


def test_an_address_without_a_version_leads_to_the_latest(pages: Reader) -> None:
    """The address of a version is for good; every version has one."""
    latest = id_of(pages, "results/table.csv")
    entity, number = latest.removeprefix("/f/").split(".")

    assert number == "2"
    assert pages.page(f"/f/{entity}").url == pages.url + latest
    assert "results/table.csv@1" in pages.lead(f"/f/{entity}.1")


def test_a_version_is_downloaded_as_it_was(pages: Reader) -> None:
    """It is saved under its name, and never shown."""
    response = pages.page(id_of(pages, "results/table.csv").replace(".2", ".1") + "/download")

    assert response.content == b"mean 1\n"
    assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''table.csv"
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("sandbox")


def test_a_version_whose_bytes_are_not_kept_cannot_be_downloaded(recorded_study: Study, tmp_path: Path) -> None:
    """The page offers nothing to download, and the address says why."""
    study = Study(tmp_path / "external")
    handle = study.client.session.post(
        "/file/v1/externalFileHandle",
        {
            "concreteType": "org.sagebionetworks.repo.model.file.ExternalFileHandle",
            "externalURL": "file:///gone/big.bam",
            "fileName": "big.bam",
            "contentMd5": hashlib.md5(b"big", usedforsecurity=False).hexdigest(),
        },
    )
    from snakeprov.model.entities import File

    file = File(name="big.bam", parent_id=study._folder(()), data_file_handle_id=str(handle["id"]))
    entity = study.client.entities.create(file)
    study.client.close()
    with pages_of(study.store) as reader:
        address = f"/f/{entity.id}.1"
        assert "Download" not in reader.page(address).text
        assert "the bytes are not kept" in reader.read(address)
        assert "are not kept" in reader.lead(f"{address}/download", status=404)


def test_files_with_the_same_bytes_are_named(tmp_path: Path) -> None:
    """The page of a file has links to the other places of its content."""
    study = Study(tmp_path / "copies")
    one, two = study.file("a/one.txt", b"same"), study.file("b/two.txt", b"same")
    study.client.close()
    with pages_of(study.store) as reader:
        assert "same bytes b/two.txt@1" in reader.read(f"/f/{one.entity_id}.1")
        assert f'href="/f/{two.entity_id}.1"' in reader.page(f"/f/{one.entity_id}.1").text


def test_the_page_of_a_run_sums_up_its_rules(pages: Reader) -> None:
    """Jobs of one rule are together, with the time that they took; a rule can be chosen."""
    run = pages.page("/r/aaaa")
    assert re.fullmatch(r".*/r/aaaa[0-9a-f]{28}", run.url)
    said = pages.read("/r/aaaa")
    assert "clean 2 ran 40.0 s 20.0 s" in said
    assert "· 20.0 s · 3 jobs" in pages.lead("/r/aaaa")
    only = pages.read(run.url.removeprefix(pages.url) + "?rule=summarise")
    assert "Jobs of summarise 1" in only
    assert "results/clean/gentoo.csv@1" not in only.partition("Jobs of summarise")[2]


def test_failed_jobs_come_first_with_their_error_and_the_end_of_the_log(tmp_path: Path) -> None:
    """The failure of a run stands above its jobs, with the command that shows it in a terminal."""
    study = Study(tmp_path / "failed")
    run = study.run("cccc", status="failed")
    study.job(run, "clean", {"clean.csv": b"1"})
    log = "\n".join(f"line {number}" for number in range(100))
    study.job(run, "fit", {}, status="failed", error="exit code 3", log_excerpt=log, shellcmd="fit < clean.csv")
    study.client.close()
    with pages_of(study.store) as reader:
        said = reader.read("/r/cccc")
        job = reader.read("/j/0002")
        assert "failed" in reader.lead("/r/cccc")
    assert said.index("exit code 3") < said.index("line 99") < said.index("fit < clean.csv") < said.index("Rules")
    assert "line 9 " not in said and "line 80" in said
    assert "snakeprov show job:0002" in said
    assert "exit code 3" in job and "line 99" in job


def test_a_later_failure_is_said_on_the_page_of_the_file(tmp_path: Path) -> None:
    """The latest version may not be what the last run was to make; an older version says nothing of it."""
    study = Study(tmp_path / "later")
    for number in (1, 2):
        run = study.run(f"abc{number}", ago=timedelta(days=3 - number))
        study.job(run, "fit", {"fit.txt": b"%d" % number})
    last = study.run("dead", status="failed", ago=timedelta(minutes=-5))
    job = JobRecord(
        id="e" * 32,
        run_id=last.id,
        rule="fit",
        status="failed",
        outputs=[FileFact(path="fit.txt", kind="missing")],
        ended_on=last.ended_on,
    )
    study.client.session.put(f"/snakeprov/v1/jobs/{job.id}", {"job": job, "files": []})
    study.client.close()
    with pages_of(study.store) as reader:
        latest = id_of(reader, "fit.txt")
        assert "A later job of fit that was to make it again failed" in reader.read(latest)
        assert "A later job" not in reader.read(latest.replace(".2", ".1"))


def test_jobs_beyond_the_first_thousand_that_failed_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure is not hidden by the length of a run; what the times are of is said."""
    from snakeprov.web import runs

    monkeypatch.setattr(runs, "JOBS_READ", 3)
    study = Study(tmp_path / "long")
    run = study.run("dddd", status="failed")
    for number in range(5):
        study.job(run, "clean", {f"{number}.csv": b"%d" % number})
    study.job(run, "fit", {}, status="failed", error="it broke", ended_on=run.ended_on + timedelta(minutes=1))
    study.client.close()
    with pages_of(study.store) as reader:
        said = reader.read("/r/dddd")
    assert "it broke" in said.partition("Rules")[0]
    assert "Times are those of the first 3 of 6 jobs" in said


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/f/syn99999", "There is no file syn99999 in this store."),
        ("/f/syn99999.1", "There is no file syn99999 in this store."),
        ("/f/syn999999999999999999999999.1", "There is no file"),
        ("/f/results/tabel.csv", "results/tabel.csv is not recorded."),
        ("/r/ffff", "No run whose id begins with ffff is recorded."),
        ("/r/x", "No run whose id begins with x is recorded."),
        ("/j/ffff", "No job whose id begins with ffff is recorded."),
        ("/nothing", "There is no such page."),
    ],
)
def test_what_is_not_recorded_has_a_page_that_says_so(pages: Reader, address: str, said: str) -> None:
    """The status is 404, and there is no traceback."""
    assert said in pages.lead(address, status=404)


def test_near_names_are_links(pages: Reader) -> None:
    """Who mistyped a path, a version or a run finds the right one on the page."""
    latest = id_of(pages, "results/table.csv")
    assert 'href="/f/results/table.csv"' in pages.page("/f/results/tabel.csv", status=404).text
    assert f'href="{latest}"' in pages.page(latest.replace(".2", ".7"), status=404).text
    assert 'href="/r/bbbb' in pages.page("/r/ffff", status=404).text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("table", "2 versions of 1 file match path=*table*."),
        ("rule=clean", "2 versions of 2 files match rule=clean."),
        ("island=biscoe", "results/table.csv@2 matches island=biscoe."),
        ("minimum=3", "results/table.csv@2 matches minimum=3."),
        ("plot", "results/figure.png@1 matches rule=plot."),
    ],
)
def test_search_finds_names_rules_and_values(pages: Reader, query: str, said: str) -> None:
    """The first line of the answer is the sentence of `snakeprov find`."""
    assert pages.lead(f"/search?q={query}") == said


def test_search_leads_to_the_only_thing_that_is_meant(pages: Reader) -> None:
    """A whole path, a version, an id or a run opens its page."""
    latest = id_of(pages, "results/table.csv")
    entity = latest.removeprefix("/f/").partition(".")[0]

    assert pages.page("/search?q=results/table.csv").url == pages.url + latest
    assert pages.page("/search?q=results/table.csv@1").url == f"{pages.url}/f/{entity}.1"
    assert pages.page(f"/search?q={entity}").url == pages.url + latest
    assert "/r/aaaa" in pages.page("/search?q=run:aaaa").url


def test_search_finds_contents_runs_and_commits(pages: Reader) -> None:
    """The beginning of a digest, of a run's id or of a commit is enough."""
    digest = hashlib.sha256(b"mean 1\n").hexdigest()
    assert "results/table.csv@1" in pages.read(f"/search?q={digest[:10]}")
    assert "results/table.csv@1" in pages.read(f"/search?q=sha256:{digest}")
    assert "aaaa" in pages.read("/search?q=aaaa")
    assert "match commit=1a2b3c4" in pages.read("/search?q=1a2b3c4")


def test_a_search_that_finds_nothing_says_what_can_be_searched(pages: Reader) -> None:
    """Names that resemble it are suggested, and keys where an unknown one was given."""
    assert pages.lead("/search?q=zzzzzz", status=404) == "Nothing that is recorded matches zzzzzz."
    assert "results/table.csv" in pages.read("/search?q=results/tabel.csv", status=404)
    assert "is not a key" in pages.lead("/search?q=iland=biscoe", status=404)
    assert "island" in pages.read("/search?q=iland=biscoe", status=404)
    assert "since" in pages.lead("/search?q=since=never", status=404)


def test_the_difference_of_the_code_from_its_commit_has_a_page(tmp_path: Path) -> None:
    """It is shown as a diff; a run without one has no such page."""
    study = Study(tmp_path / "patched")
    handle = study.client.files.upload(b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-old\n+new\n", file_name="x.patch")
    run = study.run("eeee")
    body = {**study.client.session.get(f"/snakeprov/v1/runs/{run.id}")}
    body["git"]["patchFileHandleId"] = handle
    study.client.session.put(f"/snakeprov/v1/runs/{run.id}", body)
    study.run("abcd", git=None)
    study.client.close()
    with pages_of(study.store) as reader:
        assert "-old +new" in reader.read("/r/eeee/patch")
        reader.page("/r/abcd/patch", status=404)
