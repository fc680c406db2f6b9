"""The timeline player and its simulator in Chromium, on pages opened from a file.

The pages hold what the directive writes (`traces.player.render`). Playing runs on a test clock.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import timeline_pages
from playwright.sync_api import Browser, Page, expect

from bench.course import COURSE
from bench.traces.looks import STATES
from bench.traces.player import Timeline, figure, legend, render, table
from bench.traces.timelines import timeline
from bench.traces.trace import check_trace
from browsers import AXE
from small_traces import HOOK, SMALL, TRACES, build_a_page, most_in, trace_of

ASSETS = COURSE / "book" / "_static" / "timeline"
THEME = """<style>
html { --pst-color-background: #fff; --pst-color-text-base: #222832;
  --pst-color-text-muted: #48566b;
  --pst-color-border: #d1d5da; --pst-color-surface: #f3f4f5; --pst-color-link: #0a7d91; }
html[data-theme=dark] { --pst-color-background: #14181e; --pst-color-text-base: #ced6dd;
  --pst-color-text-muted: #9ca4af; --pst-color-border: #48566b; --pst-color-surface: #222832;
  --pst-color-link: #3fb1c5; color-scheme: dark; }
body { margin: 0 auto; max-width: 46rem; padding: 1rem; font: 16px/1.6 sans-serif;
  background: var(--pst-color-background); color: var(--pst-color-text-base); }
</style>"""
SHIFTS = """window.shifts = [];
new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((one) => one.value)))
  .observe({ type: "layout-shift", buffered: true });"""


FAILED = SMALL | {"lanes": [SMALL["lanes"][0] | {"error": "InterfaceError"}, SMALL["lanes"][1]]}
SHORT = trace_of([[("running", 0, 0.000001), ("database", 0.000001, 0.0012)]])
EVERY_STATE = trace_of([[(state, k, k + 0.7) for k, state in enumerate(STATES)]] * 3)


def write(folder: Path, *parts: str, name: str = "page.html", script: bool = True) -> str:
    """Write a page around the parts; returns its file:// address."""
    scripts = "".join(
        f'<script defer src="{(ASSETS / file).as_uri()}"></script>'
        for file in ("simulator.js", "lanes.js", "clock.js", "timeline.js")
    )
    styles = "".join(
        f'<link rel="stylesheet" href="{(ASSETS / file).as_uri()}">'
        for file in ("lanes.css", "timeline.css")
    )
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Test</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{THEME}'
        f"{styles}{scripts if script else ''}</head><body><main><h1>Test</h1>{''.join(parts)}"
        '<p id="after">After it.</p></main></body></html>'
    )
    (folder / name).write_text(page, encoding="utf-8")
    return (folder / name).as_uri()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which any error of a script, and any request beyond the files, is a failure."""
    context = browser.new_context(viewport={"width": 390, "height": 800})
    context.set_default_timeout(30_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda text: wrong.append(text.text) if text.type == "error" else None)
    page.on(
        "request",
        lambda request: None if request.url.startswith("file:") else wrong.append(request.url),
    )
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def simulator(page: Page) -> Page:
    page.add_script_tag(path=ASSETS / "simulator.js")
    return page


def simulate(page: Page, **options: Any) -> dict[str, Any]:
    # As one string: Playwright needs seconds for the objects of a large trace.
    text = page.evaluate("one => JSON.stringify(asyncCourse.simulator.simulate(one))", options)
    return json.loads(text)


def now(page: Page) -> str:
    return page.locator(".timeline-now").first.text_content() or ""


def open_with_still_clock(page: Page, address: str) -> None:
    """From here on the page's time passes only when the test says so."""
    page.clock.install(time=0)
    page.goto(address)
    page.clock.pause_at(3600)


def guess(page: Page, **detail: Any) -> None:
    page.evaluate(
        "detail => document.dispatchEvent(new CustomEvent('course:guess', {detail}))", detail
    )


