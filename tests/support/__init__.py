"""Tools that many tests share."""

from pathlib import Path
from typing import Final

#: The root of the repository.
ROOT: Final = Path(__file__).parents[2]
