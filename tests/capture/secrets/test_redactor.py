"""Records without secrets: by name, by value, by pattern, and every field that can hold one."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.capture.secrets import redactor
from snakeprov.capture.secrets.redactor import JOB_TEXTS, RUN_TEXTS, Redactor
from snakeprov.model.planned import PlannedJob, RunPlan
from snakeprov.model.records import CodeFact, FileFact, JobRecord, RunRecord

VALUE = "correct horse's"

JOB_OTHERS = {
    *("id", "run_id", "status", "record_version", "snakemake_id", "kind", "threads", "priority", "attempt"),
    *("conda_env_recorded_path",),  # named as a file is
    *("conda_prefix", "container_path", "is_checkpoint"),
    "step",  # its words are redacted where the step is recorded
    *("submitted_on", "started_on", "ended_on", "exit_code", "logs", "benchmark_file"),
    "benchmark",  # nothing but numbers is kept of it
    *("inputs", "outputs", "code"),  # only their queries and URLs are searched
}
RUN_OTHERS = {
    *(
        "id",
        "project",
        "project_identity",
        "config_files",
        "working_directory",
        "status",
        "record_version",
        "host",
        "user",
        "platform",
        "executor",
    ),
    *(
        "python_version",
        "snakemake_version",
        "snakeprov_version",
        "plugin_versions",
        "deployment_methods",
        "started_on",
        "ended_on",
    ),
    "parent_run_id",
    "git",  # whose remote is stripped where it is read
}


HARMLESS = ("python plot.py", "sample_1", "Missing output files: a.txt", "größer", "--bins=30", "C:\\x")
PIECES = (
    *HARMLESS,
    *(
        "--password hunter22",
        "TOKEN=abc123",
        "https://ada:hunter2@host/x",
        "ghp_0123456789abcdef0123",
        "AKIA0123456789ABCDEF",
    ),
    *("Authorization: Bearer abc.def-123", "Basic YWRhOmh1bnRlcjI=", "curl -u ada:hunter2 host", "mysql -phunter2"),
    *("-----BEGIN PRIVATE KEY-----", VALUE, "MRN-123", "… (12 more characters)", "monkey", "eyJhbGciOi.eyJzdWIi.abc"),
)
TEXT_FIELDS = ("shellcmd", "script", "reason", "group", "external_job_id", "conda_env_name", "container", "env_modules")


def job(**facts: Any) -> JobRecord:
    return JobRecord(id="1" * 32, run_id="2" * 32, status="success", **{"rule": "plot", **facts})


def redacted(record: JobRecord, *, patterns: tuple[str, ...] = (), values: tuple[str, ...] = ()) -> JobRecord:
    return Redactor(patterns=patterns, values=values).job(record)


def test_a_plan_hides_what_its_jobs_hide() -> None:
    """The wildcards of a planned job are hidden as those of the job are, so that the two are still found together."""
    redactor = Redactor(values=(VALUE,))
    wildcards = {"sample": "s1", "key": VALUE, "token": "abcdef123456"}
    record = redacted(job(wildcards=dict(wildcards)), values=(VALUE,))
    plan = RunPlan(run_id="2" * 32, jobs=[PlannedJob(rule="plot", wildcards=dict(wildcards)), PlannedJob(rule="all")])
    plan = redactor.plan(plan)

    assert plan.jobs[0].wildcards == record.wildcards == {"sample": "s1", "key": "***", "token": "***"}


def test_the_local_copy_of_a_storage_object_is_named_without_its_login() -> None:
    """Its path is made from its query."""
    path = Redactor().stored("http/user:hunter22@host/a.txt", "http://user:hunter22@host/a.txt")
    assert path == "http/***@host/a.txt"


def test_every_field_is_looked_at_or_known_to_hold_no_secret() -> None:
    """A field that is new in a record does not slip past."""
    assert set(JobRecord.__struct_fields__) == set(JOB_TEXTS) | JOB_OTHERS
    assert set(RunRecord.__struct_fields__) == set(RUN_TEXTS) | RUN_OTHERS


@pytest.mark.parametrize("name", [name for name in JOB_TEXTS if name not in redactor._PATHS])
def test_a_known_value_is_hidden_in_every_field(name: str) -> None:
    """Whatever the field holds: text, a list, or values under names."""
    kind = {"wildcards": {"a": f"x{VALUE}"}, "params": {"a": [{"b": VALUE}]}, "resources": {"a": VALUE}}
    value = kind.get(name, [VALUE] if name in ("env_modules", "incomplete") else f"a {VALUE} b")
    record = redacted(job(**{name: value}), values=(VALUE,))
    assert VALUE not in str(getattr(record, name))
    assert "***" in str(getattr(record, name))


def test_values_are_found_in_every_spelling() -> None:
    """As a shell, a URL, Python and JSON write them."""
    written = "'correct horse'\"'\"'s' correct%20horse%27s correct+horse%27s"
    assert redacted(job(shellcmd=written), values=(VALUE,)).shellcmd == "'***' *** ***"


def test_what_stands_under_the_name_of_a_secret_is_hidden_wherever_else_it_stands() -> None:
    """In the same record, and in those that follow; short words only under the name."""
    one = Redactor()
    record = job(
        params={"login": {"apiKey": "hunter2", "user": "ada"}, "tokens": ["longtoken", None, True], "password": "abc"},
        shellcmd="tool hunter2 longtoken abc",
        rule="use_hunter2",
    )
    record = one.job(record)
    assert record.params == {
        "login": {"apiKey": "***", "user": "ada"},
        "tokens": ["***", None, True],
        "password": "***",
    }
    assert (record.shellcmd, record.rule) == ("tool *** *** abc", "use_***")
    later = job(log_excerpt="got hunter2")
    later = one.job(later)
    assert later.log_excerpt == "got ***"


def test_numbers_under_the_name_of_a_secret() -> None:
    """A number can be a password too."""
    assert redacted(job(params={"pin_password": 12345678}, shellcmd="login 12345678")).shellcmd == "login ***"


def test_a_run_teaches_its_configuration_and_command_line() -> None:
    """What a run's config and arguments name as secret is hidden in its jobs."""
    run = RunRecord(
        id="2" * 32,
        project="p",
        working_directory="/w",
        config={"db": {"password": "hunter2"}, "samples": ["a"]},
        command_line="snakemake --storage-x-secret-key sesame1 --config db_password=opensesame",
        targets=["results/hunter2.txt"],
        missing=["no sesame1"],
    )
    one = Redactor()
    run = one.run(run)
    assert run.config == {"db": {"password": "***"}, "samples": ["a"]}
    assert run.command_line == "snakemake --storage-x-secret-key *** --config db_password=***"
    assert (run.targets, run.missing) == (["results/***.txt"], ["no ***"])
    record = job(shellcmd="a hunter2 b sesame1 c opensesame")
    record = one.job(record)
    assert record.shellcmd == "a *** b *** c ***"


