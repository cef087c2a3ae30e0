"""Every way to write a secret, in every place where it can stand; and as many harmless texts that stay whole."""

from __future__ import annotations

import itertools
import json
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakeprov.capture.secrets.finders import _SHAPES, finders, may_hold
from snakeprov.capture.secrets.names import MARK
from snakeprov.capture.secrets.redactor import Redactor
from snakeprov.model.records import JobRecord

SECRET = "Qx7vuyz9Kp"  # noqa: S105  what the tests look for

NAMES = (
    *("password", "PASSWORD", "db_password", "DB_PASS", "ftp-pass", "dbpass", "FTP_PASS", "ASPERA_SCP_PASS", "passwd"),
    *("PGPASSWORD", "MYSQL_PWD", "userpw", "token", "GITHUB_TOKEN", "accessToken", "secret", "clientSecret", "api_key"),
    *("apiKey", "NCBI_API_KEY", "OPENAI_KEY", "STRIPE_KEY", "AccountKey", "secretAccessKey", "GITHUB_PAT", "AZURE_PAT"),
    *("credentials", "passphrase", "auth", "bearer", "JSESSIONID", "csrf_token", "private_key", "storepass"),
)

UNDER_NAMES = (
    *("{name}={secret}", "{name}='{secret}'", '{name}="{secret}"', "{name}: {secret}", "{name} = {secret}"),
    *(
        '"{name}": "{secret}"',
        "'{name}': '{secret}'",
        '"{name}":"{secret}"',
        '{name} => "{secret}"',
        "{name}:={secret}",
    ),
    *("--{name} {secret}", "--{name}={secret}", "--{name} '{secret}'", '-{name} "{secret}"', "-D{name}={secret}"),
    *(
        "x=1&{name}={secret}",
        "x=1&{name}={secret}&y=2",
        "a,{name}={secret},b=1",
        "a;{name}={secret};b=1",
        "(x,{name}={secret})",
    ),
    *("config['{name}'] = '{secret}'", "user[{name}]={secret}", "<{name}>{secret}</{name}>", "{name}%3D{secret}"),
    *(
        "['--{name}', '{secret}']",
        "{name}=$'{secret}'",
        "{name}={secret}|cat",
        "{name}={secret}>x",
        'f({name}=f"{secret}")',
    ),
    *(
        "--{name} \\\n    {secret}",
        "git config x.{name} {secret}",
        "aws configure set {name} {secret}",
        "setenv {name} {secret}",
        "ENV {name} {secret}",
    ),
    *("os.putenv('{name}', '{secret}')", 'conf.set("x", "{name}", "{secret}")', 'r.add_header("{name}", "{secret}")'),
)

LISTS = (
    *('["{name}:", "{secret}"]', "['-H', '{name}:', '{secret}', 'h']", '["{name}: ", "{secret}"]'),
    *('["--{name}=", "{secret}", "-x"]', "('{name}=', '{secret}')", '[\n  "{name}:",\n  "{secret}"\n]'),
)

PAIRS = (
    *('{{"name": "{name}", "value": "{secret}"}}', '{{"name":"{name}","value":"{secret}"}}'),
    *("{{'key': '{name}', 'value': '{secret}', 'n': 1}}", '{{"value": "{secret}", "name": "{name}"}}'),
    *(
        '{{"ParameterKey": "{name}", "ParameterValue": "{secret}"}}',
        '{{\n  "Name": "{name}",\n  "Value": "{secret}"\n}}',
    ),
    *('{{"name": "{name}", "type": "str", "value": "{secret}"}}', "- {{name: {name}, value: {secret}}}"),
    *(
        "- name: {name}\n  value: {secret}",
        '- name: "{name}"\n  value: "{secret}"',
        "- value: {secret}\n  name: {name}",
    ),
    *("env:\n- name: A\n  value: b\n- name: {name}\n  value: {secret}\n- name: C\n  value: 2",),
    *(
        '[[env]]\nname = "{name}"\nvalue = "{secret}"',
        "name={name}&value={secret}",
        "f(name='{name}', value='{secret}')",
    ),
    *(
        "<name>{name}</name><value>{secret}</value>",
        "<name>{name}</name>\n  <final>true</final>\n  <value>{secret}</value>",
    ),
    *('<input name="{name}" value="{secret}">', "<entry key='{name}' value='{secret}'/>"),
)

