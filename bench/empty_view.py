"""A Flask view that does nothing, behind the same server: what no door can be faster than."""

from flask import Flask

app = Flask(__name__)


@app.post("/telegram/<path>")
def take(path: str) -> tuple[str, int]:
    """Answer as if the update were stored."""
    return "", 200 if path else 404


@app.get("/readyz")
def ready() -> str:
    """For whoever waits until it listens."""
    return "ok"
