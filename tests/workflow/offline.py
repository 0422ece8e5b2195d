"""No network: for programs that a test starts."""

import os
import shutil
import subprocess
from functools import cache

NOWHERE = "http://127.0.0.1:9"  # a proxy that nobody is
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
OFFLINE = {
    **dict.fromkeys(_PROXIES, NOWHERE),
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": f"{NOWHERE}/simple",
    "PIP_EXTRA_INDEX_URL": "",
    "PIP_FIND_LINKS": "",
    "PIP_RETRIES": "0",
}


@cache
def cut() -> tuple[str, ...]:
    """Return what starts a command where there is no network; nothing if the system has none."""
    command = ("unshare", "--map-root-user", "--net")
    if shutil.which(command[0]) is None:
        return ()
    works = subprocess.run([*command, "true"], capture_output=True).returncode == 0
    return command if works else ()