LOGINS = (
    *(
        "curl -u ada:{secret} http://h",
        "curl -sSu ada:{secret} http://h",
        "curl --user=ada:{secret} h",
        "curl -uada:{secret} h",
    ),
    *('curl -H "X-Api-Key: {secret}" h', "curl -H 'X-Auth-Token: {secret}' h", 'curl -H "Cookie: a=1; sid={secret}" h'),
    *(
        'curl -H "Accept: text/csv" -H "X-Api-Key: {secret}" h',
        'curl -b "sid={secret}" h',
        "curl --cookie sid={secret} h",
    ),
    *(
        "curl -H 'Authorization: Bearer {secret}' h",
        "curl -H 'Authorization: {secret}' h",
        "curl --oauth2-bearer {secret} h",
    ),
    *("curl -H 'PRIVATE-TOKEN: {secret}' h", 'curl -d "user=ada&password={secret}" h', "curl -F token={secret} h"),
    *(
        "wget --http-password={secret} h",
        "wget --post-data='user=ada&token={secret}' h",
        "aria2c --http-passwd={secret} u",
    ),
    *(
        "docker login -u ada -p {secret} registry",
        "podman login -p={secret} -u ada r",
        "skopeo copy --src-creds ada:{secret} a b",
    ),
    *("echo {secret} | docker login -u ada --password-stdin r", "docker login --password-stdin <<< {secret}"),
    *("smbclient //h/s -U ada%{secret} -c ls", "lftp -u ada,{secret} ftp.example.org", "ncftpget -u ada -p {secret} h"),
    *(
        "redis-cli -a {secret} ping",
        "mysql -uada -p{secret} db",
        "mysqldump -p{secret} db",
        "mongosh -u ada -p {secret} h",
    ),
    *("sshpass -p {secret} ssh h", "sshpass -p{secret} ssh h", "unzip -P {secret} a.zip", "7z x -p{secret} a.7z"),
    *(
        "gpg --batch --passphrase {secret} -d x",
        "openssl enc -d -pass pass:{secret} -in x",
        "openssl rsa -passin pass:{secret}",
    ),
    *(
        "psql postgresql://ada:{secret}@h/db",
        "git clone https://ada:{secret}@h/r.git",
        "rsync rsync://ada:{secret}@h/m .",
    ),
    *(
        "wget 'https://h/a?sv=1&sig={secret}&se=2'",
        "wget 'https://h/a?X-Amz-Signature={secret}'",
        "wget https://h/a?token={secret}",
    ),
    *('git -c http.extraheader="AUTHORIZATION: bearer {secret}" clone u', "synapse login -u ada -p {secret}"),
    *(
        "keytool -storepass {secret} -list",
        "ldapsearch -x -D cn=a -w {secret}",
        "htpasswd -b f ada {secret}",
        "iinit {secret}",
    ),
    *("machine h login ada password {secret}", "CREATE USER ada IDENTIFIED BY '{secret}'", "rclone obscure {secret}"),
    *("twine upload -u ada -p {secret} dist/*", "mount -o username=ada,password={secret} //h/s /m"),
)

UNCLOSED = (
    *('curl -u ada:"{secret} h', "curl -u 'ada:{secret} h", "curl -u'ada:{secret}", 'curl --user="ada:{secret}'),
    *('curl --user=ada:"{secret}', 'curl -b "sid={secret}', 'curl -bsid="{secret}', 'mysql -p"{secret} db'),
    *("mysql -p'{secret} db", 'sshpass -p"{secret} ssh h', "7z x -p'{secret} a", 'unzip -P"{secret} a.zip'),
    *("lftp -u ada,'{secret}", 'smbclient //h/s -U ada%"{secret} -c ls', "smbclient -Uada%'{secret}"),
    *("redis-cli -a '{secret}", "openssl enc -d -pass pass:'{secret}", 'docker login -p "{secret} r'),
    *('tool --password="{secret}', "tool --password '{secret}", 'token: "{secret}', '{{"password": "{secret}'),
    *("DB_PASS='{secret}", 'unzip -P"{secret}" a.zip', "curl -u 'ada:{secret}' h", "mysql -p'{secret}' db"),
)
"""Quotes that are glued to a login; most of them are never closed, as where a text was cut."""

