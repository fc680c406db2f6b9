"""Keeps of the theme's icon font what the book shows: about 30 of 1,900 glyphs."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pydata_sphinx_theme
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

THEME = Path(pydata_sphinx_theme.__file__).parent / "theme" / "pydata_sphinx_theme" / "static"
FONT = "vendor/fontawesome/webfonts/fa-solid-900.woff2"
STYLE = "styles/pydata-sphinx-theme.css"
NOT_LOADED = (
    "scripts/fontawesome.js*",
    "vendor/fontawesome/webfonts/*.ttf",
    "vendor/fontawesome/webfonts/fa-brands-*",
    "vendor/fontawesome/webfonts/fa-regular-*",
    "**/*.map",
)
ICON_RULE = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"(\\[0-9a-f]+ ?|[^"\\])"\}')
PRIVATE_USE = re.compile("[\ue000-\uf8ff]")


logging.getLogger("fontTools").setLevel(logging.WARNING)  # it reports every table it prunes


def trim_icons(site: Path) -> int:
    """Write the theme's icon font and style sheet into the built `site` with the glyphs it needs.

    Returns the number of glyphs; 0 says that the theme's files have another form, and that nothing
    was written. A glyph stays when a page or a script names its class, or when a style sheet draws
    it itself. It starts from the theme's own files, since a build in which no page changed does not
    copy them into the site again.
    """
    static = site / "_static"
    style = (THEME / STYLE).read_text("utf-8")
    named = named_icons(site)
    glyphs: set[int] = set()

    def keep_if_named(rule: re.Match[str]) -> str:
        if not named & set(re.findall(r"\.(fa-[a-z0-9-]+):", rule[1])):
            return ""
        glyphs.add(code_point(rule[2]))
        return rule[0]

    trimmed, rules = ICON_RULE.subn(keep_if_named, style)
    if rules < 1000 or not (THEME / FONT).exists():
        return 0
    for sheet in (trimmed, *(p.read_text("utf-8") for p in static.glob("**/*.css"))):
        drawn = ICON_RULE.sub("", sheet)
        glyphs |= {ord(char) for char in PRIVATE_USE.findall(drawn)}
        glyphs |= {int(code, 16) for code in re.findall(r"\\(f[0-9a-f]{3})\b", drawn)}
    subset_font(THEME / FONT, static / FONT, glyphs)
    (static / STYLE).write_text(trimmed, "utf-8")
    for pattern in NOT_LOADED:
        for path in static.glob(pattern):
            path.unlink()
    return len(glyphs)


def named_icons(site: Path) -> set[str]:
    """Return the icon classes (`fa-…`) that the pages and scripts of `site` name."""
    sources = [*site.rglob("*.html"), *site.glob("_static/**/*.js")]
    texts = (path.read_text("utf-8") for path in sources if path.name != "fontawesome.js")
    return {name for text in texts for name in re.findall(r"fa-[a-z0-9-]+", text)}


def code_point(content: str) -> int:
    """Return the code point of a CSS `content` value: an escape or the character itself."""
    return int(content[1:], 16) if content.startswith("\\") else ord(content)


def subset_font(source: Path, target: Path, glyphs: set[int]) -> None:
    """Write the font in `source` to `target` with `glyphs` alone."""
    options = Options()
    options.flavor = "woff2"
    options.layout_features = []
    font = TTFont(source)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=glyphs)
    subsetter.subset(font)
    font.flavor = "woff2"
    font.save(target)
