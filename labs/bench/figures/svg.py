"""Matplotlib's SVG file → one inline element that follows the theme of the page it stands on.

**Theme.** Whatever was drawn in `INK` becomes `currentColor`; the background stays transparent.
Fonts are those of the page.

**Size.** A figure is 5 inches = 360 units of its viewBox wide and fills its container up to 30 rem.
On a phone of 390 px the container is about 340 px, so text of 12 units is 12 · 340 / 360 = 11.3 px.
`rendered_px` is that formula; no text may be below `MIN_PX`.

**Same bytes.** No date, no metadata; ids come from the drawing and its text alternative alone.
"""

from __future__ import annotations

import hashlib
import html
import re
from xml.etree import ElementTree

INK = "#010203"
"""Stands for currentColor while matplotlib draws; no palette contains it."""
MIN_PX = 11.0
PHONE = 340.0
"""Width of the text column on a phone of 390 px."""
SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}"
REFERENCE = re.compile(r'(url\(#|href="#)(\w+)')


def rendered_px(units: float, view_width: float, container: float = PHONE) -> float:
    """Height in CSS pixels of text of `units`, when the figure fills a container."""
    return units * container / view_width


def clean(source: str, label: str) -> str:
    """Matplotlib's file as an inline element: only what is drawn, in the colours of the page.

    Its `<style>` must go: inside HTML it would apply to the whole page. So must the ids nobody
    refers to: every figure has an "axes_1". The rest get a name of their own for this figure.
    """
    root = ElementTree.fromstring(source)
    view = root.get("viewBox", "")
    drawn = "".join(map(_element, root))
    used = list(dict.fromkeys(name for _, name in REFERENCE.findall(drawn)))
    figure = "f" + hashlib.sha256((label + drawn).encode()).hexdigest()[:10]
    new = {name: f"{figure}-{number}" for number, name in enumerate(used)}
    drawn = REFERENCE.sub(lambda found: found[1] + new[found[2]], drawn)
    drawn = re.sub(r' id="(\w+)"', lambda f: f' id="{new[f[1]]}"' if f[1] in new else "", drawn)
    for size in re.findall(r'font-size="([\d.]+)', drawn):
        if (px := rendered_px(float(size), float(view.split()[2]))) < MIN_PX:
            raise ValueError(f"Text of {px:.1f} px on a phone is too small: {MIN_PX} px at least.")
    return (
        f'<svg viewBox="{view}" role="img" aria-label="{html.escape(label)}" '
        'style="display:block;width:100%;height:auto;overflow:visible;visibility:visible" '
        f'fill="currentColor" stroke-linejoin="round" stroke-linecap="butt">{drawn}</svg>'
    )


def _element(node: ElementTree.Element) -> str:
    tag = node.tag.removeprefix(SVG)
    if tag in ("metadata", "style"):
        return ""
    if tag == "defs" and not list(node.iter(SVG + "path")) + list(node.iter(SVG + "rect")):
        return ""
    inside = (html.escape(node.text or "") if tag == "text" else "") + "".join(map(_element, node))
    attributes = dict(node.attrib)
    style = attributes.pop("style", "")
    for rule in filter(None, style.split(";")):
        name, value = rule.split(":", 1)
        attributes[name.strip()] = value.strip()
    if tag == "g" and not attributes.keys() - {"id"}:
        return inside  # a group that only names what matplotlib drew
    text = "".join(
        f' {name.removeprefix(XLINK)}="{html.escape(_value(value))}"'
        for name, value in attributes.items()
        if not (
            (name == "font-family")
            or (name == "transform" and value.startswith("rotate(-0 "))
            or (tag == "text" and name == "fill" and value == INK)
        )
    )
    return f"<{tag}{text}>{inside}</{tag}>" if inside else f"<{tag}{text}/>"


def _value(value: str) -> str:
    """`currentColor` for INK, two decimals for numbers (a hundredth of a unit is invisible)."""
    value = value.replace(INK, "currentColor").strip().removesuffix("px")
    value = re.sub(
        r"-?\d+\.\d+", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), value
    )
    return re.sub(r"\s+", " ", value)
