"""What is checked once before a process serves: that both services can be used as they are set.

A web server restarts its processes whatever they die of, and would do so for ever. So the
Procfile's web line is started through here: `python -m app.start_checks granian …` checks
the settings, says in one line what is wrong, or becomes the server.
"""

import contextlib
import os
import shutil
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit

import structlog
from flask import Flask
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from app import logs
from app.config import VERSION, BadSetting, Settings
from app.database.start import check_at_start
from app.queues import Queue
from app.redis_check import check_redis

log = structlog.get_logger()


def check_services(settings: Settings) -> None:
    """Raise BadSetting, in one line, if the database or Redis is none that we can use.

    One that is away is given some seconds. Whoever manages the process starts it again;
    processes that run already go on without Redis, and wait for the database.
    """
    check_at_start(settings.database_url, needs_tables=True)
    check_redis(settings.redis_url)


def described(settings: Settings) -> dict[str, object]:
    """Return what the first line of the log says: the version, and where all is. No secret."""
    database, broker = make_url(settings.database_url), urlsplit(settings.redis_url)
    place = database.database or ""
    if database.get_backend_name() == "postgresql":
        # In the query stand the folder of a socket, and several hosts.
        host = database.host or ",".join(database.normalized_query.get("host", ["localhost"]))
        place = f"{host}:{database.port or 5432}/{place}"
    port = broker.port or 6379
    return {
        "version": VERSION,
        "database": f"{database.get_backend_name()} {place}",
        "redis": broker.path if broker.scheme == "unix" else f"{broker.hostname}:{port}",
        "queues": [queue.value for queue in Queue],
        "address": settings.public_url or "none: bots are read by long polling",
    }


def check_key(app: Flask) -> None:
    """Raise BadSetting if no key opens what the database holds; warn if only some of it is open.

    What is not there yet, or does not answer, is for others to tell.
    """
    from app.database.schema_version import asking
    from app.extensions import db
    from app.services.sealed import WRONG_KEY, key_fault

    with app.app_context(), contextlib.suppress(SQLAlchemyError):
        fault = key_fault(asking(db.session.connection()))
        if not fault:
            return
        line = f"{fault}; name the earlier key in OLD_SECRET_KEYS, then run `secrets rotate`"
        if fault == WRONG_KEY:
            raise BadSetting(line)
        sys.stderr.write(f"gatepost: {line}\n")


def main(command: Sequence[str]) -> int:
    """Become `command` if everything can be used. Returns 2 otherwise."""
    try:
        settings = Settings.from_environment()
        if settings.payment_gateway or settings.presets_dir:  # read whole, to be judged
            from app import create_app

            create_app(settings)
        check_services(settings)
    except BadSetting as error:
        sys.stderr.write(f"gatepost: {error}\n")
        return 2
    if shutil.which(command[0] if command else ""):
        logs.configure(settings)
        processes = settings.web_concurrency
        log.info("web.started", **described(settings), port=settings.port, processes=processes)
    try:
        os.execvp(command[0], list(command))  # noqa: S606 - the Procfile's own words
    except (OSError, IndexError):
        sys.stderr.write(f"gatepost: cannot start {' '.join(command[:1]) or 'nothing'}\n")
    return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
