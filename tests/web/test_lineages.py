"""Lineage, what is affected, contents by digest, comparisons and previews, on their pages."""

from __future__ import annotations

import gzip
import hashlib
import re
from pathlib import Path

import pytest

from snakeprov.lineage import fold
from snakeprov.lineage.graph import Graph
from snakeprov.web import highlight, lineages, methods

from ..cli.conftest import Study
from ..commands import call
from ..conftest import build_lineage
from .conftest import Reader, pages_of


def ids(pages: Reader, path: str) -> str:
    """The id of the entity of a file."""
    return pages.page(f"/f/{path}").url.rpartition("/")[2].partition(".")[0]


def test_the_page_of_a_file_draws_what_it_came_from(pages: Reader) -> None:
    """The boxes are links; beside the drawing are the raw inputs and the rules, with the sentence of the command."""
    page = pages.page("/f/results/figure.png").text
    said = pages.read("/f/results/figure.png")

    assert "came from 5 files through 4 activities" in said
    assert "Raw inputs 1 data/penguins.csv@1" in said
    assert "plot 1 summarise 1 clean 2" in said
    drawing = page[page.index("<svg") : page.index("</svg>")]
    assert f'<a href="/f/{ids(pages, "data/penguins.csv")}.1">' in drawing
    assert re.search(r'<a href="/j/[0-9a-f]{32}">', drawing)
    assert "<style" not in page


def test_a_raw_input_has_no_drawing(pages: Reader) -> None:
    """There is nothing to draw."""
    assert "<svg" not in pages.page("/f/data/penguins.csv").text


