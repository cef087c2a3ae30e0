"""The names of files that code in other languages than Python has for its interpreter."""

from __future__ import annotations

import pytest

from snakeprov.capture.code import sourced as module
from snakeprov.capture.code.sourced import Named, sourced

ANYWHERE = ("work", "script", "root")


def named(language: str, code: str) -> list[Named]:
    return list(sourced(language, code))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        ('source("u.R")', "u.R"),
        ("base::source('u.R')", "u.R"),
        ('sys.source("u.R", envir = e)', "u.R"),
        ('source(file.path("R", "u.R"))', "R/u.R"),
        ('source(file.path("R", fsep = "/", "u.R"))', "R/u.R"),
        ('source(paste0("R/", "u", ".R"))', "R/u.R"),
        ('source(paste0("/lib/", "u.R"))', "/lib/u.R"),
        ('source(normalizePath("u.R"))', "u.R"),
        ('source(file.path("R", normalizePath("u.R")))', "R/u.R"),
        ('source(encoding = "UTF-8", file = "u.R")', "u.R"),
        ('source(chdir = TRUE, "u.R")', "u.R"),
        ('source(local = new.env(parent = f(a, ")")), file = "u.R")', "u.R"),
        ('source(local = a || f(b, c(1, 2), (3)), file = "u.R")', "u.R"),
        ('source("u.R") # source("v.R")', "u.R"),
        (r'source("u\"v.R")', 'u"v.R'),
    ],
)
def test_a_name_is_put_together_from_literals(call: str, name: str) -> None:
    """Of several arguments it is the first, or the one that is called so."""
    assert named("r", call) == [Named(name, ANYWHERE)]


@pytest.mark.parametrize(
    ("language", "call", "base"),
    [
        ("r", 'source(file.path(snakemake@scriptdir, "u"))', "script"),
        ("r", 'source(paste0(snakemake@scriptdir, "/u"))', "script"),
        ("r", 'source(here("u"))', "root"),
        ("r", 'source(here::here("u"))', "root"),
        ("r", 'source(file.path(here(), "u"))', "root"),
        ("r", 'source(file.path(getwd(), "u"))', "work"),
        ("julia", 'include(joinpath(@__DIR__, "u"))', "file"),
        ("julia", 'include("u")', "file"),
        ("julia", 'include(x -> x, joinpath(pwd(), "u"))', "work"),
        ("julia", 'include(string(@__DIR__, "/u"))', "file"),
    ],
)
def test_a_name_begins_where_the_code_says(language: str, call: str, base: str) -> None:
    """And only there."""
    assert named(language, call) == [Named("u", (base,))]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "call",
    [
        "source(u)",
        'source(f("u.R"))',
        'source(f("a", "u.R"))',
        'source(normalizePath("a", "u.R"))',
        'source(file.path(u, "u.R"))',
        'source(file.path("R", snakemake@scriptdir))',
        'source("u" %+% ".R")',
        'source("u"[1])',
        'resource("u.R")',
        'x$source("u.R")',
        '# source("u.R")',
        "source(",
        'source("u.R',
    ],
)
def test_a_name_that_is_worked_out_is_not_known(call: str) -> None:
    """Nor is what only looks like a call."""
    assert named("r", call) == []


def test_a_name_of_too_many_parts_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the code is."""
    monkeypatch.setattr(module, "PARTS_MAX", 4)

    assert named("r", 'source(paste0("u", ".R"))') == []
    assert named("r", 'source("u.R"); x <- c(1, 2, 3, 4, 5)') == [Named("u.R", ANYWHERE)]