def test_patterns_of_the_user() -> None:
    """What they match is hidden in every text, though nothing else looks like a secret."""
    record = redacted(
        job(shellcmd="align patient-123456.bam", wildcards={"id": "patient-99"}), patterns=(r"patient-\d+",)
    )
    assert (record.shellcmd, record.wildcards) == ("align ***.bam", {"id": "***"})


def test_paths_of_files_are_left_but_not_those_of_storage_objects() -> None:
    """A file could not be found again under another name; the copy of a storage object is named after its query."""
    query = "https://ada:hunter2@host/a.csv?token=sesame1&v=2"
    local = ".snakemake/storage/http/ada:hunter2@host/a.csv"
    record = job(
        inputs=[FileFact(path="data/hunter2.csv"), FileFact(path=local, storage_query=query)],
        code=[CodeFact(role="wrapper", url="https://hunter2@host/w?private_token=sesame1"), CodeFact(role="script")],
        logs=[FileFact(path="logs/hunter2.log")],
        shellcmd=f"wc {local}",
        script="scripts/hunter2.py",
        conda_env_path="https://ada:x@host/env.yaml",
    )
    record = Redactor().job(record)
    assert [fact.path for fact in record.inputs] == ["data/hunter2.csv", local.replace("ada:hunter2", "***")]
    assert record.shellcmd == f"wc {record.inputs[1].path}"
    assert record.inputs[1].storage_query == "https://host/a.csv?v=2"
    assert (record.code[0].url, record.script) == ("https://host/w", "scripts/hunter2.py")
    assert record.conda_env_path == "https://***@host/env.yaml"


