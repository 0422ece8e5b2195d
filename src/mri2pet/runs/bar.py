"""Where progress is shown: a bar at the bottom of a terminal, or lines now and then elsewhere."""

from typing import Any, TextIO

from mri2pet.runs.time_left import Left

EVERY = 15.0  # seconds between two lines at first
SHARE = 1 / 40  # later, this share of the time since the start


def spoken(seconds: float) -> str:
    """Return a length of time as one reads it: `40 s`, `12 min`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 90:
        return f"{max(round(seconds, -1), 10):.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def left_in_words(left: Left | None, more: bool) -> str:
    """Return the time left in words; `more` jobs may be to come when nobody can tell yet."""
    if left is None:
        return "time left not known until all scans are listed" if more else ""
    return f"{'about' if left.sure else 'roughly'} {spoken(left.seconds)} left"


class Lines:
    """Progress as lines, for a file or a pipe: the longer a run takes, the further apart."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.first, self.last = stream, None, None

    def wants(self, now: float) -> bool:
        """Tell whether it is time for a line."""
        if self.first is None:
            self.first = self.last = now
        return now - self.last >= max(EVERY, SHARE * (now - self.first))

    def show(self, now: float, left: Left | None, more: bool, **what: Any) -> None:
        """Write one line."""
        done, total = what["done"], what["total"]
        share = f"{100 * done / total:.0f}%" if total else "0%"
        parts = [
            f"{share:>4} {done} of {total} jobs",
            f"after {spoken(now - self.first)}",
            left_in_words(left, more),
            f"{what['failed']} failed" if what["failed"] else "",
            f"now {what['stages']}" if what["stages"] else "",
        ]
        self.say(", ".join(part for part in parts if part))
        self.last = now

    def say(self, text: str, style: str = "") -> None:
        """Write what stays."""
        print(text, file=self.stream, flush=True)

    def stop(self) -> None:
        """Leave everything as it is."""


class Bar:
    """A bar at the bottom of a terminal; what is said stands above it."""

    def __init__(self, stream: TextIO, colour: bool = True, force: bool | None = None) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self.console = Console(
            file=stream, no_color=not colour, highlight=False, force_terminal=force
        )
        self.progress = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=24),
            TextColumn("{task.completed:.0f} of {task.total:.0f} jobs"),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=self.console,
            transient=True,
            refresh_per_second=4,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self.task: Any = None
        self.last = 0.0

    def wants(self, now: float) -> bool:
        """Tell whether it is time to look again: counting the jobs of a large run takes a while."""
        return now - self.last >= 1

    def show(self, now: float, left: Left | None, more: bool, **what: Any) -> None:
        """Bring the bar up to date."""
        parts = [
            left_in_words(left, more),
            f"{what['failed']} failed" if what["failed"] else "",
            what["stages"],
        ]
        text = " · ".join(part for part in parts if part)
        if self.task is None:
            self.task = self.progress.add_task(text, total=what["total"] or 1)
            self.progress.start()
        total = what["total"] or 1
        self.progress.update(self.task, completed=what["done"], total=total, description=text)
        self.last = now

    def say(self, text: str, style: str = "") -> None:
        """Write what stays, above the bar."""
        from rich.text import Text

        self.console.print(Text(text, style=style), soft_wrap=True)

    def stop(self) -> None:
        """Take the bar away."""
        self.progress.stop()
