"""Gatepost: from a Telegram update to a delivered postback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from app.config import Settings as SettingsType


def create_app(settings: SettingsType | None = None) -> Flask:
    """Put the house together; imports are made here, so that `app.domain` loads without Flask."""
    from flask import Flask

    from app import logs, translations
    from app.blueprints import register_blueprints
    from app.cli import commands
    from app.config import Settings
    from app.dashboard import register_dashboard
    from app.database.connections import prepare_engine
    from app.extensions import cipher, db, migrate, wakeup
    from app.schemas.parsing import MAX_BODY
    from app.services.billing import gateway
    from app.services.trackers.catalogue import load_trackers
    from app.web import responses, telegram_webhook

    settings = settings or Settings.from_environment()
    logs.configure(settings)

    app = Flask("app", static_folder=None)
    app.config.update(
        SETTINGS=settings,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=prepare_engine(settings.database_url, settings.database_pool),
        MAX_CONTENT_LENGTH=MAX_BODY,
    )
    app.extensions["trackers"] = load_trackers(settings.presets_dir)
    app.extensions["gateway"] = gateway.configured(settings)

    cipher.set_key(settings.secret_key, settings.old_secret_keys)
    wakeup.open(settings.redis_url)
    db.init_app(app)
    migrate.init_app(app, db, directory="migrations", render_as_batch=True)
    translations.register(app)
    responses.register(app)
    register_blueprints(app)
    register_dashboard(app)
    telegram_webhook.install(app)
    commands.register(app)
    return app
