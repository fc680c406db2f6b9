"""The book builds without a warning, loads nothing from elsewhere, is light, and fails loudly."""

from __future__ import annotations

import functools
import gzip
import re
import shutil
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import page_assets
import page_fixes
import page_rules
import pytest
import security_policy
import theme_watch
import unused_styles

import serve
from bench.course import COURSE
from building import build
from built_pages import page_of
from contents import documents
from strict_serving import served

PAGES = [*documents(), "search", "404"]
WEIGHT_LIMIT = 180_000  # bytes over the wire, everything the first visit loads


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A book of three pages, with the course's settings, in which a test may plant a mistake."""
    course = tmp_path / "course"
    (course / "labs").mkdir(parents=True)
    for folder in ("book/_ext", "book/_static", "book/_templates", "labs/bench"):
        shutil.copytree(COURSE / folder, course / folder)
    shutil.copy2(COURSE / "_config.yml", course)
    toc = "format: jb-book\nroot: book/intro\nchapters:\n  - file: book/next\n"
    toc += "    sections:\n      - file: book/last\n"
    (course / "_toc.yml").write_text(toc, "utf-8")
    for name in ("intro", "next", "last"):
        page = f"# The page {name}\n\n## A part\n\n{'Some words. ' * 20}\n"
        (course / "book" / f"{name}.md").write_text(page, "utf-8")
    return course


def edit(path: Path, old: str, new: str) -> None:
    """Replace `old`, which must be there exactly once or more, by `new`."""
    text = path.read_text("utf-8")
    assert old in text, f"{path.name} no longer holds {old!r}: mend this test"
    path.write_text(text.replace(old, new), "utf-8")


# --- The build ------------------------------------------------------------------------------


def test_every_document_of_the_contents_becomes_a_page(site: Path) -> None:
    missing = [name for name in PAGES if not (site / f"{name}.html").exists()]
    assert not missing


def test_nothing_but_the_contents_becomes_a_page(site: Path) -> None:
    built = {
        str(path.relative_to(site).with_suffix("").as_posix())
        for path in site.rglob("*.html")
        if path.relative_to(site).parts[0] not in ("_static", "_sources")
    }
    assert built == {*PAGES, "index"}


def test_the_first_address_leads_to_the_first_page(site: Path) -> None:
    target = re.search(r'url=([^"]+)"', (site / "index.html").read_text("utf-8"))
    assert target
    assert target[1] == f"{documents()[0]}.html"


def test_a_second_build_over_the_first_succeeds(copy: Path) -> None:
    for _ in range(2):
        done = build(copy, copy / "out")
        assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
    style = (copy / "out/_build/html/_static/styles/pydata-sphinx-theme.css").read_text("utf-8")
    assert ".fa-sun:before" in style
    assert ".fa-sun-plant-wilt:before" not in style


def test_an_unknown_link_stops_the_build(copy: Path) -> None:
    page = copy / "book" / "intro.md"
    page.write_text(page.read_text("utf-8") + "\n\n[Go](no-such-page.md)\n", "utf-8")
    done = build(copy, copy / "out")
    assert done.returncode != 0
    assert "no-such-page.md" in done.stdout + done.stderr


def test_a_theme_that_changed_under_a_fix_stops_the_build(copy: Path) -> None:
    template = copy / "book/_templates/search-button.html"
    for other in copy.glob("book/_templates/*.html"):
        if other not in (template, other.with_name("layout.html")):
            other.unlink()
    [(_, _, digest)] = theme_watch.WRITTEN_AGAINST.findall(template.read_text("utf-8"))
    edit(template, digest, "0123456789ab")
    done = build(copy, copy / "out")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "template search-button.html: pydata_sphinx_theme/components/search-button.html" in said
    assert f"is now {digest}: the theme changed" in said


def test_a_button_of_the_theme_that_our_script_does_not_know_stops_the_build(copy: Path) -> None:
    edit(copy / "book/_templates/article-header-buttons.html", "toggleFullScreen()", "open()")
    done = build(copy, copy / "out")
    assert done.returncode != 0
    assert "toggleFullScreen()" in done.stdout + done.stderr


