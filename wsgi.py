"""The WSGI entry point: what the web server and `flask --app wsgi` load."""

import os
import resource
import sys

from app import create_app
from app.config import BadSetting
from app.database.start import START_SECONDS, check_at_start
from app.observability.faults import ReportsFaults, faults
from app.observability.start import start
from app.redis_check import check_redis
from app.start_checks import check_key
from app.web.request_slots import THREADS, RequestSlots
from app.web.thread_switching import QuickForUpdates, leave_out_what_is_loaded

#: For the connections that the Procfile lets a process keep, and what else is open.
OPEN_FILES = 10_000

try:
    app = create_app()
    if "doctor" not in sys.argv:  # it says itself what is wrong
        # A command that a person typed says at once what is wrong.
        is_command = os.environ.get("FLASK_RUN_FROM_CLI") == "true"
        if not is_command:
            # A web server starts its processes again at any time; its own start has waited.
            check_redis(app.config["SETTINGS"].redis_url, may_be_away=True)
        check_at_start(
            app.config["SETTINGS"].database_url,
            0 if is_command else START_SECONDS,
            needs_tables=not is_command,  # a command may be the one that makes them
        )
        if is_command:  # so does the release line
            check_key(app)
        start(app.config["SETTINGS"], "command" if is_command else "web", traced=not is_command)
except BadSetting as error:
    sys.exit(f"gatepost: {error}")

# Each connection is an open file, and many systems allow 1024 unless one asks for more.
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
allowed = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
if soft != resource.RLIM_INFINITY and soft < allowed:
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))

# Only here: a test client is never slow. Telegram's updates take no slot.
webhook = app.extensions["telegram_webhook"]
webhook.others = RequestSlots(
    webhook.others,
    app.config["SETTINGS"].request_seconds,
    threads=int(os.environ.get("GRANIAN_BLOCKING_THREADS") or THREADS),
    proxies=tuple(app.config["SETTINGS"].trusted_proxies),
    origins=app.config["SETTINGS"].cors_origins,
)
app.wsgi_app = QuickForUpdates(app.wsgi_app)  # type: ignore[method-assign]
if faults.on:
    app.wsgi_app = ReportsFaults(app.wsgi_app, faults)  # type: ignore[method-assign]
leave_out_what_is_loaded()
