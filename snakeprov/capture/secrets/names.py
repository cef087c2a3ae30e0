"""Says which names announce a secret, and which values cannot be one.

A secret that is missed stays for ever; a word that is hidden without need is an annoyance. In doubt it is hidden. What
cannot be a secret is kept, since it is worth reading: `$TOKEN`, the name of a file, `max_tokens=512`, `FILTER="PASS"`.
"""

from __future__ import annotations

import functools
import itertools
import os
import re

MARK = "***"
"""What stands in the place of a secret."""

_PATH_CHARACTERS_MAX = 4096

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS = frozenset(
    """
    password passwords passwd passwds passphrase passphrases passcode sshpass token tokens secret secrets credential
    credentials cred creds auth authorization oauth apikey apikeys accesskey secretkey privatekey pwd passw
    passwort bearer cookie cookies sessionid jsessionid phpsessid sessid
    """.split()  # noqa: SIM905
)
_SECRET_ENDINGS = ("password", "passwd", "passphrase", "token", "secret", "apikey", "accesskey", "secretkey")
_KEY_KINDS = frozenset(
    """
    api access secret private signing encryption encrypt decryption crypt master account auth shared subscription ssh
    license deploy service storage consumer client app session admin root hmac jwt aes rsa fernet pgp gpg vault
    openai anthropic cohere mistral gemini groq huggingface hf replicate wandb comet neptune aws azure gcp google
    stripe sendgrid twilio mailgun datadog newrelic sentry elastic algolia mapbox maps s3 b2 r2 minio wasabi
    cloudflare fastly heroku github gitlab slack django flask rails ncbi entrez pubmed ensembl uniprot kaggle zenodo
    figshare dataverse osf crossref elsevier scopus springer nasa census ebird gbif iucn planet copernicus cds
    earthdata synapse
    """.split()  # noqa: SIM905
)
_HARMLESS_LAST = frozenset(
    """
    file files path paths dir directory folder name url uri type kind format count length len size limit max
    min expiry expires ttl stdin env var variable scheme method required version scope scopes endpoint sock
    id jar mode algorithm column col field sep separator index status policy prompt rate
    """.split()  # noqa: SIM905
)
_HARMLESS_FIRST = frozenset(
    """
    max min n num number total has is no use pad bos eos unk sep cls mask stop load
    """.split()  # noqa: SIM905
)
_HARMLESS_BEFORE_PASS = frozenset(
    """
    all band by com double each encom filter first four fourth high is last low multi n next no num number one over
    per qc read second single sur test third this three tres two under
    """.split()  # noqa: SIM905
)
_PAT_OF = frozenset(
    """
    github gitlab gh gl ghcr git azure ado devops vsts tfs bitbucket docker dckr synapse snowflake databricks jira
    atlassian notion figma personal my user
    """.split()  # noqa: SIM905
)
_NO_PAT_OF = frozenset("file files name path read reads sample fastq regex glob in out re".split())  # noqa: SIM905
_PASS = frozenset({"pass", "pw"})

_NO_SECRETS = frozenset(
    """
    null none nil undefined true false yes no on off auto default required optional prompt ask stdin basic bearer
    digest negotiate str string int integer float bool boolean bytes bytearray any object dict list tuple optional
    """.split()  # noqa: SIM905
)
_PLACEHOLDER = re.compile(r"\$|%\(|\{\{|<\(|@[\w./]|`|\{[A-Za-z_][\w.\[\]\"':!]*\}?\Z|(?:file|env|fd):")
_CALL = re.compile(r"[A-Za-z_][\w.]*[(\[]")
_COUNT = re.compile(r"[-+]?\d{1,5}(?:\.\d+)?%?\Z")
_COUNTABLE = frozenset({"token", "tokens", "pass", "cookie", "cookies", "auth"})


@functools.lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Tell whether a parameter, option or variable of this name holds a secret.

    >>> is_secret_name("AWS_SECRET_ACCESS_KEY"), is_secret_name("githubToken"), is_secret_name("FTP_PASS")
    (True, True, True)
    >>> is_secret_name("author"), is_secret_name("max_tokens"), is_secret_name("token_file"), is_secret_name("key")
    (False, False, False, False)
    """
    words = _words(name)
    if not words or name in ("PWD", "OLDPWD"):
        return False
    if words[0] in _HARMLESS_FIRST or (words[-1] in _HARMLESS_LAST and words[-2:] != ["key", "id"]):
        return False
    if _announces_pass(words) or _announces_pat(name, words):
        return True
    return any(word in _SECRET_WORDS or word.endswith(_SECRET_ENDINGS) for word in words) or any(
        kind in _KEY_KINDS and key in ("key", "keys") for kind, key in itertools.pairwise(words)
    )


@functools.lru_cache(maxsize=4096)
def is_header_name(name: str) -> bool:
    """Tell whether what follows a name is a whole line of HTTP: `Cookie: a=b; c=d`, `Authorization: Basic abc`."""
    return name.lower() in ("authorization", "proxy-authorization", "cookie", "set-cookie", "http.extraheader")


def is_secret_value(value: str, name: str = "password") -> bool:
    """Tell whether text that stands under the name of a secret can be one.

    It cannot where it is empty or a constant, is looked up when a command runs (`$TOKEN`), is computed (`read(x)`),
    names a file, or where it is a number and the name also is that of something that is counted.

    >>> is_secret_value("hunter2"), is_secret_value("$TOKEN"), is_secret_value("None,")
    (True, False, False)
    >>> is_secret_value("2", "pass"), is_secret_value("a=b", "cookie"), is_secret_value("cookies.txt", "cookie")
    (False, True, False)
    """
    plain = value.strip().rstrip(",;.>)}]").lower()
    if not plain or plain.strip("*") == "" or plain in _NO_SECRETS:
        return False
    if _PLACEHOLDER.match(value) or _CALL.match(value):
        return False
    last = _words(name)[-1:]
    if last and last[0] in _COUNTABLE and _COUNT.match(plain):
        return False
    if last and last[0] == "pass" and (plain in ("pass", "fail", "passed") or plain.isdecimal()):
        return False
    if last and last[0] in ("cookie", "cookies") and "=" not in value and len(value) < 24:
        return False
    return not (value.startswith("/") and len(value) < _PATH_CHARACTERS_MAX and os.path.lexists(value))


@functools.lru_cache(maxsize=4096)
def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name)]


def _announces_pass(words: list[str]) -> bool:
    """Tell of `pass`, `db_pass`, `dbpass`, `userpw`; not of `first_pass`, `bypass`, `lowpass`."""
    *before, last = words
    if last.isdecimal() and before:
        *before, last = before
    if last in _PASS:
        return not before or before[-1] not in _HARMLESS_BEFORE_PASS
    for ending in _PASS:
        if last.endswith(ending):
            return last.removesuffix(ending) not in _HARMLESS_BEFORE_PASS
    return False


def _announces_pat(name: str, words: list[str]) -> bool:
    """Tell of `GITHUB_PAT`, `azure_pat`: a personal access token. Elsewhere `pat` is a pattern."""
    if len(words) < 2 or words[-1] != "pat":
        return False
    return words[-2] in _PAT_OF or (name.isupper() and words[-2] not in _NO_PAT_OF)