# --- The fixes ------------------------------------------------------------------------------

UNCONDITIONAL = [
    fix
    for fix in page_fixes.FIXES
    if fix.__name__
    not in (
        "load_images_late",  # a page may have no image,
        "name_folded_cells",  # …no folded cell,
        "let_claims_wrap",  # …and no claim
    )
]


@pytest.mark.parametrize("fix", UNCONDITIONAL, ids=lambda fix: fix.__name__)
def test_a_fix_that_finds_nothing_says_so(fix) -> None:
    with pytest.raises(theme_watch.ThemeChanged, match="the theme changed"):
        fix("<html><body></body></html>")


def test_a_template_that_names_no_source_is_refused(tmp_path: Path) -> None:
    (tmp_path / "search-button.html").write_text("<button>Search</button>")
    with pytest.raises(theme_watch.ExtensionError, match="does not name what it was written"):
        theme_watch.check_templates(tmp_path)


def test_a_style_of_the_theme_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(theme_watch.ThemeChanged, match=r"style 'basic\.css'"):
        theme_watch.check_styles(tmp_path)


def test_conditional_fixes_say_so_too() -> None:
    with pytest.raises(theme_watch.ThemeChanged, match="folded cells"):
        page_fixes.name_folded_cells('<details class="admonition hide">')
    with pytest.raises(theme_watch.ThemeChanged, match="claims"):
        page_fixes.let_claims_wrap("<pre>holds: A claim.\n</pre>")


def test_claims_in_an_output_wrap_and_tables_do_not() -> None:
    page = '<div class="output stream highlight-x"><pre><span></span>a  b\nholds: A claim.\n</pre>'
    marked = page_fixes.let_claims_wrap(page)
    assert '<span></span>a  b\n<span class="claim-line">holds: A claim.</span>\n</pre>' in marked
    other = "<pre>holds no claim</pre>"
    assert page_fixes.let_claims_wrap(other) == other


@pytest.mark.parametrize(
    "html",
    [
        '<script src="https://cdn.example/x.js"></script>',
        "<img alt='' src='//img.example/x.png'>",
        '<link rel="stylesheet" href="https://fonts.example/css">',
        '<iframe title="x" src="http://video.example/"></iframe>',
        '<div style="background: url(https://img.example/x.png)"></div>',
        "<style>@import 'https://fonts.example/css';</style>",
    ],
)
def test_a_request_to_another_server_is_refused(html: str) -> None:
    with pytest.raises(page_rules.PageRefused, match=r"book/intro: loads //\w+\.example"):
        page_rules.refuse_requests(html, "book/intro")


def test_a_link_to_another_site_is_no_request() -> None:
    html = '<a href="https://fastapi.example/">x</a><link rel="canonical" href="https://a.example">'
    page_rules.refuse_requests(html, "book/intro")  # it raises nothing


def test_a_spoiler_that_a_script_would_close_is_refused() -> None:
    with pytest.raises(page_rules.PageRefused, match="dropdown"):
        page_rules.refuse_open_spoilers('<div class="dropdown admonition tip">', "book/intro")


# --- The theme's style ----------------------------------------------------------------------


def test_rules_that_no_page_can_meet_are_left_out() -> None:
    sheet = """/* a comment */ @import "x.css"; a, .row > #main, .gone { b: "} .row {" }
    @media print { .gone { c: d } } @media (width > 1px) { .row:not(.gone) { e: f } }
    .bs-tooltip-end[data-x=".gone"] { g: h } @font-face { src: url(.gone) }"""
    left = [
        '@import "x.css";',
        'a,.row > #main{b: "} .row {"}',
        "@media (width > 1px) {.row:not(.gone){e: f}}",
        '.bs-tooltip-end[data-x=".gone"]{g: h}',
        "@font-face { src: url(.gone) }",
    ]
    assert unused_styles.trim(sheet, {"row", "main"}).splitlines() == left