# --- The simulator ----------------------------------------------------------------------------


GRID = [
    (requests, pool, seconds)
    for requests in (1, 2, 20, 39, 40, 41, 60, 200)
    for pool in (1, 7, 40, 300)
    for seconds in (0.1, 0.033)
]


def test_without_loop_time_the_simulated_waves_are_exact(simulator: Page) -> None:
    places = {
        "await": lambda pool: pool,
        "block": lambda _: 1,
        "thread": lambda pool: min(40, pool),
    }
    for kind, places_of in places.items():
        for requests, pool, seconds in GRID:
            case = {"kind": kind, "requests": requests, "pool": pool, "seconds": seconds, "cpu": 0}
            trace = simulate(simulator, **case)
            waves = math.ceil(requests / places_of(pool))
            assert trace["duration"] == pytest.approx(waves * seconds, abs=1e-9), case
            most = most_in(trace, "database", "blocking")
            assert most == min(requests, places_of(pool)), case


def test_simulated_traces_keep_the_format_and_the_bounds(simulator: Page) -> None:
    for kind in ("await", "block", "thread"):
        for requests, pool, seconds in GRID[::5]:
            cpu = 0.002
            case = {"kind": kind, "requests": requests, "pool": pool, "seconds": seconds}
            trace = simulate(simulator, **case, cpu=cpu)
            check_trace(trace)
            assert len(trace["lanes"]) == requests
            assert most_in(trace, "running", "blocking") == 1, case  # one loop
            assert most_in(trace, "database", "blocking") <= pool, case
            places = {"await": pool, "block": 1, "thread": min(40, pool)}[kind]
            assert trace["duration"] >= math.ceil(requests / places) * seconds - 1e-9, case
            if kind == "block":
                assert trace["duration"] == pytest.approx(requests * (seconds + cpu), abs=1e-9), (
                    case
                )
            for lane in trace["lanes"]:  # nobody is forgotten between two states
                ends = [0] + [span["to"] for span in lane["spans"]]
                assert [span["from"] for span in lane["spans"]] == ends[:-1], case
                asked = [s for s in lane["spans"] if s["state"] in ("database", "blocking")]
                assert sum(s["to"] - s["from"] for s in asked) == pytest.approx(seconds), case


def test_simulated_queue_keeps_littles_law(simulator: Page) -> None:
    trace = simulate(simulator, kind="await", requests=57, pool=8, seconds=0.05, cpu=0.001)
    ends = sorted(lane["spans"][-1]["to"] for lane in trace["lanes"])
    inside, area, last = len(ends), 0.0, 0.0
    for end in ends:  # guests inside, moment by moment, from the ends alone
        area, inside, last = area + inside * (end - last), inside - 1, end
    waits = [sum(s["to"] - s["from"] for s in lane["spans"]) for lane in trace["lanes"]]
    rate = len(ends) / trace["duration"]
    assert area / trace["duration"] == pytest.approx(rate * sum(waits) / len(waits))


def test_simulator_repeats_itself_and_manages_a_thousand_guests(simulator: Page) -> None:
    case = {"kind": "thread", "requests": 1000, "pool": 30, "seconds": 0.1}
    assert simulate(simulator, **case) == simulate(simulator, **case)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"requests": 0}, "requests"),
        ({"requests": 1.5}, "requests"),
        ({"pool": None}, "pool"),
        ({"seconds": -1}, "seconds"),
        ({"kind": "both"}, "kind"),
    ],
)
def test_simulator_refuses_nonsense_by_name(simulator: Page, wrong: dict, named: str) -> None:
    case = {"kind": "await", "requests": 2, "pool": 1, "seconds": 0.1} | wrong
    said = simulator.evaluate(
        "one => { try { asyncCourse.simulator.simulate(one); } catch (e) { return e.message; } }",
        case,
    )
    assert said.startswith(named)


