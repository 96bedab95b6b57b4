"""The WSGI entry point: what the web server and `flask --app wsgi` load."""

import sys

from app import create_app
from app.config import BadSetting

try:
    app = create_app()
except BadSetting as error:
    sys.exit(f"gatepost: {error}")
