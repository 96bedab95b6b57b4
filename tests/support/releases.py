"""What was released, and its code as it was: unpacked from Git's history."""

import io
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support import ROOT


@dataclass(frozen=True, slots=True)
class Release:
    """One row of docs/releases.md. A clone without tags finds the code by its commit."""

    version: str
    commit: str
    migration: str  #: the newest one that it brought


RELEASES: Final = (Release("0.1.0", "cc97abed9c7f6aef946d0465a411bfbf951266c3", "0031"),)
#: The one that installations run while this tree is worked on.
LAST: Final = RELEASES[-1]


class HistoryMissing(Exception):
    """This folder has no Git history that reaches back to the release."""


def unpack(release: Release, folder: Path) -> Path:
    """Write the release's files into `folder`, and return it. Raises HistoryMissing."""
    archive = git("archive", "--format=tar", release.commit)
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return folder


def git(*arguments: str) -> bytes:
    """What Git answers about the history of this tree. Raises HistoryMissing."""
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise HistoryMissing from error
