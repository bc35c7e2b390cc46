"""Writing files so that a name never holds half of one."""

from pathlib import Path


def write_whole(path: Path, text: str, *, encoding: str = "utf-8") -> None:
    """Write a file so that its name always holds either the old text or the new, never half of one.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "run.json"
    >>> write_whole(target, "{}")
    >>> target.read_text(), sorted(found.name for found in target.parent.iterdir())
    ('{}', ['run.json'])
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding=encoding, newline="")
    part.replace(path)
