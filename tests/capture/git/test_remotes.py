"""URLs: credentials taken out, and permalinks made from remotes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.capture.git.remotes import permalink
from snakeprov.model.credentials import strip_credentials

SHA = "1a2b3c4d" * 5


@pytest.mark.parametrize(
    ("url", "stripped"),
    [
        ("https://github.com/ada/flights.git", "https://github.com/ada/flights.git"),
        ("https://ada@github.com/ada/flights.git", "https://github.com/ada/flights.git"),
        ("https://ada:secret@github.com/ada/flights.git", "https://github.com/ada/flights.git"),
        ("https://ghp_secret@github.com/ada/flights.git", "https://github.com/ada/flights.git"),
        ("https://x-access-token:secret@host:8443/a/b", "https://host:8443/a/b"),
        ("https://ada:s@cr@t@host/a", "https://host/a"),
        ("https://ada:sec/ret@host/a", "https://host/a"),
        ("https://ada:sec#ret?@host/a", "https://host/a"),
        ("https://ada:secret@[2001:db8::1]:443/a", "https://[2001:db8::1]:443/a"),
        ("https://host/a@v1/b", "https://host/a@v1/b"),
        ("https://host:8080/a@v1", "https://host:8080/a@v1"),
        ("ssh://git@host:22/a/b.git", "ssh://git@host:22/a/b.git"),
        ("ssh://git:secret@host/a/b.git", "ssh://git@host/a/b.git"),
        ("git+ssh://git:secret@host/a", "git+ssh://git@host/a"),
        ("git@github.com:ada/flights.git", "git@github.com:ada/flights.git"),
        ("git:secret@github.com:ada/flights.git", "git@github.com:ada/flights.git"),
        ("ftp://ada:secret@host/a", "ftp://host/a"),
        ("https://host/a?private_token=secret", "https://host/a"),
        ("https://host/a?x=1&token=secret&y=2", "https://host/a?x=1&y=2"),
        (
            "https://b.s3.amazonaws.com/k?X-Amz-Credential=A&X-Amz-Signature=B&versionId=3",
            "https://b.s3.amazonaws.com/k?versionId=3",
        ),
        ("https://a.blob.core.windows.net/c/b?sv=2020&sig=secret", "https://a.blob.core.windows.net/c/b?sv=2020"),
        ("https://host/a#access_token=secret", "https://host/a"),
        ("https://host/a?#L3", "https://host/a?#L3"),
        ("s3://bucket/key", "s3://bucket/key"),
        ("/srv/git/flights.git", "/srv/git/flights.git"),
        ("results/a@b:c.txt", "results/a@b:c.txt"),
        ("", ""),
    ],
)
def test_credentials_are_stripped(url: str, stripped: str) -> None:
    """What gives access is taken out of a URL; everything else stays byte for byte."""
    assert strip_credentials(url) == stripped


@settings(max_examples=200)
@given(url=st.text(max_size=60) | st.builds("https://{}{}".format, st.text(max_size=20), st.text(max_size=30)))
def test_stripping_is_total_and_settles(url: str) -> None:
    """Any text can be stripped, and stripping twice is stripping once."""
    assert strip_credentials(strip_credentials(url)) == strip_credentials(url)


# Digits and a slash after a colon are read as port and path (`https://host:8080/@scope`), even in a password.
SECRETS = st.text(
    st.characters(codec="ascii", exclude_characters="@", min_codepoint=33), min_size=8, max_size=20
).filter(lambda secret: not re.match(r"[0-9]*[/?#]", secret))


@settings(max_examples=100)
@given(secret=SECRETS)
def test_no_password_survives(secret: str) -> None:
    """A password is gone whatever characters it is made of, escaped or not."""
    assert strip_credentials(f"https://ada:{secret}@github.com/ada/flights.git") == "https://github.com/ada/flights.git"


GITHUB = f"https://github.com/ada/flights/blob/{SHA}/workflow/Snakefile"


@pytest.mark.parametrize(
    ("remote", "line", "url"),
    [
        ("https://github.com/ada/flights.git", None, GITHUB),
        ("https://github.com/ada/flights", 12, GITHUB + "#L12"),
        ("https://github.com/ada/flights/", 12, GITHUB + "#L12"),
        ("https://ada:token@GitHub.com/ada/flights.git", None, GITHUB),
        ("git@github.com:ada/flights.git", None, GITHUB),
        ("github.com:ada/flights.git", None, GITHUB),
        ("git@github.com:/ada/flights.git", None, GITHUB),
        ("ssh://git@github.com/ada/flights.git", None, GITHUB),
        ("ssh://git@ssh.github.com:443/ada/flights.git", None, GITHUB),
        ("git://github.com/ada/flights.git", None, GITHUB),
        ("git@github.example.org:a/b.git", None, f"https://github.example.org/a/b/blob/{SHA}/workflow/Snakefile"),
        (
            "https://gitlab.com/g/sub/sub2/p.git",
            7,
            f"https://gitlab.com/g/sub/sub2/p/-/blob/{SHA}/workflow/Snakefile#L7",
        ),
        ("git@gitlab.example.org:g/p.git", None, f"https://gitlab.example.org/g/p/-/blob/{SHA}/workflow/Snakefile"),
        (
            "ssh://git@gitlab.example.org:2222/g/p.git",
            None,
            f"https://gitlab.example.org/g/p/-/blob/{SHA}/workflow/Snakefile",
        ),
        ("http://gitlab.local:8080/g/p", None, f"http://gitlab.local:8080/g/p/-/blob/{SHA}/workflow/Snakefile"),
        ("git@bitbucket.org:t/p.git", 3, f"https://bitbucket.org/t/p/src/{SHA}/workflow/Snakefile#lines-3"),
        (
            "ssh://git@bitbucket.example.org:7999/PRJ/p.git",
            3,
            f"https://bitbucket.example.org/projects/PRJ/repos/p/browse/workflow/Snakefile?at={SHA}#3",
        ),
        (
            "https://bitbucket.example.org/ctx/scm/~ada/p.git",
            None,
            f"https://bitbucket.example.org/ctx/users/ada/repos/p/browse/workflow/Snakefile?at={SHA}",
        ),
    ],
)
def test_permalink_of_known_hosts(remote: str, line: int | None, url: str) -> None:
    """Every form of a remote at a known host gives the page of the file at the commit, at the line."""
    assert permalink(remote, SHA, "workflow/Snakefile", line=line) == url


@pytest.mark.parametrize(
    "remote",
    [
        "",
        "/srv/github/flights.git",
        "../github/flights.git",
        "file:///srv/github.com/a/b.git",
        "C:\\github\\flights",
        "https://example.org/a/b.git",
        "git@example.org:github/b.git",
        "https://github.com/",
        "https://github.com/ada",
        "https://[broken/github",
        "https://github.com:port/a/b",
        "s3://github/a/b",
        "https://bitbucket.example.org/a/b/c/d.git",
    ],
)
def test_no_permalink_for_other_remotes(remote: str) -> None:
    """A local remote, an unknown host or a broken address gives no permalink, and no error."""
    assert permalink(remote, SHA, "Snakefile") is None


def test_special_characters_of_a_path_are_quoted() -> None:
    """Spaces, hashes, percents, question marks, unicode and bytes that are not UTF-8 are quoted in the URL."""
    url = permalink("git@github.com:ada/flights.git", SHA, "a b/#1 %?é\udcff.py", line=1)
    assert url == f"https://github.com/ada/flights/blob/{SHA}/a%20b/%231%20%25%3F%C3%A9%FF.py#L1"


@settings(max_examples=200)
@given(remote=st.text(max_size=40) | st.builds("https://github.com{}".format, st.text(max_size=20)))
def test_permalink_never_raises(remote: str) -> None:
    """Any text may be the remote of a store."""
    permalink(remote, SHA, "Snakefile")