def test_published_errors_are_those_of_this_simulator(simulator: Page) -> None:
    published = json.loads((COURSE / "book" / "simulator-errors.json").read_text("utf-8"))
    keys = ("kind", "requests", "seconds", "pool")
    for case in published["cases"]:
        trace = simulate(simulator, **{key: case[key] for key in keys})
        assert trace["duration"] == pytest.approx(case["simulated"]), case
        off = (case["simulated"] - case["measured"]) / case["measured"]
        assert case["error"] == pytest.approx(off, abs=1e-4)
    assert {case["kind"] for case in published["cases"]} == {"await", "block", "thread"}
    assert published["worst"] in published["cases"]
    errors = sorted(abs(case["error"]) for case in published["cases"])
    assert abs(published["worst"]["error"]) == errors[-1]
    assert errors[0] <= published["median"] <= errors[-1]


# --- Two drawings, one picture ----------------------------------------------------------------


def same(page: Page, left: str, right: str) -> None:
    """Both strings are the same HTML once a browser has read them."""
    read = """html => { const t = document.createElement("div"); t.innerHTML = html;
      return t.innerHTML; }"""
    assert page.evaluate(read, left) == page.evaluate(read, right)


@pytest.mark.parametrize(
    "trace",
    [SMALL, FAILED, SHORT, EVERY_STATE, HOOK["async-def"], HOOK["def"]],
    ids=["small", "with an error", "short", "every state", "hook A", "hook B"],
)
def test_script_draws_what_the_build_drew(page: Page, tmp_path: Path, trace: dict) -> None:
    timeline = Timeline(trace, "one", axis=0.0 if trace is SHORT else 3.0)
    page.goto(write(tmp_path, render(timeline)))
    drawn = page.locator(".timeline-svg").evaluate(
        """svg => { const copy = svg.cloneNode(true);
        copy.querySelectorAll(".timeline-later, .timeline-cursor").forEach((one) => one.remove());
        return copy.outerHTML; }"""
    )
    same(page, drawn, figure(timeline))


def test_simulator_on_the_page_writes_what_the_build_would(page: Page, tmp_path: Path) -> None:
    first = json.loads((TRACES / "01-simulator.json").read_text("utf-8"))
    page.goto(write(tmp_path, render(Timeline(first, "sim", simulator=True))))
    again = {key: first["about"][key] for key in ("kind", "requests", "seconds", "pool")}
    assert {**simulate(page, **again), "title": first["title"]} == first

    page.get_by_label("handler", exact=True).select_option("await")
    page.get_by_label("guests", exact=True).fill("33")
    page.get_by_label("query in ms", exact=True).fill("250")
    page.get_by_label("connections", exact=True).fill("4")
    other = simulate(page, kind="await", requests=33, seconds=0.25, pool=4)
    timeline = Timeline(other, "sim", simulator=True)
    expect(page.locator(".timeline-summary span")).to_have_text(other["summary"])
    expect(page.locator(".timeline-live")).to_have_text(other["summary"])
    same(page, page.locator(".timeline-data table").inner_html(), table(timeline))
    same(page, page.locator(".timeline-key").inner_html(), legend(timeline))
    assert page.locator(".timeline-svg").get_attribute("aria-label").endswith(other["summary"])


def test_simulator_on_the_page_refuses_and_keeps_the_picture(page: Page, tmp_path: Path) -> None:
    first = json.loads((TRACES / "01-simulator.json").read_text("utf-8"))
    page.goto(write(tmp_path, render(Timeline(first, "sim", simulator=True))))
    before = page.locator(".timeline-plot").inner_html()
    page.get_by_label("guests", exact=True).fill("1e9")
    expect(page.locator(".timeline-live")).to_have_text("guests: a whole number from 1 to 200.")
    expect(page.get_by_label("guests", exact=True)).to_have_attribute("aria-invalid", "true")
    assert page.locator(".timeline-plot").inner_html() == before
    page.get_by_label("guests", exact=True).fill("2")
    expect(page.get_by_label("guests", exact=True)).to_have_attribute("aria-invalid", "false")
    expect(page.locator(".timeline-data tbody tr")).to_have_count(2)