def test_the_theme_is_trimmed_and_what_scripts_set_stays(site: Path) -> None:
    style = (site / "_static/styles/pydata-sphinx-theme.css").read_text("utf-8")
    assert len(style) < 150_000
    assert ".carousel-control-next" not in style
    for met in (".modal-backdrop", ".bs-tooltip-auto", ".theme-switch", ".search-button"):
        assert met in style


# --- The policy -----------------------------------------------------------------------------


def test_a_script_in_a_page_is_known_by_its_hash_and_data_is_no_script() -> None:
    page = "<script>run()</script><script type='application/json'>{}</script><script src='x.js'>"
    assert security_policy.inline_scripts(page + "</script>") == ["run()"]
    assert "'sha256-" in security_policy.policy(["run()"])
    assert "'sha256-" not in security_policy.policy([])


def test_a_handler_in_an_attribute_is_refused() -> None:
    page = "<meta charset='utf-8'><button class='x' onclick=\"print()\">Print</button>"
    with pytest.raises(page_rules.PageRefused, match="would not run; listen in a script"):
        security_policy.declare(page, "book/intro")


def test_inline_scripts_that_differ_from_page_to_page_are_refused(tmp_path: Path) -> None:
    for page in range(security_policy.MOST + 1):
        text = f"<html><script>one({page})</script></html>"
        (tmp_path / f"{page}.html").write_text(text, "utf-8")
    with pytest.raises(page_rules.PageRefused, match="inline scripts"):
        security_policy.write_for_hosts(tmp_path)


@pytest.mark.parametrize("document", PAGES)
def test_page_declares_its_policy_before_it_loads_anything(document: str) -> None:
    page = page_of(document)
    head = re.split(r"<(?:link|script|style)\b", page.html, maxsplit=1)[0]
    [policy] = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)">', page.html)
    assert policy in head
    assert policy == security_policy.policy(security_policy.inline_scripts(page.html))


# --- The pages ------------------------------------------------------------------------------


@pytest.mark.parametrize("document", PAGES)
def test_page_loads_nothing_from_another_server(document: str) -> None:
    page = page_of(document)
    foreign = [name for name in page.loaded() if re.match(r"(?:[a-z]+:)?//", name)]
    assert not foreign
    assert not re.findall(r"(?:url\(|@import )\s*[\"']?(?:https?:)?//", page.html)
    missing = [path.name for path in page.files() if not path.exists()]
    assert not missing


@pytest.mark.parametrize("style", ["_static/**/*.css", "_static/*.css"])
def test_no_style_sheet_loads_from_another_server(site: Path, style: str) -> None:
    sheets = list(site.glob(style))
    assert sheets
    foreign = r"(?:url\(|@import )\s*[\"']?(?:https?:)?//[^)\"';]*"
    found = {path.name: re.findall(foreign, path.read_text("utf-8")) for path in sheets}
    assert not {name: urls for name, urls in found.items() if urls}


@functools.cache
def size_over_the_wire(path: Path) -> int:
    body = path.read_bytes()
    return len(gzip.compress(body, 6, mtime=0)) if path.suffix in serve.COMPRESSED else len(body)


@pytest.mark.parametrize("document", PAGES)
def test_page_is_light(document: str) -> None:
    sizes = {path.name: size_over_the_wire(path) for path in page_of(document).files()}
    heaviest = sorted(sizes.items(), key=lambda item: -item[1])[:5]
    assert sum(sizes.values()) <= WEIGHT_LIMIT, (
        f"{sum(sizes.values())} bytes, most of it {heaviest}"
    )


@pytest.mark.parametrize("document", PAGES)
def test_page_has_what_every_page_needs(document: str) -> None:
    page = page_of(document)
    description = re.search(r'<meta name="description" content="([^"]+)"', page.html)
    assert description
    assert 20 <= len(description[1]) <= 200  # 155 characters, some of them escaped
    assert page.count("h1") == 1
    assert page.count("html", lang="en") == 1
    assert page.count("link", rel="icon") == 1
    assert page.count("meta", name="viewport") == 1


