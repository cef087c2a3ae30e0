"""Finding what was made with something."""

from __future__ import annotations

from typing import Any

import pytest

from .api import RUN, Api, Json, digests

OWN = "/snakeprov/v1"
OTHER = "f" * 32


@pytest.fixture
def world(api: Api) -> Api:
    """Two runs: the first made a.csv and b.csv by `clean`, the second a.csv again by `plot`; a job that failed."""
    api.run(
        user="ada", host="node1", config={"min": 3, "deep": {"er": [1, "x"]}}, git={"root": "/", "commit": "c0ffee00"}
    )
    api.run(OTHER, user="eve", git={"root": "/", "commit": "c0ffee11"})
    project = api.project()

    def made(id_: str, run: str, entity: Json, **fields: Any) -> None:
        output = {"role": "output", "path": api.path_of(entity), "outcome": "generated"}
        number = entity["versionNumber"]
        files = [output | {"entityId": entity["id"], "versionNumber": number}]
        generated = api.get(f"/repo/v1/entity/{entity['id']}/version/{number}/generatedBy")
        api.job(id_, run=run, activity=generated["id"], files=files, **fields)

    def by(rule: str) -> str:
        return f"generatedBy={api.activity(name=rule)['id']}"

    a = api.file_in(project, "a.csv", handle=api.handle(b"a"), query=f"?{by('clean')}")
    made("j1", RUN, a, rule="clean", wildcards={"sample": "a"}, params={"alpha": 0.1}, endedOn="2026-01-01T10:00:00Z")
    b = api.file_in(project, "b[1].csv", handle=api.handle(b"b"), query=f"?{by('clean')}")
    params = {"alpha": 1.0, "names": ["x", 'quo"te'], "on": True, "none": None, "deep": {"er": {"est": "y" * 500}}}
    made("j2", RUN, b, rule="clean", wildcards={"sample": "b"}, params=params, endedOn="2026-01-02T10:00:00Z")
    a = api.update(a, query=f"?newVersion=true&{by('plot')}", versionLabel=None, dataFileHandleId=api.handle(b"c"))
    made("j3", OTHER, a, rule="plot", wildcards={"sample": "a"}, endedOn="2026-01-03T10:00:00Z")
    api.job("j4", run=OTHER, rule="plot", status="failed", wildcards={"sample": "b"}, endedOn="2026-01-04T10:00:00Z")
    note = {
        "annotations": {"quality": {"type": "STRING", "value": ['so "so"']}},
        "etag": api.get(f"/repo/v1/entity/{b['id']}")["etag"],
    }
    api.put(f"/repo/v1/entity/{b['id']}/annotations2", note)
    return api


def ask(api: Api, *terms: str, **options: Any) -> Json:
    body = {"terms": [{"key": term.partition("=")[0], "value": term.partition("=")[2]} for term in terms], **options}
    return dict(api.post(f"{OWN}/search", body, expect=200))


A1, B1, A2, FAILED = "a.csv@1", "b[1].csv@1", "a.csv@2", "?"


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        (["rule=clean"], [B1, A1]),
        (["rule=cl*"], [B1, A1]),
        (["rule=clean", "rule=plot"], [FAILED, A2, B1, A1]),
        (["sample=a"], [A2, A1]),
        (["wildcard.sample=b"], [FAILED, B1]),
        (["sample=a", "rule=clean"], [A1]),
        (["alpha=0.10"], [A1]),
        (["param.alpha=1"], [B1]),
        (["names=x"], [B1]),
        (['names=quo"te'], [B1]),
        (["on=True"], [B1]),
        (["none=None"], [B1]),
        (["deep.er.est=" + "y" * 500], [B1]),
        (["config.min=3"], [B1, A1]),
        (["config.deep.er=x"], [B1, A1]),
        (["user=eve"], [FAILED, A2]),
        (["host=node1"], [B1, A1]),
        (["commit=C0FFEE1"], [FAILED, A2]),
        (["commit=c0ffee00+dirty"], [B1, A1]),
        (["run=ffff"], [FAILED, A2]),
        (["status=failed"], [FAILED]),
        (["since=2026-01-02T10:00"], [FAILED, A2, B1]),
        (["since=2026-01-02", "until=2026-01-02"], [B1]),
        (["until=2026-01-02T10:00:00+00:00"], [A1]),
        (["path=a.csv"], [A2, A1]),
        (["path=b[1].*"], [B1]),
        (["path=A*"], []),
        (["path=?.csv", "sample=a"], [A2, A1]),
        ([f"sha256={digests(b'a')['sha256'][:10]}"], [A1]),
        ([f"digest=md5:{digests(b'b')['md5']}"], [B1]),
        ([f"digest={digests(b'b')['sha256']}", "rule=clean"], [B1]),
        (['annotation.quality=so "so"'], [B1]),
        (["annotation.quality=so"], []),
        (["sample=zzz"], []),
    ],
)
def test_a_search_finds_what_fits_the_latest_first(world: Api, terms: list[str], expected: list[str]) -> None:
    """Every key finds its results and no others; of one key any value holds, different keys must all hold."""
    answer = ask(world, *terms)
    found = [f"{one['path']}@{one['versionNumber']}" if "path" in one else FAILED for one in answer["results"]]
    if not any(term.startswith(("path", "sha256", "digest", "annotation")) for term in terms):
        assert found == expected
    assert (sorted(found), "next" in answer) == (sorted(expected), False)
    pages = [ask(world, *terms, limit=1)]
    while "next" in pages[-1]:
        pages.append(ask(world, *terms, limit=1, after=pages[-1]["next"]))
    assert [one for page in pages for one in page["results"]] == answer["results"]