# --- Playing ----------------------------------------------------------------------------------


def test_steps_stop_at_every_change_and_nowhere_else(page: Page, tmp_path: Path) -> None:
    page.goto(write(tmp_path, render(Timeline(SMALL, "one"))))
    assert now(page) == "1.00 s: all 2 done"
    back, forward = (page.get_by_role("button", name=f"Step {way}") for way in ("back", "forward"))
    seen = [now(page)]
    while not seen[-1].startswith("0.00"):
        back.click()
        seen.append(now(page))
    assert seen[::-1] == [
        "0.00 s: 1 holds the loop, 1 waits for the loop, 0 done",
        "0.10 s: 1 blocks the loop, 1 waits for the database, 0 done",
        "0.30 s: 1 waits for the database, 1 waits for a connection, 0 done",
        "0.50 s: 1 holds the loop, 1 waits for a connection, 0 done",
        "0.60 s: 1 waits for a connection, 1 done",
        "0.90 s: 1 waits for the database, 1 done",
        "1.00 s: all 2 done",
    ]
    expect(page.locator(".timeline-live")).to_have_text(seen[-1])
    forward.click()
    assert now(page) == seen[-2]
    for _ in range(9):
        forward.click()
    assert now(page) == "1.00 s: all 2 done"


def test_a_lane_that_ended_with_an_error_is_marked(page: Page, tmp_path: Path) -> None:
    page.goto(write(tmp_path, render(Timeline(FAILED, "one")), script=False))
    built = page.locator(".timeline-plot").inner_html()
    assert built.count("✗") == 1
    assert now(page) == "1.00 s: 1 done, 1 with an error ✗"
    page.goto(write(tmp_path, render(Timeline(FAILED, "one"))))
    assert now(page) == "1.00 s: 1 done, 1 with an error ✗"
    page.get_by_role("button", name="Step back").click()
    assert now(page).endswith("1 waits for the database, 0 done, 1 with an error ✗")
    page.get_by_text("The same as a table").click()
    expect(page.locator(".timeline-data th", has_text="guest 1")).to_have_text(
        "guest 1 ✗ InterfaceError"
    )


def test_scrubbing_moves_cursor_sentence_and_value(page: Page, tmp_path: Path) -> None:
    page.goto(write(tmp_path, render(Timeline(SMALL, "one", axis=2.0))))
    scrub = page.get_by_label("Moment in time")
    scrub.fill("300")
    assert now(page).startswith("0.30 s: ")
    expect(scrub).to_have_attribute("aria-valuetext", now(page))
    cursor, later = page.locator(".timeline-cursor"), page.locator(".timeline-later")
    assert float(cursor.get_attribute("x1")[:-1]) == pytest.approx(15)
    assert float(later.get_attribute("width")[:-1]) == pytest.approx(85)
    expect(page.locator(".timeline-live")).to_have_text("")  # the slider speaks for itself