SHAPES = (
    *(
        "ghp_" + "a1B2" * 9,
        "github_pat_" + "1aB2" * 8,
        "glpat-" + "a1B2" * 5,
        "AKIAIOSFODNN7EXAMPLE",
        "xoxb-123456789012-abcdef",
    ),
    *(
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN",
        "AIza" + "a1B2" * 9,
        "hf_" + "a1B2" * 8,
        "sk_live_" + "a1B2" * 6,
    ),
    *("https://hooks.slack.com/services/T00/B00/a1B2a1B2", "SG." + "a1B2" * 5 + "." + "a1B2" * 5, "dapi" + "a1b2" * 8),
)

Wrap = Callable[[str], str]
CONTEXTS: dict[str, Wrap] = {
    "first": lambda text: text,
    "after another": lambda text: f'tool --bins 30 --title "a, b" -o x.png; {text}',
    "in double quotes": lambda text: 'bash -c "' + text.replace("\\", "\\\\").replace('"', '\\"') + '"',
    "in single quotes": lambda text: "bash -c " + shlex.quote(text),
    "in JSON": lambda text: json.dumps({"n": 1, "cmd": text, "z": [2]}),
    "in JSON in JSON": lambda text: json.dumps({"a": json.dumps({"cmd": text})}),
    "in a list of Python": lambda text: repr(["sh", "-c", text, 3]),
    "in a log": lambda text: f"2026-01-01 12:00:00 ERROR it didn't work: {text}\nTraceback (most recent call last):",
    "in a script": lambda text: f"set -e\nif true; then\n    {text} || exit 1\nfi\n",
    "in a comment": lambda text: f"# e.g. {text}",
}


def hide(text: str) -> str:
    for one in finders(text):
        text = one(text)
    return text


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("form", [*UNDER_NAMES, *LISTS, *PAIRS])
def test_what_stands_under_a_name_is_hidden_in_every_form_and_context(form: str, context: str) -> None:
    """Each name that announces a secret, with each separator and each kind of quotes, wherever it stands."""
    shown = []
    for name in NAMES:
        text = CONTEXTS[context](form.format(name=name, secret=SECRET))
        if SECRET in hide(text):
            shown.append(text)
    assert shown == []


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("login", [*LOGINS, *UNCLOSED])
def test_logins_of_programs_are_hidden_in_every_context(login: str, context: str) -> None:
    """Options whose names say nothing, headers, cookies, form data and URLs."""
    text = CONTEXTS[context](login.format(secret=SECRET))
    assert SECRET not in hide(text), hide(text)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("token", SHAPES)
def test_tokens_of_known_shapes_are_hidden_in_every_context(token: str, context: str) -> None:
    """Nothing announces them."""
    assert token[8:] not in hide(CONTEXTS[context](f"use {token} now"))


@pytest.mark.parametrize(
    "secret", ["a,b;c", "a&b", "p@ss:w/rd", "x=y", "a|b", "(abc)d", "ab#cd", "100%x", "[x]y", "a b c"]
)
@pytest.mark.parametrize(
    "form", ["--password '{secret}' x", '{{"password": "{secret}"}}', "password: {secret}\n", "PASSWORD='{secret}' cmd"]
)
def test_a_secret_is_hidden_to_its_end(form: str, secret: str) -> None:
    """Separators in a secret are parts of it."""
    hidden = hide(form.format(secret=secret))
    assert "***" in hidden
    assert not any(part in hidden.replace("password", "").replace("PASSWORD", "") for part in (secret, secret[2:]))


def success(**facts: Any) -> JobRecord:
    return JobRecord(id="1" * 32, run_id="2" * 32, status="success", rule="a", **facts)


def test_every_place_of_a_record_is_searched() -> None:
    """Params, config keys, commands, logs, patches: the same search finds it in each."""
    for form, name in itertools.product(UNDER_NAMES[:12], NAMES):
        text = form.format(name=name, secret=SECRET)
        record = JobRecord(
            id="1" * 32,
            run_id="2" * 32,
            status="failed",
            rule="a",
            shellcmd=text,
            log_excerpt=f"x\n{text}",
            params={name: SECRET, "extra": [text]},
        )
        record = Redactor().job(record)
        assert SECRET not in repr((record.shellcmd, record.log_excerpt, record.params))
        patch = f"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-{text}\n+{text}\n"
        assert SECRET.encode() not in Redactor().patch(patch.encode())


