"""The documentation builds into a site that leads nowhere wrong and fetches nothing from anybody else."""

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from local.places import ROOT

# Read where they lie, not on the site. Their links are to files of the repository.
OUTSIDE = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "clients/js/README.md",
    "clients/cli/README.md",
)
FETCHED = {"script": "src", "img": "src", "source": "srcset", "iframe": "src", "link": "href"}
# These say where something is, and nobody fetches it.
NAMED_ONLY = {"canonical", "next", "prev", "alternate"}
ELSEWHERE = re.compile(r"^(?:[a-z]+:)?//", re.IGNORECASE)


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.anchors |= {value for name in ("id", "name") if (value := values.get(name))}
        target = values.get(FETCHED.get(tag, ""))
        if target and not (tag == "link" and values.get("rel") in NAMED_ONLY):
            self.fetched.append(target)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    # Not --quiet: what it does not say, it does not count either.
    ran = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


def page_of(site: Path, source: Path) -> Path:
    """What a page under docs/ has become."""
    place = source.relative_to(ROOT / "docs").with_suffix("")
    is_index = place.name in ("index", "README")
    return site / (place.parent if is_index else place) / "index.html"


def anchors_of(page: Path) -> set[str]:
    return Page(page.read_text()).anchors


def links_of(text: str) -> set[str]:
    without_code = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
    found = re.findall(r"\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"", without_code)
    return {markdown or html for markdown, html in found}


def test_site_is_built_strictly_and_every_page_is_on_it(site: Path) -> None:
    pages = list((ROOT / "docs").rglob("*.md"))
    assert len(pages) > 50
    assert [page.name for page in pages if not page_of(site, page).exists()] == []


def test_no_page_has_two_places_in_the_navigation() -> None:
    _, nav = (ROOT / "mkdocs.yml").read_text().split("\nnav:\n")
    pages = re.findall(r": (\S+\.md)$", nav, flags=re.MULTILINE)
    assert len(pages) > 30
    assert len(pages) == len(set(pages))


def test_site_fetches_nothing_from_another_host(site: Path) -> None:
    fetched = {
        (page.relative_to(site).as_posix(), target)
        for page in site.rglob("*.html")
        for target in Page(page.read_text()).fetched
    }
    assert fetched
    assert [pair for pair in sorted(fetched) if ELSEWHERE.match(pair[1])] == []
    styles = {
        (style.name, target)
        for style in site.rglob("*.css")
        for target in re.findall(r"(?:url\(|@import\s+)[\"']?([^\"')\s]+)", style.read_text())
    }
    assert [pair for pair in sorted(styles) if ELSEWHERE.match(pair[1])] == []


def test_no_diagram_needs_a_script_that_the_site_does_not_have(site: Path) -> None:
    """The theme would fetch Mermaid from another host for these."""
    assert [
        page.name for page in site.rglob("*.html") if re.search(r"class=\"[^\"]*mermaid", page.read_text())
    ] == []


@pytest.mark.parametrize("name", OUTSIDE)
def test_links_from_outside_the_site_lead_somewhere(site: Path, name: str) -> None:
    source = ROOT / name
    broken = []
    for link in links_of(source.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = unquote(link).partition("#")
        target = (source.parent / path).resolve() if path else source
        in_docs = target.is_relative_to(ROOT / "docs")
        if not target.exists() or (anchor and in_docs and anchor not in anchors_of(page_of(site, target))):
            broken.append(link)
    assert broken == []


def test_table_of_sizes_is_what_its_formula_prints() -> None:
    page = (ROOT / "docs" / "sizing.md").read_text()
    formula = page.split("```python\n", 1)[1].split("```", 1)[0]
    ran = subprocess.run([sys.executable, "-c", formula], capture_output=True, text=True, check=True)
    assert len(ran.stdout.splitlines()) == 3
    assert ran.stdout in page