def test_play_runs_to_the_end_quietly_and_pauses(page: Page, tmp_path: Path) -> None:
    open_with_still_clock(page, write(tmp_path, render(Timeline(SMALL, "one"))))
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(2500)
    middle = now(page)
    assert 0.4 < float(middle.split(" s")[0]) < 0.6
    expect(page.locator(".timeline-live")).to_have_text("")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".timeline-live")).to_have_text(now(page))
    stopped = now(page)
    page.clock.run_for(3000)
    assert now(page) == stopped
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(500)
    expect(page.locator(".timeline-live")).to_have_text("")
    page.clock.run_for(3500)
    assert now(page) == "1.00 s: all 2 done"
    expect(page.locator(".timeline-live")).to_have_text("1.00 s: all 2 done")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_playing_stops_where_the_reader_says(page: Page, tmp_path: Path) -> None:
    open_with_still_clock(page, write(tmp_path, render(Timeline(SMALL, "one"))))
    field = page.get_by_label("Stop at")
    for typed, second in ("0.1", "0.10"), ("0,35 s", "0.35"):
        field.fill(typed)
        field.press("Enter")
        page.clock.run_for(6000)
        assert now(page).startswith(f"{second} s: ")
        expect(page.locator(".timeline-live")).to_have_text(now(page))
    page.get_by_role("button", name="Play").click()  # from there on, to the end
    page.clock.run_for(6000)
    assert now(page) == "1.00 s: all 2 done"
    field.fill("7")  # beyond the end
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(6000)
    assert now(page) == "1.00 s: all 2 done"


@pytest.mark.parametrize("typed", ["soon", "-1", "0", "<img src=x onerror=window.typed=1>"])
def test_what_is_no_moment_is_refused_as_text(page: Page, tmp_path: Path, typed: str) -> None:
    open_with_still_clock(page, write(tmp_path, render(Timeline(SMALL, "one"))))
    page.get_by_label("Stop at").fill(typed)
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".timeline-live")).to_have_text(
        "Stop at: write a number of seconds, like 0.1."
    )
    expect(page.get_by_label("Stop at")).to_be_focused()
    assert now(page) == "0.00 s: 1 holds the loop, 1 waits for the loop, 0 done"
    assert page.locator("img").count() == 0
    assert page.evaluate("window.typed") is None


def test_one_broken_timeline_stops_no_other(page: Page, tmp_path: Path) -> None:
    broken = render(Timeline(SMALL, "one")).replace("timeline-controls", "timeline-gone")
    page.goto(write(tmp_path, broken, render(Timeline(SMALL, "two"))))
    expect(page.locator("#two .timeline-cursor")).to_be_attached()
    guess(page, id="01/a", value=0.4, unit="s")
    page.locator("#two [data-do=back]").click()
    assert page.locator("#two .timeline-now").text_content().startswith("0.90 s")


def test_what_is_typed_into_the_simulator_stays_text(page: Page, tmp_path: Path) -> None:
    first = json.loads((TRACES / "01-simulator.json").read_text("utf-8"))
    page.goto(write(tmp_path, render(Timeline(first, "sim", simulator=True))))
    for label in ("guests", "query in ms", "connections"):
        field = page.get_by_label(label, exact=True)
        field.press_sequentially("<img src=x onerror=window.typed=1>")
        assert page.locator("img").count() == 0
        assert page.evaluate("window.typed") is None
        field.fill("2")


def test_nothing_plays_by_itself(page: Page, tmp_path: Path) -> None:
    open_with_still_clock(page, write(tmp_path, render(Timeline(SMALL, "one"))))
    before = page.locator("async-timeline").inner_html()
    page.clock.run_for(10_000)
    assert page.locator("async-timeline").inner_html() == before


