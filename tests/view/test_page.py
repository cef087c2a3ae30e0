"""The page of a lineage, opened in a real browser: what can be done with it, and what cannot be done to it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from snakeprov.lineage import fold
from snakeprov.lineage.graph import Graph
from snakeprov.model.records import StoredJob
from snakeprov.view import labels, layout, page
from snakeprov.view.details import Known

from ..answers import job_record
from .browser import chromium

Json = dict[str, Any]
Make = Callable[..., Json]
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One browser for all the tests here."""
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Open:
    """Give `show(answer)`: write the page of an answer of the lineage resource, and open it."""

    def open_(
        answer: Json,
        *,
        hash_: str = "",
        jobs: dict[str, StoredJob] | None = None,
        depth: int = 3,
        direction: Any = "upstream",
    ) -> Any:
        graph = Graph.of(answer)
        nodes = fold.sort(graph, direction)
        sentence = labels.sentence(nodes, graph, direction)
        remarks = labels.page_remarks(nodes, truncated=graph.truncated)
        known = Known({}, jobs or {})
        text = page.lineage(nodes, sentence, remarks, direction=direction, depth=depth, known=known)
        path = tmp_path / "page.html"
        path.write_text(text, encoding="utf-8")
        browser.get("about:blank")
        browser.get(path.as_uri() + hash_)
        assert errors(browser) == []
        return browser

    return open_


def errors(driver: Any) -> list[str]:
    """What the browser complained about."""
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] == "SEVERE"]


def boxes(driver: Any) -> list[str]:
    """The titles that are drawn, from left to right and from top to bottom."""
    found = driver.execute_script(
        "return [...document.querySelectorAll('#drawing .box')].map(box => [box.transform.baseVal[0].matrix.e,"
        " box.transform.baseVal[0].matrix.f, box.querySelector('.title').textContent])"
    )
    return [title for _, _, title in sorted(found)]


def click(driver: Any, title: str, *, opener: bool = False) -> None:
    """Click on the box with a title, or on the plus beside it."""
    what = ".opener" if opener else ".face"
    driver.execute_script(
        "const box = [...document.querySelectorAll('#drawing .box')].find(one => "
        "one.querySelector('.title').textContent === arguments[0]);"
        "box.querySelector(arguments[1]).dispatchEvent(new MouseEvent('click', {bubbles: true}))",
        title,
        what,
    )


def press(driver: Any, *keys: str) -> None:
    """Press keys, one after the other, where the focus is."""
    from selenium.webdriver.common.action_chains import ActionChains

    actions = ActionChains(driver)
    for key in keys:
        actions.send_keys(key)
    actions.perform()


def details(driver: Any) -> str:
    """What stands beside the drawing."""
    return str(driver.execute_script("return document.getElementById('details').innerText"))


def button(driver: Any, label: str) -> None:
    """Press a button beside the drawing."""
    driver.execute_script(
        "[...document.querySelectorAll('#details button')].find(one => one.textContent === arguments[0]).click()", label
    )


def hash_of(driver: Any) -> str:
    return str(driver.execute_script("return window.location.hash"))


def samples(lineage: Make, count: int) -> Json:
    """A merge of so many samples, each trimmed and aligned; the reads come from a download."""
    names = [f"s{number}" for number in range(count)]
    answer = lineage(
        "all.bam@2",
        ("merge", ["all.bam@2"], [f"bam/{name}.bam@1" for name in names], ["merge.sh@1"]),
        *[("align", [f"bam/{name}.bam@1"], [f"fq/{name}.fq@1", "genome.fa@1"], ["align.sh@1"]) for name in names],
        *[("trim", [f"fq/{name}.fq@1"], [f"raw/{name}.fq@1"], []) for name in names],
        *[("fetch", [f"raw/{name}.fq@1"], [f"list/{name}.url@1"], []) for name in names],
    )
    every = [one for one in answer.nodes if one.kind == "activity"]
    described = {
        node.id: replace(node, wildcards={"sample": names[number % count]}, job_id=f"job{number}")
        for number, node in enumerate(every[1:])
    }
    return replace(answer, nodes=[described.get(node.id, node) for node in answer.nodes])


