import re

from app.dashboard.static_files import FOLDER, address_of


def test_style_and_script_may_be_kept_for_ever(client):
    for name, kind in (("dashboard.css", "text/css"), ("dashboard.js", "text/javascript")):
        response = client.get(address_of(name))
        assert response.get_data() == (FOLDER / name).read_bytes()
        assert response.mimetype == kind
        assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_another_content_has_another_address(client):
    assert client.get("/static/00000000/dashboard.css").status_code == 404
    assert (
        client.get(re.sub("[a-z.]+$", "nothing.css", address_of("dashboard.css"))).status_code
        == 404
    )


def test_they_stay_small():
    assert len((FOLDER / "dashboard.css").read_bytes()) <= 20_480
    assert len((FOLDER / "dashboard.js").read_text().splitlines()) <= 200


def test_they_load_nothing_of_others():
    for path in FOLDER.iterdir():
        # To this page a frame speaks, and loads nothing of it.
        text = path.read_text().replace('"https://web.telegram.org"', "")
        assert not re.search(r"https?://|@import|url\(", text), path.name