def test_less_motion_means_ten_steps(page: Page, tmp_path: Path) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_with_still_clock(page, write(tmp_path, render(Timeline(SMALL, "one"))))
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(400)
    assert now(page).startswith("0.00 s")  # no movement between two steps
    for tenth in range(1, 11):
        page.clock.run_for(500)
        assert now(page).startswith(f"{tenth / 10:.2f} s")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_everything_works_from_the_keyboard(page: Page, tmp_path: Path) -> None:
    open_with_still_clock(page, write(tmp_path, render(Timeline(SMALL, "one"))))
    stops = []
    for _ in range(6):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            """() => { const one = document.activeElement, style = getComputedStyle(one);
            const name = one.ariaLabel || one.labels?.[0]?.textContent || one.textContent;
            return [name, style.outlineStyle !== "none"
              && parseFloat(style.outlineWidth) >= 2]; }"""
        )
        assert focus[1], f"no visible focus on {focus[0]}"
        stops.append(focus[0])
        if focus[0] == "Step back":
            page.keyboard.press("Enter")
            assert now(page).startswith("0.90 s")
        if focus[0] == "Moment in time":
            page.keyboard.press("ArrowLeft")
            assert now(page).startswith("0.89 s")
            page.keyboard.press("Home")
            assert now(page).startswith("0.00 s")
        if focus[0].startswith("The same"):
            page.keyboard.press("Enter")
            expect(page.locator(".timeline-data table")).to_be_visible()
    assert stops[1:2] == ["Stop at  s"]
    assert stops[:1] + stops[2:] == [
        "Play",
        "Step back",
        "Step forward",
        "Moment in time",
        "The same as a table",
    ]
    page.keyboard.press("Tab")  # a table that scrolls can be scrolled by keys
    expect(page.locator(".timeline-table")).to_be_focused()


# --- Words, table, guesses --------------------------------------------------------------------