def test_a_result_says_what_made_it(world: Api) -> None:
    """A result has the version, and the job, run and commit that made it."""
    (result,) = ask(world, "alpha=0.1")["results"]
    assert (result["rule"], result["wildcards"], result["status"]) == ("clean", {"sample": "a"}, "success")
    assert (result["runId"], result["commit"], result["isLatest"]) == (RUN, "c0ffee00", False)
    assert result["sha256"] == digests(b"a")["sha256"]


def test_an_unknown_key_is_told_with_what_there_is(world: Api) -> None:
    """A key that nothing has comes back with those that resemble it, and with all that there are."""
    answer = ask(world, "smaple=a")
    assert answer["results"] == []
    assert answer["unknownKeys"] == [{"key": "smaple", "near": ["sample"]}]
    assert {"rule", "param.alpha", "wildcard.sample", "param.deep.er.est"} <= set(answer["keys"])
    assert ask(world, "rule=claen")["near"] == ["clean"]
    assert ask(world, "rule=clean", "sample=zzz")["near"] == []


def test_a_limit_cuts_and_says_so(world: Api) -> None:
    """With a limit the latest results come, and that there are more is told; at the very bound it is not."""
    answer = ask(world, "sample=a", limit=1)
    assert ([one["versionNumber"] for one in answer["results"]], "next" in answer) == ([2], True)
    assert "next" not in ask(world, "sample=a", limit=2)
    terms = [{"key": "sample", "value": "a"}]
    for after in ("x", "[1]", "[1,2,3,4]"):
        reason = world.reason("POST", f"{OWN}/search", {"terms": terms, "after": after})
        assert "the 'next' of the page before was expected" in reason


def test_a_run_that_is_put_again_is_found_by_what_it_says_then(world: Api) -> None:
    """The values of a run are those of its latest record."""
    record = {"id": RUN, "project": "P", "workingDirectory": "/w", "user": "bob"}
    world.put(f"{OWN}/runs/{RUN}", record)
    assert ask(world, "user=ada")["results"] == []
    assert len(ask(world, "user=bob")["results"]) == 2


@pytest.mark.parametrize(
    ("terms", "reason"),
    [
        ([], "0 terms; 1 to 50 were expected."),
        (["a=b"] * 51, "51 terms; 1 to 50 were expected."),
        (["status=bad"], "status='bad': one of success, failed,"),
        (["since=soon"], "since='soon': a date was expected"),
        (["until=9999-12-31"], "until='9999-12-31': a date was expected"),
        (["commit=zz"], "'zz' is not a commit"),
        (["digest=crc:123"], "digest='crc:123': sha256: or md5: and a digest were expected."),
        (["md5=123"], "md5='123': a digest, or its first 8 to 32 hexadecimal digits, was expected."),
        (["run=f"], "'f' is too short for a run id"),
    ],
)
def test_values_that_make_no_sense(world: Api, terms: list[str], reason: str) -> None:
    """A value that its key cannot have is refused with what was expected."""
    body = {"terms": [{"key": term.partition("=")[0], "value": term.partition("=")[2]} for term in terms]}
    assert reason in world.reason("POST", f"{OWN}/search", body)
