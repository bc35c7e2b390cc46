"""The documentation: its examples give what it shows, its pictures are small, its site is whole."""

import re
import shutil

import pytest
from bs4 import BeautifulSoup

import bcfstats as bcf
from bcfstats.run.explain import explain, method_names
from scripts.examples import DOCS, make_workspace, pages, renewed

LARGEST_PICTURE = 150_000  # bytes
OUTSIDE = re.compile(r"""<(?:script|link|img|iframe)\b[^>]*(?:src|href)=["']?(?:https?:)?//""")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("examples")
    make_workspace(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_examples_give_what_the_page_shows(page, workspace, tmp_path):
    """`python -m scripts.examples` writes what they give now."""
    shutil.copytree(workspace, tmp_path, dirs_exist_ok=True)
    text = page.read_text(encoding="utf-8")
    assert renewed(text, tmp_path) == text


def test_pictures_are_small_and_each_is_shown_with_its_words():
    shown = {}
    for page in DOCS.rglob("*.md"):
        for words, path in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
            shown[(page.parent / path).resolve()] = words
    pictures = {path.resolve() for path in (DOCS / "images").iterdir()}
    assert pictures <= shown.keys()
    assert [path.name for path in pictures if path.stat().st_size > LARGEST_PICTURE] == []
    assert [path.name for path, words in shown.items() if len(words) < 20] == []


@pytest.mark.slow
def test_site_asks_for_nothing_from_elsewhere(site):
    found = {page.name for page in site.rglob("*.html") if OUTSIDE.search(page.read_text(encoding="utf-8"))}
    assert found == set()


@pytest.mark.slow
def test_site_shows_the_method_pages_and_the_docstrings_themselves(site):
    for name in method_names():
        page = BeautifulSoup((site / "methods" / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
        assert page.h1.get_text() == explain(name).splitlines()[0].removeprefix("# ")
    reference = (site / "reference" / "stats.html").read_text(encoding="utf-8")
    assert bcf.trend.__doc__.splitlines()[0] in reference