def test_it_opens_on_the_file_folded(show: Open, lineage: Make) -> None:
    """Three steps are shown, three hundred samples are one box, and what goes on has a plus."""
    driver = show(samples(lineage, 300))
    assert sorted(boxes(driver)) == [
        "align \u00d7300",
        "align.sh@1",
        "all.bam@2",
        "genome.fa@1",
        "merge",
        "merge.sh@1",
        "s*.bam \u00d7300",
        "s*.fq \u00d7300",
        "s*.fq \u00d7300",
        "trim \u00d7300",
    ]
    assert boxes(driver)[-1] == "all.bam@2"
    assert driver.execute_script("return document.querySelectorAll('.opener').length") == 1
    assert driver.title == "all.bam@2"


def test_a_click_tells_the_details(show: Open, lineage: Make) -> None:
    """What the store knows of a job stands beside the drawing, as text, with links to what it used."""
    answer = lineage("b@1", ("sort", ["b@1"], ["a@3"], ["sort.sh@1"]))
    nodes = [replace(one, job_id="j1") if one.kind == "activity" else one for one in answer.nodes]
    driver = show(
        replace(answer, nodes=nodes),
        jobs={"j1": job_record(shellcmd="sort a > b\nuniq", params={"k": 1}, reason="missing")},
    )
    click(driver, "sort")
    told = details(driver)
    for part in ("sort a > b\nuniq", "k = 1", "missing", "1a2b3c4d5e6f+dirty", "a@3", "sort.sh@1"):
        assert part in told
    button(driver, "a@3")
    assert "syna" in details(driver)
    assert hash_of(driver) == "#entity=synb&version=1&selected=2"


def test_one_step_more(show: Open, lineage: Make) -> None:
    """The plus shows the next step of what the page holds, and the address remembers it."""
    driver = show(lineage("f0@1", *[(f"r{n}", [f"f{n}@1"], [f"f{n + 1}@1"], []) for n in range(5)]), depth=1)
    assert boxes(driver) == ["f1@1", "r0", "f0@1"]
    click(driver, "f1@1", opener=True)
    assert boxes(driver) == ["f2@1", "r1", "f1@1", "r0", "f0@1"]
    address = driver.current_url
    driver.get("about:blank")
    driver.get(address)
    assert boxes(driver) == ["f2@1", "r1", "f1@1", "r0", "f0@1"]


def test_a_group_unfolds_and_folds(show: Open, lineage: Make) -> None:
    """Its members are listed; all are drawn on demand, and folded again."""
    driver = show(samples(lineage, 20), depth=2)
    click(driver, "align \u00d720")
    assert "align (sample=s19)" in details(driver)
    button(driver, "Unfold all 20")
    assert boxes(driver).count("align") == 20
    assert "unfolded=" in hash_of(driver)
    button(driver, "Fold with its like")
    assert boxes(driver).count("align \u00d720") == 1


def test_one_member_is_singled_out_with_its_own_story(show: Open, lineage: Make) -> None:
    """Choosing one sample of a group draws it and what belongs to it on their own; the others stay folded."""
    driver = show(samples(lineage, 300))
    click(driver, "s*.bam \u00d7300")
    button(driver, "bam/s7.bam@1")
    drawn = boxes(driver)
    assert {"s7.bam@1", "s7.fq@1", "align", "trim", "s*.bam \u00d7299", "align \u00d7299"} <= set(drawn)
    assert "bam/s7.bam@1" in details(driver)


def test_a_search_leads_to_what_is_not_yet_shown(show: Open, lineage: Make) -> None:
    """Typing finds names anywhere in the page; choosing one opens the way to it and singles it out."""
    driver = show(samples(lineage, 300), depth=1)
    press(driver, "/", *"list/s123")
    found = driver.execute_script("return [...document.querySelectorAll('#matches li')].map(one => one.textContent)")
    assert found == ["list/s123.url@1"]
    press(driver, "\ue007")
    assert "s123.url@1" in boxes(driver)
    assert "list/s123.url@1" in details(driver)


def test_a_search_says_how_much_more_there_is(show: Open, lineage: Make) -> None:
    """Fifty matches are listed, and the rest is counted."""
    driver = show(samples(lineage, 300))
    press(driver, "/", *"bam/")
    found = driver.execute_script("return [...document.querySelectorAll('#matches li')].map(one => one.textContent)")
    assert (len(found), found[-1]) == (51, "and 250 more")


