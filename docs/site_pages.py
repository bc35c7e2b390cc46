"""What the documentation site holds besides docs/: pages that live elsewhere, and the reference.

mkdocs.yml names this module as a hook. There is no second copy of any page: `bcfstats explain` prints the
same method pages that the site shows.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.structure.files import File

import bcfstats
from bcfstats.judge.columns import dictionary_page
from bcfstats.run.explain import method_names

ROOT = Path(__file__).resolve().parents[1]
METHODS = "bcfstats/stats/methods"
ELSEWHERE = {  # path in the repository: page of the site
    **{f"{METHODS}/{name}.md": f"methods/{name}.md" for name in method_names()},
    "data/raw/README.md": "files.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
    "README.md": "index.md",
}
ROOMS = {
    "define": "What is measured, where, when, and what is paid",
    "read": "From published files to observations",
    "stats": "Statistics",
    "judge": "Judgements",
    "show": "Reports, charts and tables",
    "run": "Batches and settings",
}
LINK = re.compile(r"\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]*)(#[^)\s]*)?\)")


def on_config(config):
    """Fill in the parts of the navigation that follow from what there is."""
    filled = {
        "Methods": ["methods/README.md", *(f"methods/{name}.md" for name in method_names())],
        "Reference": ["reference/README.md", *(f"reference/{room}.md" for room in ROOMS)],
    }
    for entry in config.nav:
        if isinstance(entry, dict):
            entry.update({title: filled[title] for title in entry if title in filled})
    return config


def on_files(files, config):
    """Add the pages that live elsewhere, and one page of reference for each room."""
    for path, page in ELSEWHERE.items():
        if page != "index.md":
            files.append(File.generated(config, page, abs_src_path=str(ROOT / path)))
    files.append(File.generated(config, "columns.md", content=dictionary_page()))
    for page, text in reference().items():
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown, page, config, files):
    """Point links at the site: to its page where there is one, else to nothing."""
    found = {site: path for path, site in ELSEWHERE.items() if site != "index.md"}
    here = found.get(page.file.src_uri, f"docs/{page.file.src_uri}")
    return LINK.sub(lambda link: _linked(link, here, page.file.src_uri), markdown)


def _linked(link, here, page):
    """One link: `here` is where its page lives in the repository, `page` where it is on the site."""
    words, path, heading = link[1], link[2], link[3] or ""
    if not path:
        return link[0]
    target = posixpath.normpath(posixpath.join(posixpath.dirname(here), path))
    wanted = ELSEWHERE.get(target, target.removeprefix("docs/") if target.startswith("docs/") else "")
    if not wanted or wanted == "methods":
        return f"[{words}](methods/README.md)" if wanted else words
    return f"[{words}]({posixpath.relpath(wanted, posixpath.dirname(page) or '.')}{heading})"


def reference():
    """Pages of the reference by address, in the order in which `bcfstats` names its names."""
    homes = {**bcfstats._HOMES, **bcfstats._MODULES}
    pages = {
        "reference/README.md": "# Reference\n\n`import bcfstats as bcf`, then `bcf.NAME`:\n\n"
        + "".join(f"- [{title}]({room}.md)\n" for room, title in ROOMS.items())
    }
    for room, title in ROOMS.items():
        names = [(name, home) for name, home in homes.items() if home.startswith(f"{room}.")]
        parts = [
            f"::: bcfstats.{home}" + ("" if name in bcfstats._MODULES else f".{name}") for name, home in names
        ]
        pages[f"reference/{room}.md"] = "\n\n".join([f"# {title}", *parts]) + "\n"
    return pages
