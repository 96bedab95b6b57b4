"""HTTP endpoints: parse, guard, call one service, answer.

Each module offers its `blueprint`; a view has one guard of `app.web.auth`.
"""

from flask import Flask

from app.blueprints.adtarget import blueprint as adtarget
from app.blueprints.auth import blueprint as auth
from app.blueprints.blocked import blueprint as blocked
from app.blueprints.bots import blueprint as bots
from app.blueprints.campaigns import blueprint as campaigns
from app.blueprints.clicks import blueprint as clicks
from app.blueprints.destinations import blueprint as destinations
from app.blueprints.docs import blueprint as docs
from app.blueprints.event_keys import blueprint as event_keys
from app.blueprints.events import blueprint as events
from app.blueprints.exports import blueprint as exports
from app.blueprints.health import blueprint as health
from app.blueprints.incoming import blueprint as incoming
from app.blueprints.journal import blueprint as journal
from app.blueprints.leads import blueprint as leads
from app.blueprints.links import blueprint as links
from app.blueprints.media import blueprint as media
from app.blueprints.postbacks import blueprint as postbacks
from app.blueprints.profile import blueprint as profile
from app.blueprints.requests import blueprint as requests
from app.blueprints.rules import blueprint as rules
from app.blueprints.sites import blueprint as sites
from app.blueprints.sources import blueprint as sources
from app.blueprints.stats import blueprint as stats
from app.blueprints.tariffs import blueprint as tariffs
from app.blueprints.track import blueprint as track
from app.blueprints.trackers import blueprint as trackers
from app.blueprints.transfer import blueprint as transfer
from app.blueprints.visits import blueprint as visits


def register_blueprints(app: Flask) -> None:
    """Register every blueprint."""
    blueprints = (
        profile,
        auth,
        bots,
        blocked,
        campaigns,
        sources,
        requests,
        rules,
        sites,
        links,
        track,
        visits,
        clicks,
        event_keys,
        incoming,
        events,
        exports,
        adtarget,
        media,
        leads,
        journal,
        stats,
        tariffs,
        transfer,
        postbacks,
        destinations,
        trackers,
        docs,
        health,
    )
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
