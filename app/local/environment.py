"""The environment of an installation that `make run` keeps in `var/`, and its `.env`."""

import contextlib
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

#: Where an installation that runs says how its own Redis is reached.
REDIS_URL_FILE: Final = "redis_url"


def with_dotenv(environ: Mapping[str, str], file: Path) -> dict[str, str]:
    """Add what `file` says to `environ`; a variable that is set already stays.

    The file is data: nothing in it is run or replaced, so that an address with
    `&`, a JSON with quotes and a `$` mean themselves.
    """
    lines = dotenv_values(file, interpolate=False) if file.is_file() else {}
    return {name: value for name, value in lines.items() if value} | dict(environ)


def complete(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Add to `environ` what an installation kept in `folder` needs and what is not said.

    REDIS_URL and PORT are not among it: a server and a free port are whoever
    starts the processes to find.
    """
    full = {name: value for name, value in environ.items() if value}
    full.setdefault("DATABASE_URL", f"sqlite:///{folder / 'gatepost.db'}")
    full.setdefault("GRANIAN_HOST", "127.0.0.1")
    full.setdefault("LOG_FORMAT", "console")
    if "SECRET_KEY" not in full:
        full["SECRET_KEY"] = _secret_key(folder / "secret_key")
    # The Procfile's programs are those of this very environment.
    full["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{full.get('PATH', os.defpath)}"
    return full


def make_private(folder: Path) -> None:
    """Create `folder`, and let nobody but its owner look into it or at a file of it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in (folder, *folder.iterdir()):
        with contextlib.suppress(FileNotFoundError):  # a database's journal comes and goes
            path.chmod(path.stat().st_mode & 0o700)


def _secret_key(file: Path) -> str:
    """Read the key of this installation, or make one that only its user can read."""
    with contextlib.suppress(FileNotFoundError):
        return file.read_text().strip()
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as out:
        key = secrets.token_hex(32)
        out.write(key)
    return key