WORDS = (
    *("--password {secret}", "--password={secret}", "--password '{secret}'", '-token "{secret}"', "-pass='{secret}'"),
    *("export TOKEN={secret}", "export TOKEN='{secret}'", "env A=b API_KEY={secret}", "sshpass -p {secret}"),
    *(
        "mysql -p{secret}",
        "mysql -p'{secret}'",
        "redis-cli -a {secret}",
        "a && DB_PASS={secret}",
        "x; PGPASSWORD={secret}",
    ),
    *("curl https://h/a?token={secret}", "curl 'https://h/a?token={secret}'", "curl https://h/a?x=1;sig={secret}"),
)
OPERATORS = (
    ";",
    "&&",
    "||",
    "|",
    "|&",
    "&",
    ");",
    ")|",
    ">",
    ">>",
    "<",
    "\n",
    ";;",
    "; ",
    " && ",
    " | ",
    " )",
    " > ",
    " &\n",
)


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("form", WORDS)
def test_a_command_is_told_as_it_was_around_its_secrets(form: str, operator: str) -> None:
    """What stands behind a secret, with or without a blank, is no part of it: the operators of a shell end a word."""
    for rest in (
        "sort -k 2 in.tsv",
        "x",
        "'a b' c",
        '"$X"',
        "$X",
        "/dev/null 2>&1",
        "PGPASSWORD='{secret}' psql",
        "A=b",
    ):
        text = f"{form}{operator}{rest}"
        assert hide(text.format(secret=SECRET)) == text.format(secret=MARK)


@pytest.mark.parametrize("operator", ["; ", ";", " && ", "&&", "|", " | ", "&", "\n"])
@pytest.mark.parametrize("name", ["PASSWORD", "apiKey"])
def test_a_variable_at_the_beginning_of_a_line(name: str, operator: str) -> None:
    """What follows is a command where it looks like one; else it may be the rest of the value, as in an INI file."""
    assert hide(f"{name}={SECRET}{operator}sort -k 2 in.tsv") == f"{name}=***{operator}sort -k 2 in.tsv"
    for character in ";&|<>)":
        assert hide(f"{name}={SECRET}{character}{SECRET}\nx") == f"{name}=***\nx"


def test_a_command_that_a_message_quotes_in_the_quotes_that_it_has() -> None:
    """The quote before the name of a header is the one that ends it."""
    text = "Command 'curl -H 'Cookie: a={secret}; b=2' h > a.txt; exit 3' returned non-zero exit status 3."
    assert hide(text.format(secret=SECRET)) == (
        "Command 'curl -H 'Cookie: ***' h > a.txt; exit 3' returned non-zero exit status 3."
    )


@pytest.mark.parametrize(
    "text",
    [
        *("tool --out a.txt 2>&1 --verbose", "curl http://h > out -o x", "curl -o a.txt http://h &> log"),
        *("mysql -u ada < in.sql", "(curl http://h/a?x=1)", "for u in http://h/a?x=1; do"),
    ],
)
def test_operators_without_a_secret_stay(text: str) -> None:
    """Nothing is taken out of a command, and its operators are read over."""
    assert hide(text) == text


@pytest.mark.parametrize("redirection", ["> out", "2>&1", "2> err", ">>out", "&> log", "< in", "<<< x"])
def test_a_login_behind_a_redirection(redirection: str) -> None:
    """A redirection may stand anywhere in a command."""
    assert hide(f"curl http://h {redirection} -u ada:{SECRET}") == f"curl http://h {redirection} -u ***"


ARGUMENTS = tuple(
    form
    for form in (*LOGINS, *(one.replace("{name}", "api-key") for one in UNDER_NAMES if one.startswith(("-", "aws"))))
    if not any(operator in form for operator in ("|", "<<<", "IDENTIFIED", "machine", "\\\n"))
)


@pytest.mark.parametrize("form", ARGUMENTS)
def test_a_command_that_is_a_list_of_words(form: str) -> None:
    """What is secret in a line of a shell is so in its words: as a list, nested, as params without names, anywhere."""
    words = shlex.split(form.format(secret=SECRET))
    for value in (
        {"cmd": words},
        [words],
        [["nice", "-n", 5], *([word] for word in words)],
        {str(number): word for number, word in enumerate(words)},
        {"0": words[0], "1": words[1:]},
        {"steps": [{"run": words}, None, "last"]},
    ):
        assert SECRET not in repr(Redactor().value(value))
        record = Redactor().job(success(params={"given": value}, log_excerpt="x"))
        assert SECRET not in repr(record)