def test_table_says_what_the_trace_says(page: Page, tmp_path: Path) -> None:
    page.goto(write(tmp_path, render(Timeline(SMALL, "one"))))
    page.get_by_text("The same as a table").click()
    rows = page.locator(".timeline-data tr").evaluate_all(
        "rows => rows.map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    words = [STATES[s].words for s in ("running", "blocking", "ready", "database", "pool")]
    assert rows == [
        ["lane", "done at", *words],
        ["guest 1", "0.600", "0.200", "0.000", "0.000", "0.400", "0.000"],
        ["guest 2", "1.000", "0.000", "0.200", "0.100", "0.100", "0.600"],
    ]


def test_summary_comes_before_the_controls(page: Page, tmp_path: Path) -> None:
    page.goto(write(tmp_path, render(Timeline(SMALL, "one"))))
    text = page.locator("async-timeline").inner_text()
    assert text.startswith(f"{SMALL['title']}\n{SMALL['summary']}")
    assert text.index(SMALL["summary"]) < text.index("Play")
    label = page.get_by_role("img").get_attribute("aria-label")
    assert SMALL["summary"] in label
    assert len(label.split()) >= 8


def test_guess_is_drawn_and_the_shared_axis_grows(page: Page, tmp_path: Path) -> None:
    parts = [
        render(Timeline(SMALL, f"t{k}", axis=1.0, group="g", guess=f"01/{k}")) for k in ("a", "b")
    ]
    page.goto(write(tmp_path, *parts))
    a, b = page.locator("#ta"), page.locator("#tb")
    expect(page.locator(".timeline-guess")).to_have_count(0)

    guess(page, id="01/a", value=500, unit="ms")
    expect(a.locator(".timeline-guess-text")).to_have_text("your guess 0.5 s")
    expect(a.locator(".timeline-guess")).to_have_attribute("x1", "50.000%")
    expect(a.locator(".timeline-guess")).to_have_css("stroke-dasharray", re.compile(r"\d"))
    expect(b.locator(".timeline-guess")).to_have_count(0)

    guess(page, id="01/b", value=4, unit="s")  # beyond the axis: both figures follow
    expect(b.locator(".timeline-guess-text")).to_have_text("your guess 4.0 s")
    expect(b.locator(".timeline-guess")).to_have_attribute("x1", "100.000%")
    expect(a.locator(".timeline-guess")).to_have_attribute("x1", "12.500%")
    assert "your guess 4.0 s" in b.get_by_role("img").get_attribute("aria-label")

    guess(page, id="01/b", value=None, unit="s")  # forgotten
    expect(b.locator(".timeline-guess")).to_have_count(0)
    expect(a.locator(".timeline-guess")).to_have_attribute("x1", "50.000%")
    guess(page, id="01/a", value="", unit="s")  # no number, no line
    guess(page, id="01/other", value=9, unit="s")
    expect(page.locator(".timeline-guess-text")).to_have_count(1)


def test_a_guess_that_came_before_the_timeline_is_drawn(page: Page, tmp_path: Path) -> None:
    page.goto(write(tmp_path))
    guess(page, id="01/a", value=0.7, unit="s")
    page.evaluate(
        "html => document.querySelector('main').insertAdjacentHTML('beforeend', html)",
        render(Timeline(SMALL, "late", guess="01/a")),
    )
    expect(page.locator(".timeline-guess-text")).to_have_text("your guess 0.7 s")


# --- Without a script, with a broken trace ----------------------------------------------------


def test_without_javascript_figure_and_table_stand(browser: Browser, tmp_path: Path) -> None:
    address = write(tmp_path, render(Timeline(SMALL, "one")))
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(address)
        expect(page.get_by_role("img")).to_be_visible()
        expect(page.get_by_text(SMALL["summary"])).to_be_visible()
        expect(page.get_by_role("button")).to_have_count(0)
        page.get_by_text("The same as a table").click()
        expect(page.get_by_role("cell", name="1.000")).to_be_visible()


BROKEN = {
    "not JSON": lambda text: text.replace('{"schema"', "{schema", 1),
    "not a trace": lambda text: text.replace("async-course/trace/1", "other/1", 1),
    "unknown state": lambda text: text.replace('"state":"pool"', '"state":"asleep"', 1),
    "do not follow": lambda text: text.replace('"from":0.9', '"from":0.2', 1),
    "ends after": lambda text: text.replace('"duration":1.0', '"duration":0.5', 1),
    "above zero": lambda text: text.replace('"duration":1.0', '"duration":0', 1),
    "no lanes": lambda text: re.sub(r'"lanes":\[.*\]\}(?=</script>)', '"lanes":[]}', text),
}


@pytest.mark.parametrize("what", BROKEN)
def test_malformed_trace_leaves_the_figure_and_says_why(
    page: Page, tmp_path: Path, what: str
) -> None:
    good = render(Timeline(SMALL, "one"))
    bad = BROKEN[what](good)
    assert bad != good
    page.goto(write(tmp_path, bad))
    problem = page.locator(".timeline-problem")
    expect(problem).to_be_visible()
    expect(problem).to_contain_text("cannot be played")
    if what != "not JSON":
        expected = "not a trace of this course" if what == "not a trace" else what
        expect(problem).to_contain_text(expected)
    expect(page.get_by_role("img")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)


# --- How it looks -----------------------------------------------------------------------------


def parts_of_a_page() -> list[str]:
    first = json.loads((TRACES / "01-simulator.json").read_text("utf-8"))
    return [
        timeline_pages.page_html("01-async-def", "a", {"beside": "01-def", "guess": "01/a"}),
        timeline_pages.page_html("01-def", "b", {"beside": "01-async-def", "guess": "01/b"}),
        render(Timeline(first, "s", simulator=True)),
        render(Timeline(EVERY_STATE, "e")),
    ]


@pytest.mark.parametrize("width", [390, 1280])
def test_no_accessibility_violation_in_either_theme(page: Page, tmp_path: Path, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(write(tmp_path, *parts_of_a_page()))
    guess(page, id="01/a", value=0.4, unit="s")
    page.evaluate(
        "document.querySelectorAll('#a details, #e details').forEach((one) => { one.open = true; })"
    )
    page.add_script_tag(path=AXE)
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        found = page.evaluate(  # without preload: a page from a file may not fetch its style again
            "axe.run(document, { preload: false }).then((result) => result.violations)"
        )
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], theme


def test_on_a_phone_text_is_readable_and_targets_are_large(page: Page, tmp_path: Path) -> None:
    page.goto(write(tmp_path, *parts_of_a_page()))
    guess(page, id="01/a", value=0.4, unit="s")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    texts = page.evaluate(
        """() => [...document.querySelectorAll("svg text")].map((one) => {
        const box = one.getBoundingClientRect();
        return [parseFloat(getComputedStyle(one).fontSize) * one.getScreenCTM().a,
          box.left, box.right, one.textContent]; })"""
    )
    assert len(texts) > 60
    assert [one for one in texts if one[0] < 11 or one[1] < 0 or one[2] > 390] == []
    low = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, summary")]
        .map((one) => [one.outerHTML, one.getBoundingClientRect().height])
        .filter(([, height]) => height < 44)"""
    )
    assert low == []


def test_nothing_moves_when_the_script_arrives(page: Page, tmp_path: Path) -> None:
    parts = parts_of_a_page()
    place = "document.querySelector('#after').getBoundingClientRect().top + scrollY"
    page.goto(write(tmp_path, *parts, name="before.html", script=False))
    before = page.evaluate(place)
    page.add_init_script(SHIFTS)
    page.goto(write(tmp_path, *parts))
    expect(page.locator(".timeline-cursor").first).to_be_attached()
    assert page.evaluate(place) == before
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert page.evaluate("window.shifts") == []


# --- The recorded hook and the extension ------------------------------------------------------


def test_only_pages_with_a_timeline_load_its_files(page: Page, tmp_path: Path) -> None:
    status, log = build_a_page(tmp_path, ".. timeline:: 01-def\n   :beside: 01-async-def\n")
    assert (status, log) == (0, "")
    html = {name: (tmp_path / "html" / f"{name}.html").read_text() for name in ("index", "played")}
    assert "_static/timeline/" not in html["index"]
    assert html["played"].count("timeline.js") == html["played"].count("timeline.css") == 1
    assert "simulator.js" not in html["played"]
    assert HOOK["def"]["summary"] not in (tmp_path / "html" / "searchindex.js").read_text()
    page.goto((tmp_path / "html" / "played.html").as_uri())
    expect(page.locator(".timeline-cursor")).to_be_attached()  # the script found its trace


# --- Without a player: the figure of a notebook ------------------------------------------------


@pytest.mark.parametrize(
    "trace", [SMALL, SHORT, EVERY_STATE], ids=["small", "short", "every state"]
)
def test_a_notebooks_timeline_needs_no_style_of_the_page(
    page: Page, tmp_path: Path, trace: dict
) -> None:
    """The same colours and sizes as the player on the page, and nothing sticks out on a phone."""
    looks = """() => [...document.querySelectorAll(".timeline-svg rect, .timeline-svg text")]
      .map((one) => getComputedStyle(one))
      .map((style) => [style.color, style.stroke, style.strokeWidth, style.fontSize])"""
    page.goto(write(tmp_path, render(Timeline(trace, "one")), script=False))
    on_the_page = page.evaluate(looks)
    alone = tmp_path / "alone.html"
    alone.write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Test</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">{THEME}</head>'
        f"<body>{timeline(trace).html}</body></html>",
        encoding="utf-8",
    )
    page.goto(alone.as_uri())
    assert page.evaluate(looks) == on_the_page
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate(
            "getComputedStyle(document.querySelector('.timeline-svg text')).fill"
        ) == page.evaluate("getComputedStyle(document.body).color")


def test_a_notebooks_timeline_shows_the_guess_as_the_page_does(page: Page, tmp_path: Path) -> None:
    page.goto(write(tmp_path, render(Timeline(SMALL, "one", guess="01/x"))))
    guess(page, id="01/x", value=1500, unit="ms")
    drawn = page.locator(".timeline-svg").evaluate(
        """svg => { const copy = svg.cloneNode(true);
        copy.querySelectorAll(".timeline-later, .timeline-cursor").forEach((one) => one.remove());
        return copy.outerHTML; }"""
    )
    same(page, drawn, figure(Timeline(SMALL, "one", guess_at=1.5)))
