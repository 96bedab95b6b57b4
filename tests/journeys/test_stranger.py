"""A stranger's plugin: installed, at work, then broken in every way we know.

The example package goes through pip into a virtual environment of its own,
beside the system that runs from there with real processes. Copies of it are
then spoilt, one in each way, and the system is started again. Everyone else's
postbacks must arrive as if nothing had happened.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings
from app.sandbox.demo.__main__ import Api
from app.sandbox.serving import running
from app.sandbox.telegram import people
from app.sandbox.telegram.people import Chat, Person
from app.sandbox.telegram.server import BotApiDouble
from app.sandbox.vendors.tracker import TrackerDouble
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "gatepost-example-tracker"
MODULE = "gatepost_example_tracker"
TOKEN = "7000000009:a-token-that-only-the-double-knows"
CHAT = Chat(-1001000000099, "Strangers")

#: What is written over a copy, and what its owner then reads.
AT_IMPORT = {
    "imports": ("import a_package_that_is_not_there", "is broken: ModuleNotFoundError"),
    "departs": ("raise SystemExit(1)", "is broken: SystemExit"),
    "empties": ("", "is broken: lacks settings_schema"),
}
AT_WORK = {
    "raises": ("raise RuntimeError('ouch')", "build_request raised RuntimeError: ouch"),
    "exits": ("raise SystemExit(1)", "build_request raised SystemExit: 1"),
    "babbles": ("return 42", "build_request returned int instead of a Request"),
    "loops": ("while True: pass", "build_request raised TimeUp"),
}
HEALTHY, GONE = "healthy", "absent"
COPIES = (*AT_IMPORT, *AT_WORK, HEALTHY)

SYSTEM = """
import json, os, sys
from pathlib import Path
from app.local import run
with run.running(dict(os.environ), Path(sys.argv[1])) as system:
    print(json.dumps([system.url, system.key]), flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Workshop:
    """A virtual environment in which the system runs, and a folder for its data."""

    folder: Path
    environ: dict[str, str]

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"

    @property
    def site(self) -> Path:
        variables = {"base": str(self.folder / "venv"), "platbase": str(self.folder / "venv")}
        return Path(sysconfig.get_path("purelib", "venv", variables))

    def pip(self, *arguments: object) -> None:
        """pip of this environment, at work in the other."""
        pip = (sys.executable, "-m", "pip", "--python", self.python, "--quiet", "--no-input")
        subprocess.run([*map(str, (*pip, *arguments))], check=True, capture_output=True)

    def run(self, *arguments: object, cwd: Path = ROOT, **changes: str) -> str:
        done = subprocess.run(
            [str(self.python), *map(str, arguments)],
            cwd=cwd, env=self.environ | changes, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout

    @contextlib.contextmanager
    def system(self) -> Iterator[tuple[str, str]]:
        """The system at work: its address, and its key at the first start."""
        command = [str(self.python), "-c", SYSTEM, str(self.folder / "var")]
        with subprocess.Popen(
            command, cwd=ROOT, env=self.environ, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as process:  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                url, key = json.loads(process.stdout.readline())
                yield url, key
            finally:
                process.stdin.close()
                assert process.wait(20) == 0


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    tmp_path = tmp_path_factory.mktemp("stranger")
    venv.create(tmp_path / "venv", symlinks=True)
    ours = {field.name.upper() for field in fields(Settings)} | {"PYTHONPATH"}
    environ = {name: text for name, text in os.environ.items() if name not in ours}
    made = Workshop(
        tmp_path,
        environ
        | {"OUTBOUND_ALLOW": "127.0.0.0/8", "WEB_CONCURRENCY": "1", "LOG_LEVEL": "warning"}
        | {"SECRET_KEY": "a secret for this journey", "REDIS_URL": ""}
        | {"DATABASE_URL": f"sqlite:///{tmp_path}/var/gatepost.db"},
    )
    # Nothing is downloaded: what we are installed with, the stranger may use too.
    (made.site / "ours.pth").write_text(sysconfig.get_path("purelib"))
    for name in ("flask", "granian"):
        _, _, program = Path(sys.executable).with_name(name).read_text().partition("\n")
        file = made.python.with_name(name)
        file.write_text(f"#!{made.python}\n{program}")
        file.chmod(0o755)
    _install(made)
    return made


def _install(workshop: Workshop) -> None:
    """What authors import, Gatepost, the example, and copies of it to be spoilt: all by pip."""
    sources = workshop.folder / "sources"
    gatepost = sources / "gatepost"
    left_out = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
    shutil.copytree(ROOT / "plugins", gatepost / "plugins", ignore=left_out)
    for part in ("setup.cfg", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / part, gatepost)
    shutil.copytree(EXAMPLE, sources / "example")
    copies = shutil.copytree(EXAMPLE, sources / "copies")
    for name in COPIES:
        shutil.copy(EXAMPLE / f"{MODULE}.py", copies / f"{name}_tracker.py")
    words = (copies / "setup.cfg").read_text()
    words = words.replace("name = gatepost-example-tracker", "name = gatepost-copies")
    words = words.replace(
        f"py_modules = {MODULE}",
        "py_modules =\n" + "\n".join(f"    {name}_tracker" for name in COPIES),
    )
    words = words.replace(
        f"    example_tracker = {MODULE}",
        "\n".join(f"    {name} = {name}_tracker" for name in COPIES),
    )
    (copies / "setup.cfg").write_text(words)
    before = set((gatepost / "plugins").rglob("*"))
    workshop.pip(
        "install", "--no-deps", "--no-build-isolation", "--no-index", "--ignore-installed",
        gatepost, gatepost / "plugins", sources / "example", copies,
    )  # fmt: skip
    left = {path for path in (gatepost / "plugins").rglob("*") if "__pycache__" not in path.parts}
    assert left == before, "a build leaves something in the folder of an author"


def _spoil(workshop: Workshop) -> None:
    whole = (EXAMPLE / f"{MODULE}.py").read_text()
    for name, (source, _) in AT_IMPORT.items():
        (workshop.site / f"{name}_tracker.py").write_text(f"{source}\n")
    line = "    if event.kind not in STATUSES:\n"
    assert line in whole
    for name, (source, _) in AT_WORK.items():
        (workshop.site / f"{name}_tracker.py").write_text(
            whole.replace(line, f"    {source}\n{line}")
        )
    workshop.pip("uninstall", "--yes", "gatepost-example-tracker")


def _until(holds: Callable[[], Any], what: str) -> Any:
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


def _track(api: Api, bot_api: BotApiDouble, tracker_url: str) -> str:
    """A bot and a campaign with a template of its own. Returns the campaign's code."""
    bot = api.post("bots/add", token=TOKEN)
    bot_api.push(TOKEN, people.bot_rights(CHAT, True))
    _until(lambda: api.get("bots/chats", id=bot["id"]), "the chat is never known")
    wait = f"{tracker_url}/neighbour?person={{subscriber}}"
    made: dict[str, Any] = api.post("camp/add", bot=bot["id"], chat=CHAT.id, pb_wait=wait)
    return str(made["code"])


def _postbacks(api: Api, person: Person) -> list[dict[str, Any]]:
    """All that is owed for a person, oldest first, with attempts."""
    lead = next((one for one in api.get("leads/list") if one["subscriber"] == person.id), {"id": 0})
    rows = api.get("postbacks/list", lead=lead["id"]) if lead["id"] else []
    return [api.get("postbacks/get", id=row["id"]) for row in reversed(rows)]


def test_the_examples_own_tests_pass_where_it_is_installed(workshop: Workshop) -> None:
    copied = workshop.folder / "sources" / "example" / "tests"
    assert " passed" in workshop.run("-m", "pytest", copied, cwd=workshop.folder)
    where = f"import gatepost_plugins as p, {MODULE} as ours; print(p.__file__, ours.__file__)"
    for file in workshop.run("-c", where, cwd=workshop.folder).split():
        assert Path(file).is_relative_to(workshop.site)


def test_nothing_of_ours_takes_a_name_that_others_have(workshop: Workshop) -> None:
    """Whoever installs Gatepost, or what its authors import, may have an `app` of their own."""
    ours = {"gatepost_plugins", MODULE, *(f"{name}_tracker" for name in COPIES)}
    there = {path.stem for path in workshop.site.iterdir() if path.suffix in ("", ".py")}
    assert {name for name in there if not name.startswith(("_", "pip", "setuptools"))} == ours
    packages = workshop.site / "gatepost_plugins"
    assert not (packages / "setup.py").exists()
    names = "from gatepost_plugins.registry import Registry; print(*Registry.load(()).names())"
    apart = workshop.run("-I", "-c", names, cwd=workshop.folder).split()
    assert "url_template" in apart
    assert "altcraft" in apart


def test_a_plugin_is_one_line_that_the_lock_does_not_fight_with(
    workshop: Workshop, tmp_path: Path
) -> None:
    """As on a platform: nothing but what the lock names, then bin/post_compile."""
    python = _of_the_lock_alone(tmp_path / "venv")
    gatepost = tmp_path / "gatepost"
    left_out = shutil.ignore_patterns("__pycache__")
    for part in ("app", "plugins", "migrations", "bin"):
        shutil.copytree(ROOT / part, gatepost / part, ignore=left_out)
    for part in ("wsgi.py", "requirements.txt"):
        shutil.copy(ROOT / part, gatepost)
    source = workshop.folder / "sources" / "example"
    build = ("wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", tmp_path, source)
    workshop.pip(*build)
    (wheel,) = tmp_path.glob("*.whl")
    line = f"gatepost-example-tracker @ {wheel.as_uri()}\n"
    (gatepost / "requirements-plugins.txt").write_text(f"# ours\n{line}")
    environ = workshop.environ | {"PYTHON": str(python), "PIP_NO_INDEX": "1"}
    environ |= {"PIP_QUIET": "1", "REDIS_URL": "redis://x"}
    subprocess.run(["sh", gatepost / "bin" / "post_compile"], check=True, env=environ)
    command = [python, "-m", "flask", "--app", "wsgi", "plugins", "list"]
    listed = subprocess.run(
        command, cwd=gatepost, env=environ, check=True, capture_output=True, text=True
    )
    assert "example_tracker" in listed.stdout.splitlines()
    assert "broken" not in listed.stdout
    pinned = "marshmallow==3.0.0"
    (gatepost / "requirements-plugins.txt").write_text(f"{pinned}\n")
    refused = subprocess.run(
        ["sh", gatepost / "bin" / "post_compile"],
        check=False, env=environ, capture_output=True, text=True,
    )  # fmt: skip
    assert refused.returncode != 0
    assert "conflicting dependencies" in refused.stderr


def _of_the_lock_alone(folder: Path) -> Path:
    """An environment with the distributions of requirements.txt and no other."""
    venv.create(folder, symlinks=True, with_pip=True)
    variables = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", "venv", variables))
    lock = (ROOT / "requirements.txt").read_text()
    for name in re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE):
        with contextlib.suppress(metadata.PackageNotFoundError):  # of another system or Python
            _link(metadata.distribution(name), site)
    return folder / "bin" / "python"


def _link(distribution: metadata.Distribution, site: Path) -> None:
    tops = {file.parts[0] for file in distribution.files or () if file.parts[0] != ".."}
    for top in tops - {"__pycache__"}:
        if not (site / top).exists():
            (site / top).symlink_to(str(distribution.locate_file(top)))


def test_a_strangers_plugin_works_and_its_faults_stay_its_own(workshop: Workshop) -> None:
    names = [*AT_IMPORT, *AT_WORK, HEALTHY, GONE]
    trackers = {name: "example_tracker" if name == GONE else name for name in names}
    bot_api, tracker = BotApiDouble(), TrackerDouble()
    bot_api.add_bot(TOKEN, "stranger_bot")
    with running(bot_api) as bot_api_url, running(tracker) as tracker_url:
        workshop.environ["TELEGRAM_API_URL"] = bot_api_url

        def heard(name: str) -> int:
            return len(tracker.log(f"/{name}"))

        with workshop.system() as (url, key), contextlib.closing(Api(url, key)) as api:
            code = _track(api, bot_api, tracker_url)
            for name in names:
                settings = {"address": f"{tracker_url}/{name}", "token": "abcd1234"}
                api.post("dest/add", tracker=trackers[name], settings=settings)
            bot_api.push(TOKEN, people.start(Person(9001), f"{code}-first"))
            _until(
                lambda: all(heard(name) == 1 for name in [*names, "neighbour"]),
                "a plugin that is well never delivers",
            )
        (hit,) = tracker.log(f"/{GONE}")
        assert hit.method == "POST"
        assert json.loads(hit.body) == {"click": "first", "status": "lead"} | {
            "at": json.loads(hit.body)["at"]
        }

        _spoil(workshop)
        with workshop.system() as (url, _), contextlib.closing(Api(url, key)) as api:
            bot_api.push(TOKEN, people.start(Person(9002), f"{code}-second"))
            _until(
                lambda: heard("neighbour") == heard(HEALTHY) == 2,
                "a broken plugin has harmed another",
            )
            owed = _until(
                lambda: _all_explained(_postbacks(api, Person(9002)), len(names) + 1),
                "a broken plugin does not say what is wrong",
            )
        neighbour, *told = owed
        assert neighbour["state"] == "delivered"
        by_name = dict(zip(names, told, strict=True))
        assert by_name[HEALTHY]["state"] == "delivered"
        assert "is not installed" in by_name[GONE]["reason"]
        for name, (_, reason) in AT_IMPORT.items():
            assert reason in by_name[name]["reason"]
            assert (by_name[name]["state"], by_name[name]["attempts"]) == ("waiting", [])
        for name, (_, reason) in AT_WORK.items():
            attempt = by_name[name]["attempts"][0]
            assert reason in attempt["reason"]
            assert attempt["verdict"] == "retry"
        assert all(heard(name) == 1 for name in [*AT_IMPORT, *AT_WORK, GONE])

    listed = workshop.run("-m", "flask", "--app", "wsgi", "plugins", "list", REDIS_URL="redis://x")
    assert HEALTHY in listed.splitlines()
    for name, (_, reason) in AT_IMPORT.items():
        assert f"{name}: broken: {reason.partition(': ')[2]}" in listed


def _all_explained(owed: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    """`owed` once all are there and each is delivered or says why not."""
    done = [one for one in owed if one["reason"] or one["state"] == "delivered"]
    return owed if len(done) == number else []