@pytest.mark.parametrize("name", NAMES)
def test_a_value_that_another_member_names(name: str) -> None:
    """An object with a name and a value, in either order, nested, and in lists of words."""
    for value in (
        {"name": name, "value": SECRET},
        {"env": [{"value": SECRET, "name": name}, {"name": "n", "value": "x"}]},
        {"parameters": [{"ParameterKey": f"--{name}", "type": "str", "ParameterValue": [SECRET]}]},
        [f"{name}:", SECRET],
        ["tool", "-H", f"{name}: ", SECRET, "x"],
        {"given": [[f"--{name}=", SECRET]]},
    ):
        assert SECRET not in repr(Redactor().value(value))
        record = Redactor().job(success(params={"given": value}, log_excerpt=f"got {SECRET}"))
        assert SECRET not in repr(record)


@pytest.mark.parametrize(
    "secret", ["a b", "it's", 'a"b c', "a;b|c", "a\\b", "a,b=c", "line\nline", "(x)", "12345678", "ü€"]
)
def test_a_word_of_a_list_is_secret_as_a_whole(secret: str) -> None:
    """No character ends it, and it is hidden wherever else it stands."""
    value = f"{secret}{SECRET}"
    assert Redactor().value(["tool", "--password", value, "-x", 1]) == ["tool", "--password", "***", "-x", 1]
    record = Redactor().job(success(params={"given": ["sshpass", "-p", value]}, log_excerpt=f"got {value}."))
    assert (record.params, record.log_excerpt) == ({"given": ["sshpass", "-p", "***"]}, "got ***.")


@pytest.mark.parametrize(
    "words",
    [
        *(["--pass", 2, "--bins", 30], ["sample", "token", "n"], ["--password", "--verbose"], ["--token"], []),
        *(
            ["docker", "run", "-p", "8080:80"],
            ["mysql", "-u", "ada", "-p"],
            ["curl", "-b", "cookies.txt"],
            [["a"], 1.5],
        ),
        *(["password:", "--verbose"], ["token=", "user="], ["Password:", "User:"], ["token:"], ["sample:", "x"]),
        *([{"name": "token_count", "value": 5}], [{"name": "x", "value": "token"}], [{"name": "token", "n": "value"}]),
        *(["--password", "$PASSWORD"], ["--password", None], ["unzip", "-p", "a.zip"], ["pass", "fail", True]),
    ],
)
def test_lists_without_secrets_stay_whole(words: list[object]) -> None:
    """Also those in which something only sounds like one."""
    assert Redactor().value({"a": words, "b": "token"}) == {"a": words, "b": "token"}


@settings(max_examples=300, deadline=None)
@given(token=st.from_regex(_SHAPES, fullmatch=True))
def test_the_first_look_sees_each_shape(token: str) -> None:
    """What the cheap look passes over, the thorough search would not find either."""
    assert may_hold(token)


