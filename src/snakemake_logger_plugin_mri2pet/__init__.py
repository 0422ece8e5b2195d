"""What `make run` prints, as a logger plugin of Snakemake: `snakemake --logger mri2pet`.

Snakemake imports every logger plugin whenever it starts, so nothing else is imported here.
"""

import os
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase


class LogHandler(LogHandlerBase):
    """Hands what Snakemake logs to `mri2pet.runs.console`."""

    def __post_init__(self) -> None:
        from mri2pet.logs import BRIEF
        from mri2pet.runs.console import Console

        os.environ[BRIEF] = "1"  # for the jobs
        settings = self.common_settings
        self.said = Console(
            dry=settings.dryrun,
            silent="all" in {str(each).rpartition(".")[2].lower() for each in settings.quiet or ()},
            colour=not settings.nocolor,
            stdout=settings.stdout,
        )

    def emit(self, record: Any) -> None:
        """Say what a record tells; one that is not understood stops nothing."""
        try:
            self.said.take(record)
        except Exception:
            self.handleError(record)

    def close(self) -> None:
        """Take the progress bar off the screen."""
        self.said.close()
        super().close()

    @property
    def writes_to_stream(self) -> bool:
        """It writes to the terminal, in place of Snakemake's own handler."""
        return True

    @property
    def writes_to_file(self) -> bool:
        """It writes no file: Snakemake's own log has everything."""
        return False

    @property
    def has_filter(self) -> bool:
        """It chooses what to say itself."""
        return True

    @property
    def has_formatter(self) -> bool:
        """It words everything itself."""
        return True

    @property
    def needs_rulegraph(self) -> bool:
        """It does not need the graph of rules."""
        return False
