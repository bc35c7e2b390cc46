"""What is in git: nothing large, no published data, nothing that holds on one machine only."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LARGEST = 1_000_000  # bytes
ONLY_A_README = ("data/raw/", "data/processed/", "reports/")
OF_ONE_MACHINE = {
    "a path of one machine": re.compile(
        r"(?<![\w.~$}-])/(?:home|Users|root|work|mnt|media|private|scratch|tmp)/\w"
        r"|\b[A-Za-z]:\\{1,2}(?:Users|Documents)\b|\bfile://"
    ),
    "a package index": re.compile(
        r"\b(?:pypi|pythonhosted|anaconda|artifactory|jfrog)\.(?:org|com|io)\b|/simpl[e]/"
        r"|(?:extra-)?index-ur[l]|find-link[s]|trusted-hos[t]",
        re.IGNORECASE,
    ),
    "an address inside a network": re.compile(
        r"\b(?:10\.\d+\.\d+\.\d+|192\.168\.\d+)\b"  # "localhost" is every machine's own name
    ),
    "a secret": re.compile(
        r"BEGIN [A-Z ]*PRIVATE KEY|\bgh[pousr]_\w{20}|\bAKIA[0-9A-Z]{16}\b|://[^/\s:@]+:[^/\s@]+@"
    ),
}


def texts(tracked):
    """Path and content of each tracked file that is text."""
    for name in tracked:
        content = (ROOT / name).read_bytes()
        if b"\0" not in content:
            yield name, content.decode("utf-8")


def test_nothing_large(tracked):
    sizes = {name: (ROOT / name).stat().st_size for name in tracked}
    assert {name: size for name, size in sizes.items() if size > LARGEST} == {}


@pytest.mark.parametrize("folder", ONLY_A_README)
def test_no_published_data_and_no_reports(folder, tracked):
    assert [name for name in tracked if name.startswith(folder)] == [folder + "README.md"]


@pytest.mark.parametrize("what", OF_ONE_MACHINE)
def test_nothing_of_one_machine(what, tracked):
    pattern = OF_ONE_MACHINE[what]
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts(tracked)
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("see /" + "home/anna/data", "a path of one machine"),
        (r"C:" + r"\Users\anna", "a path of one machine"),
        ("pip install --index" + "-url x", "a package index"),
        ("from pypi" + ".org", "a package index"),
        ("http://192." + "168.0.7:8888", "an address inside a network"),
    ],
)
def test_the_patterns_find_what_they_are_for(line, what):
    assert OF_ONE_MACHINE[what].search(line)


def test_line_endings_are_those_of_unix(tracked):
    assert [name for name, text in texts(tracked) if "\r\n" in text] == []


def links(tracked):
    """Page, path and heading of each link to another page of ours."""
    for name, text in texts(tracked):
        if name.endswith(".md"):
            for path, heading in re.findall(r"\]\((?!https:|mailto:)([^)#\s]*)#?([^)\s]*)\)", text):
                yield name, path, heading


def anchors(page):
    """Anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_links_lead_somewhere(tracked):
    broken = []
    for name, path, heading in links(tracked):
        page = (ROOT / name).parent / path if path else ROOT / name
        if not page.exists() or (heading and heading not in anchors(page)):
            broken.append(f"{name}: {path}#{heading}")
    assert broken == []
