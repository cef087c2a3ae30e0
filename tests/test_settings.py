"""Settings: which source wins, and what is said about wrong ones."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from snakeprov.errors import ConfigError
from snakeprov.places import store_of
from snakeprov.settings import Settings, load, wants_strict


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings of the person who runs the tests."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "user"))
    for name in ("STORE", "PROJECT", "VERSIONS", "KEEP_BYTES_MAX", "STRICT", "ENABLED"):
        monkeypatch.delenv(f"SNAKEPROV_{name}", raising=False)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A working directory."""
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def test_without_any_source_the_defaults_hold(work: Path) -> None:
    """An embedded store beside `.snakemake`, versions when bytes change."""
    settings = load(work)

    assert settings == Settings()
    assert store_of(settings, work) == str(work / ".snakeprov")


def test_later_sources_win_and_each_is_remembered(work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """User's file, then the working directory's, then the environment, then the call."""
    (tmp_path / "user" / "snakeprov").mkdir(parents=True)
    user = tmp_path / "user" / "snakeprov" / "config.toml"
    user.write_text('project = "user"\nversions = "always"\nkeep_bytes_max = "1kB"\nstore = "/srv/prov"\n')
    (work / "snakeprov.toml").write_text('project = "folder"\nkeep_bytes_max = "2KiB"\nversions = "changed"\n')
    monkeypatch.setenv("SNAKEPROV_PROJECT", "environment")
    monkeypatch.setenv("SNAKEPROV_STRICT", "yes")

    settings = load(work, {"project": "call", "versions": None}, origin="the Snakefile")

    assert (settings.store, settings.project, settings.keep_bytes_max) == ("/srv/prov", "call", 2048)
    assert (settings.strict, settings.versions) == (True, "changed")
    assert dict(settings.origins) == {
        "store": str(user),
        "versions": str(work / "snakeprov.toml"),
        "keep_bytes_max": str(work / "snakeprov.toml"),
        "project": "the Snakefile",
        "strict": "the environment",
    }


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("stor", "x", "Unknown setting 'stor' in the Snakefile. Did you mean 'store'?"),
        ("zzz", 1, "Unknown setting 'zzz' in the Snakefile. The settings are: store, project,"),
        (
            "versions",
            "often",
            "The setting 'versions' in the Snakefile is 'often'; expected \"changed\" or \"always\".",
        ),
        ("upload", "perhaps", "The setting 'upload' in the Snakefile is 'perhaps'; expected true or false."),
        ("strict", "perhaps", "The setting 'strict' in the Snakefile is 'perhaps'; expected true or false."),
        ("keep_bytes_max", "lots", "The setting 'keep_bytes_max' in the Snakefile is 'lots'; expected a size"),
        ("keep_bytes_max", -1, "The setting 'keep_bytes_max' in the Snakefile is -1; expected a size"),
        ("keep_bytes_max", True, "The setting 'keep_bytes_max' in the Snakefile is True; expected a size"),
        ("store", "", "The setting 'store' in the Snakefile is ''; expected a text that is not empty."),
        ("redact", 3, "The setting 'redact' in the Snakefile is 3; expected a list of regular expressions."),
        (
            "redact",
            ["a("],
            "The setting 'redact' in the Snakefile has the pattern 'a(', which is not a regular expression",
        ),
        ("redact", ["x*"], "The setting 'redact' in the Snakefile has the pattern 'x*', which matches the empty text;"),
        ("project", 3, "The setting 'project' in the Snakefile is 3; expected a text that is not empty."),
    ],
)
def test_a_wrong_setting_is_told_with_its_value_and_what_was_expected(
    work: Path, name: str, value: object, sentence: str
) -> None:
    """One sentence each."""
    with pytest.raises(ConfigError) as caught:
        load(work, {name: value}, origin="the Snakefile")

    assert str(caught.value).startswith(sentence)


def test_patterns_of_all_sources_are_redacted(work: Path) -> None:
    """A project or a call adds to what the user wants hidden everywhere, and takes nothing away."""
    (work / "snakeprov.toml").write_text("redact = ['one', 'two']\n")
    assert load(work, {"redact": ["two", "three"]}).redact == ("one", "two", "three")
    assert load(work, {"redact": "four"}).redact == ("one", "two", "four")


@pytest.mark.parametrize("content", [b"store = ", b"\xff\xfe"])
def test_a_settings_file_that_cannot_be_understood_is_named(work: Path, content: bytes) -> None:
    """Neither TOML's nor Unicode's own words alone."""
    (work / "snakeprov.toml").write_bytes(content)

    with pytest.raises(ConfigError, match=r"The settings file .*snakeprov\.toml (is not valid TOML|cannot be read)"):
        load(work)


@pytest.mark.parametrize(("text", "size_bytes"), [("100MB", 10**8), ("2 GiB", 2**31), ("1.5k", 1500), ("0", 0), (7, 7)])
def test_sizes_are_read_as_people_write_them(work: Path, text: object, size_bytes: int) -> None:
    """Decimal and binary prefixes, with or without B."""
    assert load(work, {"keep_bytes_max": text}).keep_bytes_max == size_bytes


def test_strict_is_known_even_where_other_settings_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt setting beside it must not switch it off; later sources win as always."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    (tmp_path / "snakeprov.toml").write_text('strict = true\nprojct = "x"\n')

    assert wants_strict(tmp_path)
    assert not wants_strict(tmp_path, {"strict": False})
    monkeypatch.setenv("SNAKEPROV_STRICT", "no")
    assert not wants_strict(tmp_path)
    (tmp_path / "snakeprov.toml").write_text("strict = ")
    assert wants_strict(tmp_path, {"strict": True})


def test_a_home_that_may_not_be_read_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So it is under `sudo -u`; a file of the working directory that may not be read is an error all the same."""
    if os.geteuid() != 0:
        pytest.skip("becoming another user takes root")
    top = Path(tempfile.mkdtemp())
    top.chmod(0o755)
    home = top / "home"
    (home / "snakeprov").mkdir(parents=True)
    (home / "snakeprov" / "config.toml").write_text('project = "ada"')
    (top / "snakeprov.toml").write_text('project = "flights"')
    (top / "snakeprov.toml").chmod(0o600)
    home.chmod(0o700)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    os.seteuid(65534)
    try:
        assert load(top / "none").project is None
        with pytest.raises(ConfigError, match=r"snakeprov\.toml cannot be read"):
            load(top)
    finally:
        os.seteuid(0)
        shutil.rmtree(top)
