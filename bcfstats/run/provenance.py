"""What differs between what two runs were made from, and how much that says about why numbers moved."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bcfstats.read.data import MANIFEST
from bcfstats.run.fingerprint import NOT_INPUT
from bcfstats.show.words import listed

PUBLISHED, PREPARED = "input", "prepared"
TOLD_BY_CHECKSUM = ("metrics", "targets")
OF_THE_RUN = ("stopped", "not_made_again")  # recorded with the settings, chosen by nobody
NAMED = 6  # files or settings a line; more are counted


@dataclass(frozen=True)
class Differences:
    """What two runs record differently, each as lines to be read.

    Attributes
    ----------
    data : tuple of str
        Published files, prepared data and files of targets.
    settings : tuple of str
        Rules: scheme, metrics of one's own, small numbers, months vouched for.
    code : tuple of str
        Code of bcfstats, Python, packages, system.
    unknown : tuple of str
        What a run made by an earlier version does not record.
    """

    data: tuple[str, ...]
    settings: tuple[str, ...]
    code: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """Say what differs, or that nothing does."""
        found = [*self.data, *self.settings, *self.code, *self.unknown]
        return found or ["Both runs record the same files, settings, code and packages."]

    def why(self, moved: bool) -> str:
        """Say what can be the reason, and no more: with two differences, neither is named the cause."""
        kinds = {"the data": self.data, "the settings": self.settings, "the code": self.code}
        differ = [name for name, found in kinds.items() if found]
        if not moved:
            return f"No number moved, though {listed(differ)} differ." if differ else "No number moved."
        if self.unknown and len(differ) < 2:
            return "Why they moved cannot be told: a run does not record all that it was made from."
        if not differ:
            return "Nothing recorded differs: a result was edited, or the machines compute differently."
        if len(differ) == 1:
            return f"The numbers moved because of {differ[0]}: all else that is recorded is the same."
        return (
            f"{listed(differ).capitalize()} {'both' if len(differ) == 2 else 'all'} differ: which of them "
            "moved a number cannot be told from these two runs. Change one at a time and run again."
        )


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Differences:
    """Compare the records of two runs.

    Parameters
    ----------
    before, after : mapping
        `run.json` of each.

    Returns
    -------
    Differences
    """
    files = _files(before), _files(after)
    published, prepared, targets, metrics, scheme = (
        _changed(*files, kind) for kind in (PUBLISHED, PREPARED, "targets", "metrics", "scheme")
    )
    if prepared and not published:
        published = ["Prepared data differ, though the published files are the same: prepare them again."]
    return Differences(
        data=(*published, *targets),
        settings=(*_settings(before, after), *metrics, *scheme),
        code=tuple(_code(before, after)),
        unknown=tuple(_unknown(before, after)),
    )


def _files(record: Mapping[str, Any]) -> dict[tuple[str, str], list[str]]:
    """Checksums by kind and name of file; several files may have one name."""
    about = record["about"]
    read = [*((PUBLISHED, *entry) for entry in about.get("inputs", [])), *about.get("files", [])]
    found: dict[tuple[str, str], list[str]] = {}
    for kind, name, checksum in read:
        if name != MANIFEST:  # holds the date of preparing
            found.setdefault((kind, name), []).append(checksum)
    return {key: sorted(checksums) for key, checksums in found.items()}


def _changed(before: Mapping[Any, Any], after: Mapping[Any, Any], kind: str) -> list[str]:
    names = [name for of, name in sorted(before.keys() | after.keys()) if of == kind]
    groups = {
        "changed": [n for n in names if (kind, n) in before and (kind, n) in after],
        "only in the second": [n for n in names if (kind, n) not in before],
        "only in the first": [n for n in names if (kind, n) not in after],
    }
    groups["changed"] = [n for n in groups["changed"] if before[kind, n] != after[kind, n]]
    told = [f"{_some(found)} ({how})" for how, found in groups.items() if found]
    return [f"{kind.capitalize()} files: {'; '.join(told)}."] if told else []


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    left_out = {*NOT_INPUT, *TOLD_BY_CHECKSUM, *OF_THE_RUN}
    one, two = before["settings"], after["settings"]
    for name in sorted((one.keys() | two.keys()) - left_out):
        values = [str(chosen.get(name) or "not set") for chosen in (one, two)]
        if name == "scheme":
            values = [Path(value).name for value in values]  # a file of one's own is told by its checksum
        if values[0] != values[1]:
            yield f"Setting {name}: {values[0]}, then {values[1]}."


def _code(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    versions = [
        {name: record.get(name) for name in ("bcfstats", "python", "system")} | record.get("packages", {})
        for record in (before, after)
    ]
    for name in dict.fromkeys([*versions[0], *versions[1]]):
        found = [version.get(name) or "not recorded" for version in versions]
        if found[0] != found[1]:
            yield f"{name}: {found[0]}, then {found[1]}."
    codes = [record["about"].get("code") for record in (before, after)]
    if all(codes) and codes[0] != codes[1]:
        yield "The code of bcfstats differs."


def _unknown(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for place, record in (("first", before), ("second", after)):
        if not (record["about"].get("code") and record["about"].get("files")):
            yield f"The {place} run, of an earlier version, does not record its code and prepared data."


def _some(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
