"""Each endpoint is listed with what its decorators say."""

from app.web.auth import public
from app.web.openapi.endpoints import endpoints
from app.web.responses import success


def test_every_view_says_what_it_answers(app):
    """If not, decorate it: `answers`, `answers_page` or `describes` of app.web.decorators."""
    assert not [endpoint.name for endpoint in endpoints(app) if endpoint.answer is None]


def test_a_view_that_does_not_say_what_it_answers_is_noticed(settings):
    from app import create_app

    app = create_app(settings())

    @app.get("/api/odd/thing.json")
    @public
    def thing():
        """It answers what it likes."""
        return success(list(range(3)))

    answers = {endpoint.name: endpoint.answer for endpoint in endpoints(app)}
    assert answers["thing"] is None