HARMLESS = (
    *('["password:", "user:", "host:"]', '["--token", "-t"]', "add_argument('--password', '-p', help='x')"),
    *('log("token:", token)', '["user", "password", "email"]', '{"name": "token", "x": 1}, {"value": 3}'),
    *('{"name": "max_tokens", "value": 512}', '{"name": "tokens", "value": 512}', '{"name": "PASS", "value": 12034}'),
    *('{"name": "a", "value": "secret"}', '{"type": "password", "value": "x"}', "name: Ada\nvalue: 3"),
    *("- name: TOKEN\n- value: 3", "- name: token\n  valueFrom: {secretKeyRef: {name: db, key: password}}"),
    *("- name: TOKEN\n  value: $TOKEN", "- name: TOKEN\n- name: B\n  value: c", "<name>token</name><n>1</n>"),
    *('<input name="password" type="password">', '<a name="token">x</a><b value="y">', "os.environ['TOKEN']"),
    *('os.environ.get("TOKEN", None)', 'sep.join("token", x)', 'd.setdefault("token", [])', "ENV PATH /opt/bin"),
    *('curl "http://h/a" -u "$USER"', 'mysql -p"$PASS" db', "unzip -p 'a b.zip'"),
    *(
        "tool --pass 2 --bins 30",
        "STAR --twopassMode Basic --runThreadN 8",
        "pass=1",
        "n_pass=3 first_pass=true",
        "bypass=abc",
    ),
    *(
        "vcftools --keep-filtered PASS --vcf a.vcf",
        "bcftools view -f PASS a.vcf",
        "bcftools filter -i 'FILTER=\"PASS\"' a.vcf",
    ),
    *(
        "awk '$7 == \"PASS\" { print }' a.vcf",
        '{"PASS": 12034, "FAIL": 3}',
        "PASS=120345 FAIL=3",
        "highpass=0.1 lowpass=40",
    ),
    *(
        "samtools sort -@ 8 -p 8 a.bam",
        "bwa mem -p ref a.fq",
        "sort -k 2,2 -k 3n a.tsv",
        "join --key column a b",
        "csvjoin -c key a b",
    ),
    *(
        "keyfile=path/to/key.txt",
        "--key-file keys.txt",
        "token_count=5",
        "max_tokens=512 n_tokens: 4",
        "tokens: 512",
        "--tokenizer bert",
    ),
    *("ACGTACGTTTGACCA", "md5 d41d8cd98f00b204e9800998ecf8427e", "commit 9eaae33c1f2e3d4a5b6c7d8e9f0a1b2c3d4e5f60"),
    *(
        "550e8400-e29b-41d4-a716-446655440000",
        "/data/secrets/../a.txt",
        "results/passed/sample.txt",
        "results/tokens.tsv",
    ),
    *(
        "docker run -p 8080:80 -u 1000:1000 image",
        "docker run -v $PWD:/data image",
        "mkdir -p out",
        "cp -p a b",
        "tar -pxf a.tar",
    ),
    *(
        "unzip -p a.zip x.txt > x.txt",
        "7z x -y a.7z",
        "curl -b cookies.txt -o out http://h",
        "curl -fsSL http://h/a.csv -o a.csv",
    ),
    *(
        "wget --load-cookies cookies.txt http://h",
        'curl -H "Authorization: Bearer $TOKEN" h',
        "curl -u $USER:$PASS http://h",
    ),
    *(
        "curl -H 'Accept: application/json' h",
        "git clone ssh://git@h/r.git",
        "mysql -u ada -p -h db",
        "redis-cli -h h -p 6379 ping",
    ),
    *(
        "lftp -u ada ftp.example.org",
        "smbclient //h/s -U ada -c ls",
        "openssl dgst -sha256 x",
        "openssl enc -pass file:/x -in a",
    ),
    *(
        "aws s3 cp s3://b/key=1/a.csv .",
        "aws configure list",
        "sed 's/token/word/' a",
        "grep -c password log.txt",
        "author: Ada Lovelace",
    ),
    *(
        "def f(token: str, password: str = None) -> str:",
        "for token in tokens:",
        "token = get_token(config)",
        "token = tokens[i]",
    ),
    *(
        'pattern = "*.pat"',
        "read_pat=S1",
        "FILE_PAT='*.fq'",
        "glob_pat: x",
        "--pat '*.fq'",
        "authorship=first",
        "keyword: genome",
    ),
    *(
        "the password is wrong",
        "no token given; see the secret page",
        "Enter passphrase for key:",
        "monkey=1 turkey=2 keyboard=us",
    ),
    *(
        "primary_key: id",
        "sort_key=name",
        "group_key = sample",
        "foreign_key=run",
        "password={params.password}",
        "token={config[token]}",
    ),
    *(
        "snakemake --cores 2 --config samples=a,b key=value",
        "Rscript -e 'x <- 1; print(x)'",
        "python -c 'print(1)' && ls | wc -l",
    ),
    *(
        "cookie_jar=/dev/null",
        "session=1",
        "assess=high",
        "process=3",
        "accession: SRR123456",
        "sess 1 of 3",
        "compass=north",
    ),
)


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize("text", HARMLESS)
def test_harmless_texts_stay_whole(text: str, context: str) -> None:
    """Bioinformatics and programming use the same words for other things."""
    whole = CONTEXTS[context](text)
    assert hide(whole) == whole
