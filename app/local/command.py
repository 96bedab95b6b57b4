"""`python -m app.local.command account key --login owner`: a command for what `make run` keeps.

The same as `flask --app wsgi …` of a PaaS, with the database and the key in `var/`.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from app.local.environment import REDIS_URL_FILE, complete, with_dotenv
from app.local.run import HOME


def environment(environ: Mapping[str, str], home: Path = HOME) -> dict[str, str]:
    """Return the environment of the installation in `home`, running or not."""
    folder = home / "var"
    full = complete(with_dotenv(environ, home / ".env"), folder)
    address = folder / REDIS_URL_FILE
    # Nobody answers there unless `make run` runs, which `doctor` then says.
    full.setdefault("REDIS_URL", address.read_text() if address.exists() else "redis://localhost")
    return full


def main() -> None:
    """Replace this process by Flask's command."""
    if not (HOME / "var" / "secret_key").exists() and "SECRET_KEY" not in os.environ:
        sys.exit("gatepost: nothing is kept here yet; `make run` begins it")
    full = environment(os.environ)
    os.chdir(HOME)
    flask = [sys.executable, "-m", "flask", "--app", "wsgi", *sys.argv[1:]]
    os.execve(sys.executable, flask, full)  # noqa: S606 - our own interpreter


if __name__ == "__main__":
    main()
