"""The WSGI entry point: what the web server and `flask --app wsgi` load."""

import sys

from app import create_app
from app.config import BadSetting
from app.database.connections import check_encoding
from app.web.request_slots import RequestSlots

try:
    app = create_app()
    check_encoding(app.config["SETTINGS"].database_url)
except BadSetting as error:
    sys.exit(f"gatepost: {error}")

# Only here: a test client is never slow. Telegram's updates take no slot.
webhook = app.extensions["telegram_webhook"]
webhook.others = RequestSlots(webhook.others, app.config["SETTINGS"].request_seconds)
