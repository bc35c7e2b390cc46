"""One line of progress for a whole batch: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from typing import Any, TextIO

SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """Count reports as they end, and say how many are done, how many failed and what time is left.

    Parameters
    ----------
    total : int
        Reports to make.
    stream : text file, optional
        Where to write; standard error if not given.
    """

    def __init__(self, total: int, stream: TextIO | None = None) -> None:
        self.total, self.done, self.failed = total, 0, 0
        self.stream = stream or sys.stderr
        self.started = self.last_line = time.monotonic()
        self.bar: Any = None
        if self.stream.isatty():
            from tqdm import tqdm

            self.bar = tqdm(total=total, unit="report", file=self.stream, dynamic_ncols=True)

    def tell(self, area_name: str, failed: bool) -> None:
        """Count one report."""
        area_name = " ".join(area_name.split())  # a line break in it would break the line
        self.done += 1
        self.failed += failed
        if self.bar is not None:
            self.bar.set_postfix_str(f"{self.failed} failed, {area_name}"[:40])
            self.bar.update()
            return
        now = time.monotonic()
        if now - self.last_line >= SECONDS_BETWEEN_LINES or self.done == self.total:
            self.last_line = now
            print(self.line(area_name, now - self.started), file=self.stream, flush=True)

    def line(self, area_name: str, seconds: float) -> str:
        """Write the state of the batch in one line.

        Examples
        --------
        >>> import io
        >>> progress = Progress(152, io.StringIO())
        >>> progress.done, progress.failed = 38, 1
        >>> progress.line("Rutland", 60.0)
        '[ 38/152] 1 failed, 3 min left, Rutland'
        """
        left = seconds / max(self.done, 1) * (self.total - self.done)
        remaining = f"{left / 60:.0f} min left" if left >= 90 else f"{left:.0f} s left"
        count = f"{self.done:>{len(str(self.total))}}/{self.total}"
        return f"[{count}] {self.failed} failed, {remaining}, {area_name}"

    def close(self) -> None:
        """Leave the terminal tidy."""
        if self.bar is not None:
            self.bar.close()
