"""What is taken for a secret in plain text, and what is left to be read."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.capture.secrets.finders import environment_secrets, finders
from snakeprov.capture.secrets.names import MARK, is_secret_name

GITHUB = "ghp_" + "a1B2" * 9
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow+/IBAAKCAQEA\n-----END RSA PRIVATE KEY-----"
LOGIN = base64.b64encode(b"ada:hunter2").decode()


def hide(text: str) -> str:
    for one in finders(text):
        text = one(text)
    return text


@pytest.mark.parametrize(
    "name",
    [
        *(
            "password",
            "PASSWORD",
            "db_password",
            "dbPassword",
            "PGPASSWORD",
            "passwd",
            "passphrase",
            "pass",
            "MYSQL_PWD",
        ),
        *("token", "GITHUB_TOKEN", "githubToken", "accesstoken", "hf-token", "secret", "client_secret", "clientSecret"),
        *("api_key", "apiKey", "APIKey", "api-key", "apikey", "X-API-Key", "access_key", "AWS_SECRET_ACCESS_KEY"),
        *(
            "aws_access_key_id",
            "private_key",
            "privateKey",
            "credential",
            "credentials",
            "auth",
            "basic_auth",
            "tokens",
        ),
    ],
)
def test_names_that_announce_a_secret(name: str) -> None:
    """In snake, camel and kebab case, alone and as a part."""
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "author", "authors", "tokenizer", "max_tokens", "n_tokens", "pad_token", "secretome", "passes", "bypass"),
        *(
            "key",
            "keys",
            "primary_key",
            "keyword",
            "password_file",
            "token_path",
            "auth_url",
            "PWD",
            "OLDPWD",
            "compass",
        ),
        *("token-count", "secretName", "0", "accession", "privateer", "monkey"),
    ],
)
def test_names_that_only_resemble_one(name: str) -> None:
    """Fields of biology and machine learning, and where a secret lies, are worth reading."""
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("tool --password hunter2 --bins 30", "tool --password *** --bins 30"),
        ("tool --password=hunter2", "tool --password=***"),
        ("tool --password 'hunter 2' x", "tool --password '***' x"),
        ('tool --api-key "a\\"b" x', 'tool --api-key "***" x'),
        ("tool --password \\\n    hunter2", "tool --password \\\n    ***"),
        ("tool --token 'never closed", "tool --token '***"),
        ("export PGPASSWORD=hunter2; psql", "export PGPASSWORD=***; psql"),
        ("docker run -e API_TOKEN=hunter2 image", "docker run -e API_TOKEN=*** image"),
        ("{'api_key': 'hunter2', 'n': 1}", "{'api_key': '***', 'n': 1}"),
        ('{"password": "hunter2"}', '{"password": "***"}'),
        ("password: hunter2", "password: ***"),
        ('connect(user="ada", password="hunter2")', 'connect(user="ada", password="***")'),
        ('if token == "hunter2":', 'if token == "***":'),
        ("curl -u ada:hunter2 example.org", "curl -u *** example.org"),
        ("curl -sS --user 'ada:hunter2' example.org", "curl -sS --user '***' example.org"),
        ("curl -H 'Authorization: Bearer hunter2' x", "curl -H 'Authorization: Bearer ***' x"),
        ("Authorization: hunter2", "Authorization: ***"),
        (f"sent Basic {LOGIN}", f"sent Basic {MARK}"),
        ("got bearer abc.def-123 back", "got bearer *** back"),
        ("mysql -uada -phunter2 -h db", "mysql -uada -p*** -h db"),
        ("sshpass -p hunter2 ssh ada@host", "sshpass -p *** ssh ada@host"),
        ("git clone https://ada:hunter2@host/a.git b", "git clone https://***@host/a.git b"),
        ("see https://host/a?x=1&sig=hunter2&y=2.", "see https://host/a?x=1&sig=***&y=2."),
        ("postgresql+psycopg://ada:hunter2@db:5432/x", "postgresql+psycopg://***@db:5432/x"),
        (f"use {GITHUB}", "use ***"),
        (f"got {JWT} x", "got *** x"),
        ("AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "***"),
        ("github_pat_" + "1aB2" * 8, "***"),
        ("hook xoxb-123456789012-abcdefgh", "hook ***"),
        ("login with spt_" + "Ab1-" * 8, "login with ***"),
        (f"before\n{PEM}\nafter", "before\n***\nafter"),
        (PEM[:40], "***"),
        (PEM[34:] + "\nafter", "***\nafter"),
    ],
)
def test_secrets_in_text(text: str, hidden: str) -> None:
    """What gives access is replaced by the mark; what stands around it stays."""
    assert hide(text) == hidden


@pytest.mark.parametrize(
    "text",
    [
        "python plot.py --bins 30 --title 'Bill length' --output results/plot.png",
        "train --max-tokens 512 --pad-token '[PAD]' --tokenizer bert --author Ada",
        'curl -H "Authorization: Bearer $TOKEN" --password "$PASSWORD" https://host/a?x=1',
        "tool --password-file /dev/null --api-key $(cat key) --token",
        "login --password --verbose",
        "Basic statistics of bearers of the monkey key: asia",
        '{"token": null, "password": ""}',
        "s3://bucket/key=1/a.csv",
        "git clone ssh://git@github.com/ada/flights.git",
        "mysql -u ada -p -h db",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    """Variables of the shell, names of files, options that only sound like it, and URLs without a login."""
    assert hide(text) == text


@settings(max_examples=150, deadline=None)
@given(
    text=st.lists(
        st.sampled_from(
            [
                *("--password", " ", "=", ":", "'", '"', "\\", "token", "https://", "@", "?", "&", "x1", "\n", GITHUB),
                *("***", ";", "|", ")", ">", ",", ".", "export ", "Cookie: "),
            ]
        ),
        max_size=14,
    ).map("".join)
)
def test_hiding_is_total_and_settles(text: str) -> None:
    """Any text can be treated, and treating it twice is treating it once."""
    assert hide(hide(text)) == hide(text)


def test_long_texts_take_time_in_proportion() -> None:
    """Unclosed quotes, long words and many options cost no more than their length."""
    for piece in (
        "password='",
        "a" * 50,
        '--token "',
        "https://x@",
        "curl -x ",
        "key: \\",
        "https://a?token=x;",
        "; a=b token=c ",
    ):
        assert len(hide(piece * 4000)) <= len(piece) * 4000 + 8000


def test_the_environment_names_its_secrets() -> None:
    """Declared variables and those whose names say it, but not a path of something that exists."""
    environment = {
        "SITE": "siteword",
        "GITHUB_TOKEN": "tokenword",
        "SSH_AUTH_SOCK": "/dev/null",
        "GOOGLE_CREDENTIALS": "/dev/null",
        "HOME": "/root",
        "EMPTY_TOKEN": "",
    }
    assert set(environment_secrets(environment, ["SITE", "NOT_SET"])) == {"siteword", "tokenword"}
