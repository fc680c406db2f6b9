"""Script and style of the page draw what the table says."""

from __future__ import annotations

import re
from typing import get_args

from bench import palette
from bench.course import LABS, PAGE_ASSETS
from bench.traces.looks import ASSETS, STATES, STYLE, StateName, written


def test_the_script_of_the_page_holds_this_table():
    path, text = written()
    assert path.read_text(encoding="utf-8") == text, "run: python -m bench.traces.looks"


def test_the_style_gives_each_state_the_colour_of_the_table():
    style = STYLE.read_text(encoding="utf-8")
    colours = dict(re.findall(r"--timeline-(\w+): (#\w+);", style))
    drawn = {
        state: colours.get(name)
        for states, name in re.findall(r"^(.*) { color: var\(--timeline-(\w+)\)", style, re.M)
        for state in re.findall(r"\.timeline-(\w+)", states)
    }
    assert drawn == {state: look.color and look.color.lower() for state, look in STATES.items()}
    ours = (palette.BLUE, palette.VERMILION, palette.GREEN, palette.PURPLE)
    assert sorted(colours.values()) == sorted(color.lower() for color in ours)


def test_no_two_states_share_a_pattern():
    assert tuple(STATES) == get_args(StateName)
    assert len({look.tile for look in STATES.values()}) == len(STATES)


def test_text_of_the_figure_is_large_enough_on_a_phone():
    [size] = re.findall(
        r"\.timeline-svg {[^}]*font-size: (\d+)px", STYLE.read_text(encoding="utf-8")
    )
    assert int(size) >= 11  # without a viewBox, so the same on every screen


def test_no_other_style_names_a_colour_of_the_palette():
    for path in ASSETS.glob("*.css"):
        if path != STYLE:
            assert not re.findall(r"#(?:0072b2|d55e00|009e73|cc79a7)", path.read_text(), re.I), path


NEUTRAL = {"#48566B", "#8A94A3", "#F3F4F5"}  # text and plates, for which the theme has no variable


def test_the_page_knows_no_colour_but_those_of_the_palette():
    files = [*PAGE_ASSETS.rglob("*.css"), *PAGE_ASSETS.rglob("*.js"), *LABS.glob("bench/**/*.css")]
    found = {
        hue.upper() for f in files for hue in re.findall(r"#[0-9A-Fa-f]{6}\b", f.read_text("utf-8"))
    }
    ours = {palette.BLUE, palette.VERMILION, palette.GREEN, palette.PURPLE}
    assert found >= ours
    assert found - ours <= NEUTRAL
