"""What comes in and what goes out: the only place a field becomes public."""

from app.schemas.base import ById, Input, Output, Pause, load

__all__ = ["ById", "Input", "Output", "Pause", "load"]
