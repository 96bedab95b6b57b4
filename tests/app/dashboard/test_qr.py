import re

import segno

from app.dashboard.qr import qr


def test_a_code_is_drawn_with_its_title(app):
    with app.test_request_context():
        svg = str(qr('https://t.me/x?start=a-"<b>'))
    assert "&lt;b&gt;" in svg
    assert "style=" not in svg
    size = len(
        list(
            segno.make('https://t.me/x?start=a-"<b>', error="m", micro=False).matrix_iter(border=4)
        )
    )
    assert f'viewBox="0 0 {size} {size}"' in svg
    assert len(re.findall("M[0-9]+ [0-9]+h1v1h-1z", svg)) > 100
