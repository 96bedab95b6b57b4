"""The dashboard: screens for people, rendered here, that work without JavaScript."""

from http import HTTPStatus

from flask import Blueprint, Flask
from werkzeug.routing import IntegerConverter, Map

from app.dashboard import errors, formatting, navigation, static_files
from app.dashboard.access import headers
from app.dashboard.views import (
    bots,
    campaigns,
    deliveries,
    journal,
    leads,
    login,
    overview,
    requests,
    settings,
    stats,
    trackers,
)
from app.dashboard.views.account import exports, transfer
from app.dashboard.views.ads import brought, sites, sources
from app.dashboard.views.telegram import (
    blocklist,
    bot_login,
    desk,
    mini_app,
    oidc,
    rules,
)
from app.schemas.fields import LARGEST
from app.translations import use_in_templates


class IdConverter(IntegerConverter):
    """An id in a path: a number that a database can hold."""

    def __init__(self, url_map: Map) -> None:
        super().__init__(url_map, min=1, max=LARGEST)


VIEWS = (
    overview,
    login,
    bot_login,
    mini_app,
    oidc,
    desk,
    rules,
    bots,
    campaigns,
    sources,
    sites,
    brought,
    leads,
    requests,
    blocklist,
    deliveries,
    trackers,
    stats,
    journal,
    exports,
    settings,
    transfer,
)


def register_dashboard(app: Flask) -> None:
    """Register every screen, with the handlers and the template helpers that they share."""
    app.url_map.converters["id"] = IdConverter
    dashboard = Blueprint("dashboard", __name__, template_folder="templates")
    for module in VIEWS:
        dashboard.register_blueprint(module.blueprint)
    dashboard.register_error_handler(Exception, errors.show_error)
    for status in (HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED):
        app.register_error_handler(status, errors.show_missing)
    dashboard.after_request(headers.protect)
    formatting.register(app)
    use_in_templates(app)
    navigation.register(app)
    static_files.register(app)
    app.register_blueprint(dashboard)
