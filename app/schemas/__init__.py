"""What comes in and what goes out: the only place a field becomes public."""

from app.schemas.base import Input, Output, load

__all__ = ["Input", "Output", "load"]
