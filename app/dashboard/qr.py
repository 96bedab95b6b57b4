"""QR codes as SVG, drawn here."""

import segno
from markupsafe import Markup, escape

from app.translations import gettext


def qr(text: str) -> Markup:
    """Return a QR code of `text` as an inline SVG with a title."""
    code = segno.make(text, error="m", micro=False)
    rows = [list(row) for row in code.matrix_iter(border=4)]
    path = "".join(
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark
    )
    size = len(rows)
    title = gettext("QR code of %(text)s", text=text)
    return Markup(
        '<svg class="qr-code" role="img" viewBox="0 0 {size} {size}"><title>{title}</title>'
        '<rect class="qr-paper" width="{size}" height="{size}"/><path d="{path}"/></svg>'
    ).format(size=size, title=escape(title), path=path)