def test_keys_lead_everywhere(show: Open, lineage: Make) -> None:
    """Arrows go along the lines and through a column, plus opens, Escape closes; the focus is where the mark is."""
    driver = show(lineage("c@1", ("two", ["c@1"], ["b@1", "x@1"], []), ("one", ["b@1"], ["a@1"], [])), depth=1)
    press(driver, "\ue004", "\ue004", "\ue004", "\ue004", "\ue004")
    active = "return document.activeElement.getAttribute('aria-label')"
    assert driver.execute_script(active) == "data: c@1"
    press(driver, "\ue012")
    assert driver.execute_script(active) == "activity: two"
    press(driver, "\ue012")
    first = driver.execute_script(active)
    press(driver, "\ue015")
    press(driver, "\ue013")
    assert {first, driver.execute_script(active)} <= {"data: b@1", "data: x@1"}
    click(driver, "b@1")
    press(driver, "+")
    assert "a@1" in boxes(driver)
    press(driver, "\ue00c")
    assert "go from box to box" in details(driver)


def test_another_file_can_be_the_start(show: Open, lineage: Make) -> None:
    """Start here makes a file the root of what is shown; the address holds its entity and version."""
    driver = show(lineage("f0@1", *[(f"r{n}", [f"f{n}@1"], [f"f{n + 1}@1"], []) for n in range(5)]), depth=1)
    click(driver, "f1@1")
    button(driver, "Start here")
    assert boxes(driver) == ["f2@1", "r1", "f1@1"]
    assert hash_of(driver).startswith("#entity=synf1&version=1")
    button(driver, "Back to the first file")
    assert boxes(driver) == ["f1@1", "r0", "f0@1"]


def test_it_can_be_zoomed_and_moved(show: Open, lineage: Make) -> None:
    """Dragging the ground moves the drawing, the wheel and the buttons zoom it, and neither closes the details."""
    from selenium.webdriver.common.action_chains import ActionChains

    driver = show(lineage("b@1", ("sort", ["b@1"], ["a@1"], [])))
    click(driver, "sort")
    look = (
        "const { e, f, a } = document.querySelector('#drawing > g').transform.baseVal.consolidate().matrix;"
        "return [e, f, a]"
    )
    x, y, zoom = driver.execute_script(look)
    drawing = driver.find_element("id", "drawing")
    actions = ActionChains(driver).move_to_element_with_offset(drawing, -300, -250).click_and_hold()
    actions.move_by_offset(60, 40).release().perform()
    assert driver.execute_script(look) == pytest.approx([x + 60, y + 40, zoom])
    assert "sort" in details(driver)
    driver.find_element("id", "closer").click()
    assert driver.execute_script(look)[2] == pytest.approx(zoom * 1.25)
    driver.find_element("id", "fit").click()
    assert driver.execute_script(look) == pytest.approx([x, y, zoom])


@pytest.mark.parametrize(
    "hash_", ["#entity=syn9&version=x", "#open=99999.-1.a&selected=1e9", "#%00&single=....", "#" + "a" * 5000]
)
def test_an_address_that_makes_no_sense_does_no_harm(show: Open, lineage: Make, hash_: str) -> None:
    """Whatever stands in the address, the page opens on its file."""
    driver = show(lineage("b@1", ("sort", ["b@1"], ["a@1"], [])), hash_=hash_)
    assert boxes(driver) == ["a@1", "sort", "b@1"]


def test_lines_reach_from_left_to_right_downstream_too(show: Open, lineage: Make) -> None:
    """Downstream the file is at the left end and what came from it to its right."""
    driver = show(
        lineage("a@1", ("sort", ["b@1"], ["a@1"], []), ("plot", ["c@1"], ["b@1"], [])), direction="downstream"
    )
    assert boxes(driver) == ["a@1", "sort", "b@1", "plot", "c@1"]


HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked=1'>",
    '"><svg onload=window.hacked=1>',
    "<!--<script>",
    "]]><script>window.hacked=1</script>",
    "javascript:window.hacked=1",
    "$sentence ${window.hacked=1} `${window.hacked=1}`",
    "\x1b[2J\x07\u202egnp.exe\u2028\u2029",
    "{{constructor.constructor('window.hacked=1')()}}",
    "x" * 1_000_000,
    "\ud800 lone",
)