def test_a_value_that_was_cut_in_two() -> None:
    """Where a text was cut off, neither the beginning nor the end of a secret is left."""
    record = redacted(
        job(params={"a": "x correct ho… (900 more characters)"}, log_excerpt="ct horse's\nafter"), values=(VALUE,)
    )
    assert record.params == {"a": "x ***… (900 more characters)"}
    assert record.log_excerpt == "***\nafter"


def test_values_are_looked_for_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past the bound a value is still hidden under its name; what is nested too deeply is hidden whole."""
    monkeypatch.setattr(redactor, "VALUES_MAX", 1)
    record = redacted(job(params={"token": "hunter2", "password": "sesame1"}, shellcmd="hunter2 sesame1"))
    assert (record.params, record.shellcmd) == ({"token": "***", "password": "***"}, "*** sesame1")
    deep: Any = "hunter2"
    for _ in range(redactor.DEPTH_MAX + 2):
        deep = [deep]
    assert "hunter2" not in str(redacted(job(params={"token": deep})).params)


def test_a_patch_loses_what_a_text_loses_and_no_line() -> None:
    """Also where its bytes are no UTF-8; binary files in it lose known values only."""
    key = "-----BEGIN PRIVATE KEY-----\n+MIIEow\n+AAAA\n+-----END PRIVATE KEY-----"
    text = (
        f"""diff --git a/a.py b/a.py
@@ -1 +1,7 @@
 def f(token: str, tokens=None) -> str:
-    token = get_token(config["x"])
+    password = "hunter3"
+    pw = 'hunter2'
+{key}
+api:
+  token: |
+    first
+    second
diff --git a/b.png b/b.png
GIT binary patch
literal 9
zkey=abcdefgh;token=hunter2x
""".encode()
        + b"+\xff\n"
    )
    patch = Redactor(values=("hunter2",)).patch(text)

    assert (
        patch
        == b"""diff --git a/a.py b/a.py
@@ -1 +1,7 @@
 def f(token: str, tokens=None) -> str:
-    token = get_token(config["x"])
+    password = "***"
+    pw = '***'
+***
+***
+***
+***
+api:
+  token: |
+    ***
+    ***
diff --git a/b.png b/b.png
GIT binary patch
literal 9
zkey=abcdefgh;token=***x
+\xff
"""
    )


@settings(max_examples=100, deadline=None)
@given(
    secret=st.text(st.characters(codec="ascii", exclude_characters="*\x00"), min_size=6, max_size=30),
    before=st.text(max_size=10),
    after=st.text(max_size=10),
)
def test_a_known_value_never_survives(secret: str, before: str, after: str) -> None:
    """Whatever characters it is made of and whatever stands beside it."""
    record = redacted(job(shellcmd=before + secret + after, params={"x": [secret]}, error=secret), values=(secret,))
    assert secret not in str(record.shellcmd).replace("***", "") or secret in before + after
    assert (record.params, record.error) == ({"x": ["***"]}, "***")
    assert redacted(msgspec.structs.replace(record), values=(secret,)) == record


@settings(max_examples=300)
@given(
    fields=st.dictionaries(st.sampled_from(TEXT_FIELDS), st.lists(st.sampled_from(PIECES), min_size=1, max_size=4)),
    has_value=st.booleans(),
    has_pattern=st.booleans(),
)
def test_what_is_called_clean_is_left_as_it_is(
    fields: dict[str, list[str]], *, has_value: bool, has_pattern: bool
) -> None:
    """Where a first look finds nothing, the thorough search takes nothing out; and harmless texts pass that look."""
    record = job(
        **{name: [" ".join(pieces)] if name == "env_modules" else " ".join(pieces) for name, pieces in fields.items()}
    )
    redactor = Redactor(values=(VALUE,) if has_value else (), patterns=("MRN-[0-9]+",) if has_pattern else ())
    before = msgspec.json.encode(record)
    texts = msgspec.json.encode([getattr(record, name) for name in JOB_TEXTS])
    is_clean = redactor.is_clean(texts)
    record = redactor.job(record)

    assert not is_clean or msgspec.json.encode(record) == before
    assert is_clean or has_pattern or any(piece not in HARMLESS for pieces in fields.values() for piece in pieces)