def test_a_large_lineage_is_drawn_as_far_as_it_can_be_read(pages: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says how far, and leads to the rest; the raw inputs are named all the same."""
    monkeypatch.setattr(lineages, "BOXES_MAX", 5)
    said = pages.read("/f/results/figure.png")

    assert "Only what lies within 1 job of it is drawn." in said
    assert "Raw inputs 1 data/penguins.csv@1" in said


def test_a_lineage_is_cut_at_a_depth() -> None:
    """What is cut off is marked as unexplored; the rest stays as it was."""
    answer = build_lineage("c@1", ("two", ["c@1"], ["b@1"], ["s@1"]), ("one", ["b@1"], ["a@1"], ["s@1"]))
    nodes = fold.sort(Graph.of(answer), "upstream")
    near = fold.within(nodes, 1, "upstream")

    assert [node.label for node in near.nodes] == ["c", "two", "b", "s"]
    assert [near.nodes[place].label for place in near.unexplored] == ["b"]
    assert fold.within(nodes, 9, "upstream") == nodes


def test_a_lineage_can_be_explored_and_saved(pages: Reader) -> None:
    """The page of the command has links to the pages of files and jobs; the drawing can be saved."""
    entity = ids(pages, "results/figure.png")
    page = pages.page(f"/f/{entity}.1/lineage").text
    assert f'"page":"/f/{entity}.1"' in page
    assert f'<h1><a href="/f/{entity}.1">' in page
    down = pages.page(f"/f/{ids(pages, 'data/penguins.csv')}.1/lineage?direction=downstream")
    assert "From data/penguins.csv@1 came" in down.text
    assert pages.page(f"/f/{entity}.1/lineage.svg").text.startswith("<svg")
    pages.page(f"/f/{entity}.9/lineage", status=404)


def test_the_affected_are_grouped_by_rule(pages: Reader) -> None:
    """The sentence is that of the command, without what is on a disk."""
    entity = ids(pages, "data/penguins.csv")
    assert pages.lead(f"/affected/{entity}.1") == "5 versions of 4 files came from data/penguins.csv@1."
    said = pages.read(f"/affected/{entity}.1")
    assert "clean 2 versions" in said and "results/table.csv@2 latest" in said
    assert pages.lead("/affected?rule=plot") == "1 version of 1 file came from rule plot."
    assert "came from run aaaa" in pages.lead("/affected?run=aaaa")
    assert "came from commit 1a2b3c4" in pages.lead("/affected?commit=1a2b3c4")


@pytest.mark.parametrize("query", ["", "?rule=plott", "?run=ffff", "?commit=zz"])
def test_nothing_is_affected_by_what_is_not_recorded(pages: Reader, query: str) -> None:
    """The page says so; a rule of a resembling name is a link."""
    page = pages.page(f"/affected{query}", status=404).text
    assert ("/affected?rule=plot" in page) == (query == "?rule=plott")


def test_a_content_has_an_address_by_its_digest(tmp_path: Path) -> None:
    """It names every place, also of a copy and of an older version."""
    study = Study(tmp_path / "copies")
    study.file("a/one.txt", b"same")
    study.file("b/two.txt", b"same")
    study.file("b/two.txt", b"other")
    study.client.close()
    digest, md5 = hashlib.sha256(b"same").hexdigest(), hashlib.md5(b"same", usedforsecurity=False).hexdigest()
    with pages_of(study.store) as reader:
        assert reader.lead(f"/d/sha256:{digest}") == "2 versions have this content."
        assert "a/one.txt@1" in reader.read(f"/d/{digest[:8]}") and "b/two.txt@1" in reader.read(f"/d/{digest}")
        assert reader.lead(f"/d/md5:{md5}") == "2 versions have this content."
        assert "No version has the digest" in reader.lead("/d/sha256:" + "0" * 64, status=404)
        reader.page("/d/abc", status=404)


def test_the_comparison_with_the_version_before_says_why(pages: Reader, recorded_study: Study) -> None:
    """Its first sentence is that of `snakeprov why`, and the page of the file leads there."""
    entity = ids(pages, "results/table.csv")
    address = f"/compare?a={entity}.1&b={entity}.2"
    said = call("why", "results/table.csv", folder=recorded_study.folder).out.splitlines()[0]

    assert pages.lead(address) == said
    assert "results/table.csv@2 differs from @1 because" in said
    assert address.replace("&", "&amp;") in pages.page(f"/f/{entity}.2").text
    told = pages.read(address)
    assert "minimum 3 added" in told
    assert "-mean 1 +mean 2" in told
    assert "snakeprov why results/table.csv@2" in told


def test_two_files_are_compared_as_by_the_command(pages: Reader, recorded_study: Study) -> None:
    """They can be named by their paths."""
    old, new = "results/clean/adelie.csv", "results/clean/gentoo.csv"
    said = call("diff", old, new, folder=recorded_study.folder).out.splitlines()[0]
    assert pages.lead(f"/compare?a={old}&b={new}@1") == said


def test_only_what_differs_is_shown_until_one_asks_for_all(pages: Reader) -> None:
    """What is the same on both sides appears then, too."""
    entity = ids(pages, "results/table.csv")
    address = f"/compare?a={entity}.1&b={entity}.2"
    some, every = (pages.read(one).partition("Side by side")[2] for one in (address, address + "&all=1"))

    assert "minimum 3" in some and "results/clean/adelie.csv" not in some and "made by" not in some
    assert "results/clean/adelie.csv @1 @1" in every and "made by rule summarise rule summarise" in every


def test_what_cannot_be_compared_is_said(pages: Reader) -> None:
    """The page asks for two versions; one that is not recorded is named."""
    assert pages.lead("/compare") == "Why do two versions, or two runs, differ?"
    assert pages.lead("/compare?a=nothing.csv&b=syn1.1", status=404) == "No version of a file is called nothing.csv."


def test_the_methods_text_of_a_file_can_be_copied(pages: Reader, recorded_study: Study) -> None:
    """It is the paragraph of `snakeprov methods`, with the steps as a table and as Markdown."""
    entity = ids(pages, "results/figure.png")
    said = call("methods", "--json", "results/figure.png", folder=recorded_study.folder).json["paragraph"]
    assert pages.lead(f"/f/{entity}.1/methods") == said
    told = pages.page(f"/f/{entity}.1/methods").text
    assert "| step | jobs | ran |" in told and f'href="/f/{entity}.1/methods"' in pages.page(f"/f/{entity}.1").text
    pages.page(f"/f/{entity}.9/methods", status=404)


def test_a_methods_text_that_would_take_long_is_left_to_the_command(
    pages: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of a file that came from very much says so instead of keeping the server busy."""
    monkeypatch.setattr(methods, "NODES_MAX", 3)
    entity = ids(pages, "results/figure.png")
    assert "let the command write" in pages.lead(f"/f/{entity}.1/methods")
    assert "snakeprov methods results/figure.png@1" in pages.read(f"/f/{entity}.1/methods")


def test_two_runs_are_compared_as_by_the_command(pages: Reader, recorded_study: Study) -> None:
    """The page of a run suggests the one before; the files that differ lead to their comparison."""
    assert 'value="run:aaaa' in pages.page("/r/bbbb").text
    said = call("diff", "run:aaaa", "run:bbbb", folder=recorded_study.folder).out.splitlines()[0]
    assert pages.lead("/compare?a=run:aaaa&b=run:bbbb") == said
    told = pages.read("/compare?a=run:aaaa&b=run:bbbb")
    assert "summarise 0 1 0 0" in told and "results/table.csv @1 @2 compare" in told
    link = "/compare?a=results%2Ftable.csv%401&amp;b=results%2Ftable.csv%402"
    assert f'href="{link}"' in pages.page("/compare?a=run:aaaa&b=run:bbbb").text
    assert "because" in pages.lead(link.replace("&amp;", "&"))
    assert "No run whose id begins with  is" in pages.page("/compare?a=run:&b=run:", status=404).text
    assert "No run whose id begins with ffff" in pages.lead("/compare?a=run:aaaa&b=run:ffff", status=404)


def test_code_that_changed_is_shown_line_by_line(tmp_path: Path) -> None:
    """The difference of a script is beside its name; git is not asked."""
    study = Study(tmp_path / "code")
    for number in (1, 2):
        script = study.file("fit.py", b"alpha = %d\n" % number)
        study.job(study.run(f"abc{number}"), "fit", {"fit.txt": b"%d" % number}, executed=[script])
    study.client.close()
    with pages_of(study.store) as reader:
        entity = ids(reader, "fit.txt")
        assert "-alpha = 1 +alpha = 2" in reader.read(f"/compare?a={entity}.1&b={entity}.2")


PNG = (
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"
    b"\x00\x00\x00\rIDATx\x9cc\xf8\x0f\x04\x00\t\xfb\x03\xfd\xe3U\xf2\x9c\x00\x00\x00\x00IEND\xaeB`\x82"
)


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Files of every kind that has a preview."""
    study = Study(tmp_path_factory.mktemp("contents") / "penguins")
    study.file("table.csv", b"species,mass\nadelie,3700\n" + b"gentoo,5000\n" * 100)
    study.file("table.tsv", b"a\tb\n1\t2\n")
    study.file("notes.txt", b"line\n" * 500)
    study.file("data.json", b'{"a":[1,2]}')
    study.file("fit.py", b"import numpy\n")
    study.file("Snakefile", b"rule all:\n    input: 'a'\n")
    study.file("reads.fastq.gz", gzip.compress(b"@read1\nACGT\n+\n!!!!\n"))
    study.file("figure.png", PNG)
    study.file("figure.png", PNG + b"\0")
    study.client.close()
    return study


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("table.csv", "species mass adelie 3700 gentoo 5000"),
        ("table.csv", "The first 50 rows."),
        ("table.tsv", "a b 1 2"),
        ("notes.txt", "The first 400 lines; 500 lines in all."),
        ("data.json", '"a": [ 1, 2 ]'),
        ("fit.py", "import numpy"),
        ("Snakefile", "rule all:"),
        ("reads.fastq.gz", "@read1 ACGT"),
    ],
)
def test_a_content_is_shown_as_what_it_is(contents: Study, path: str, said: str) -> None:
    """Tables as tables, code in colours, compressed text unpacked; the limits are said."""
    with pages_of(contents.store) as reader:
        assert said in reader.read(f"/f/{path}")


def test_code_has_colours(contents: Study) -> None:
    """As classes that the style sheet knows, for light and for dark."""
    with pages_of(contents.store) as reader:
        assert 'class="hl-' in reader.page("/f/fit.py").text and 'class="hl-' in reader.page("/f/Snakefile").text
        assert reader.page("/static/style.css").text.count(".code .hl-k ") >= 2


@pytest.mark.parametrize(("style", "paper"), [(highlight.LIGHT, "f6f8fb"), (highlight.DARK, "172133")])
def test_colours_of_code_can_be_read(style: str, paper: str) -> None:
    """Each has the contrast to its paper that WCAG 2 asks for (AA: 4.5)."""
    from pygments.styles import get_style_by_name

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        red, green, blue = (one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    faint = {}
    for token, look in get_style_by_name(style):
        if look["color"] and str(token) not in ("Token.Error", "Token.Text.Whitespace"):
            dark, light = sorted((luminance(look["color"]), luminance(look["bgcolor"] or paper)))
            faint[str(token)] = (light + 0.05) / (dark + 0.05)
    assert {token: contrast for token, contrast in faint.items() if contrast < 4.495} == {}


def test_pictures_are_shown_and_compared_side_by_side(contents: Study) -> None:
    """They are sent as what their bytes say."""
    with pages_of(contents.store) as reader:
        entity = ids(reader, "figure.png")
        assert f'<img src="/f/{entity}.2/content" alt="figure.png">' in reader.page(f"/f/{entity}.2").text
        shown = reader.page(f"/f/{entity}.1/content")
        assert (shown.content, shown.headers["Content-Type"]) == (PNG, "image/png")
        compared = reader.page(f"/compare?a={entity}.1&b={entity}.2").text
        assert compared.count("<img ") == 2


def test_the_files_in_a_recorded_folder_are_listed(tmp_path: Path) -> None:
    """With their sizes and digests."""
    from snakeprov.model.digest import Digest
    from snakeprov.model.manifest import Entry, manifest_of

    digest = Digest("ab" * 32, None, 4)
    study = Study(tmp_path / "folders")
    manifest = manifest_of([Entry(path="a.txt", type="file", size_bytes=4, sha256=digest.sha256)])
    study.file("results/parts/", manifest.content)
    study.client.close()
    with pages_of(study.store) as reader:
        assert "a.txt 4 B abababab" in reader.read("/f/results/parts/")