def hostile(lineage: Make) -> tuple[Json, Json]:
    """A lineage and records of jobs in which everything that can be named is named by an enemy."""
    names = [name.encode("utf-8", "replace").decode() for name in HOSTILE]
    answer = lineage(
        "result@1",
        *[(name, ["result@1" if not at else f"o{at}@1"], [f"o{at + 1}@1"], []) for at, name in enumerate(names)],
    )
    jobs, nodes = {}, []
    for at, node in enumerate(answer.nodes):
        name = names[at % len(names)]
        if node.kind == "entity":
            nodes.append(replace(node, label=name, path=f"d/{name}"))
        else:
            nodes.append(replace(node, job_id=f"j{at}", wildcards={name: name}, commit=name))
            jobs[f"j{at}"] = job_record(shellcmd=name, params={name: [name]}, reason=name, error=name)
    return replace(answer, nodes=nodes), jobs


def test_no_injected_script_runs(show: Open, lineage: Make) -> None:
    """Names, commands and params that are markup, script or control characters are shown as the text they are."""
    answer, jobs = hostile(lineage)
    driver = show(answer, jobs=jobs, depth=100)
    for box in range(len(boxes(driver))):
        driver.execute_script(
            "document.querySelector(`[data-box='${arguments[0]}']`)"
            ".dispatchEvent(new MouseEvent('click', {bubbles: true}))",
            box,
        )
    press(driver, "/", "<")
    assert driver.execute_script("return window.hacked === undefined")
    assert driver.execute_script("return document.querySelectorAll('script').length") == 2
    assert driver.execute_script("return document.querySelectorAll('img, iframe, aside svg:not(.lineage)').length") == 0
    assert any("<img src=x" in title for title in boxes(driver))
    assert errors(driver) == []


def test_its_policy_stops_a_script_that_got_in(show: Open, lineage: Make) -> None:
    """Even markup put into the open page by hand runs no handler and loads no picture."""
    driver = show(lineage("b@1", ("sort", ["b@1"], ["a@1"], [])))
    driver.execute_script(
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"data:image/png,x\" onerror=\"window.hacked=1\">')"
    )
    driver.execute_async_script("setTimeout(arguments[0], 300)")
    assert driver.execute_script("return window.hacked === undefined")
    assert any("Content Security Policy" in message for message in errors(driver))


def test_the_page_lays_out_as_the_svg(show: Open, lineage: Make) -> None:
    """For graphs with cycles, loops, long lines and parts of their own, both layouts put every box at one place."""
    driver = show(lineage("b@1", ("sort", ["b@1"], ["a@1"], [])))
    chance = random.Random(5)  # noqa: S311
    cases = []
    for count in range(40):
        ends = [(chance.randrange(count), chance.randrange(count)) for _ in range(2 * count)] if count else []
        cases.append(([float(chance.randrange(70, 220)) for _ in range(count)], ends, chance.choice(["left", "right"])))
    drawn = json.loads(
        driver.execute_script(
            "return JSON.stringify(JSON.parse(arguments[0]).map((one) => drawingLayout(...one)))", json.dumps(cases)
        )
    )
    for (widths, edges, pull), there in zip(cases, drawn, strict=True):
        here = layout.layout(widths, edges, pull=pull)
        assert there["layers"] == here.layers
        assert [tuple(place) for place in there["places"]] == [pytest.approx(place) for place in here.places]
        assert [[tuple(point) for point in route] for route in there["routes"]] == [
            [pytest.approx(point) for point in route] for route in here.routes
        ]
        assert (there["width"], there["height"]) == pytest.approx((here.width, here.height))


def test_five_thousand_nodes(show: Open, lineage: Make) -> None:
    """A lineage that does not fold is drawn as far as the bound, and the page says how much it does not draw."""
    tree = [(f"r{n}", [f"f{n}@1"], [f"f{2 * n + 1}@1", f"f{2 * n + 2}@1"], []) for n in range(1667)]
    driver = show(lineage("f0@1", *tree), depth=1000)
    assert len(boxes(driver)) == 3000
    assert "2,002 more boxes are not drawn" in driver.execute_script(
        "return document.getElementById('note').textContent"
    )