@pytest.mark.parametrize("document", PAGES)
def test_page_has_one_search(document: str) -> None:
    page = page_of(document)
    assert page.count("input", type="search") == 1
    assert page.count("button", class_="search-button__button") == (document != "search")


@pytest.mark.parametrize("document", PAGES)
def test_page_has_no_inline_handler(document: str) -> None:
    handlers = [
        name for _, given in page_of(document).elements for name in given if name[:2] == "on"
    ]
    assert not handlers


@pytest.mark.parametrize("document", PAGES)
def test_page_loads_the_assets_of_what_it_shows_and_no_others(document: str) -> None:
    page = page_of(document)
    body = page.html.partition("<article")[2].partition("</article>")[0]
    every = {page_assets.address(path) for _, files in page_assets.LOADED_WITH for path in files}
    asked = [re.sub(r"^/?(?:\.\./)*_static/|\?.*", "", name) for name in page.loaded()]
    wanted = list(map(page_assets.address, page_assets.loaded_by(body)))
    for suffix in (".css", ".js"):
        found = [name for name in asked if name in every and name.endswith(suffix)]
        assert found == [name for name in wanted if name.endswith(suffix)]


def test_a_notebook_can_be_downloaded() -> None:
    lesson = next(name for name in documents() if name.startswith("notebooks/"))
    page = page_of(lesson)
    links = [g["href"] for tag, g in page.elements if tag == "a" and "download" in g]
    assert [name for name in links if name.endswith(f"{lesson.rpartition('/')[2]}.ipynb")]
    assert all((page.path.parent / link).is_file() for link in links)


# --- serve.py -------------------------------------------------------------------------------


def test_serving_compresses_text_and_names_types(site: Path) -> None:
    with served(site) as address:
        asked = {
            "_static/page.js": ("text/javascript; charset=utf-8", "gzip"),
            "_static/course.css": ("text/css; charset=utf-8", "gzip"),
            "_static/favicon.svg": ("image/svg+xml", "gzip"),
            "index.html": ("text/html; charset=utf-8", "gzip"),
            "_static/vendor/fontawesome/webfonts/fa-solid-900.woff2": ("font/woff2", None),
        }
        for path, (media_type, encoding) in asked.items():
            request = urllib.request.Request(address + path, headers={"Accept-Encoding": "gzip"})
            with urllib.request.urlopen(request, timeout=30) as reply:
                body = reply.read()
                assert reply.headers["Content-Type"] == media_type
                assert reply.headers["Content-Encoding"] == encoding
            plain = gzip.decompress(body) if encoding else body
            assert plain == (site / path).read_bytes()


def test_serving_sends_the_policy_that_the_build_wrote() -> None:
    assert serve.POLICY == security_policy.FILE


def test_serving_shows_no_folder_and_nothing_above_the_book(site: Path) -> None:
    with served(site) as address:
        for path in ("_static/", "../_config.yml", "%2e%2e/%2e%2e/_config.yml"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                urllib.request.urlopen(address + path, timeout=30)


def test_an_address_that_does_not_exist_shows_the_page_that_says_so(site: Path) -> None:
    with served(site) as address:
        for path in ("nowhere.html", "book/nowhere/at/all.html", "_static/"):
            with pytest.raises(urllib.error.HTTPError, match="404") as lost:
                urllib.request.urlopen(address + path, timeout=30)
            assert lost.value.read() == (site / "404.html").read_bytes()


def test_serving_takes_the_next_port_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>book</p>")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, str(COURSE / "book" / "serve.py"), "--no-browser"]
        command += ["--site", str(tmp_path), "--port", str(port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout
                assert process.stdout.readline().startswith(f"Port {port} is taken")
                address = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
                assert address
                with urllib.request.urlopen(address[0], timeout=30) as reply:
                    assert reply.read() == b"<p>book</p>"
            finally:
                process.terminate()


def test_serving_a_book_that_was_not_built_says_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert serve.main(["--site", str(tmp_path), "--no-browser"]) == 1
    assert "make book" in capsys.readouterr().err
