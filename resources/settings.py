"""The settings of `.env.example`, read from the environment once, all mistakes named at once.

Belongs here: names, defaults, generated secrets. Not here: what is done with them.
"""

from __future__ import annotations

import importlib.util
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse
from zoneinfo import ZoneInfo

from expectations.contract import DRAFTS, EVERY_DRAFT, drafts_named, load_contracts
from expectations.errors import ConfigurationError
from expectations.nearest import did_you_mean
from resources.engines.java import NoJavaError, java_home
from resources.transport import has_tls, is_elsewhere, tls_words

SHANGHAI = ZoneInfo("Asia/Shanghai")
ROOT = Path(__file__).resolve().parents[1]
ON_SQLITE, ON_POSTGRES = ROOT / "dagster-on-sqlite", ROOT / "dagster-on-postgres"
"""Dagster's homes: where it keeps runs and events, as their `dagster.yaml` says."""

FORMS = ("api", "file", "sql", "mixed")
ENGINES = ("duckdb", "spark")
WRITINGS = ("office", "tidy")
FILE_PASSWORD = "YIHU_FILE_PASSWORD_"
BY_COUNTY = ("auto", "yes", "no")
FULL = ("auto", "yes", "no")


class SettingsError(ConfigurationError):
    """Every setting that is missing or malformed, a line each, with what to do."""

    next_step = "correct `.env` or the environment; .env.example lists every setting"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems

    def __str__(self) -> str:
        return self.message

    @property
    def lines(self) -> list[str]:
        return self.problems


KEPT = {
    "YIHU_KEEP_RAW_MONTHS": ("raw_months", 1),
    "YIHU_KEEP_LAKE_DAYS": ("lake_days", 31),
    "YIHU_KEEP_FOLDER_DAYS": ("folder_days", 1),
    "YIHU_KEEP_RELEASE_DAYS": ("release_days", 2),
    "YIHU_KEEP_EVENT_DAYS": ("event_days", 7),
}
"""The settings of what is kept: the field of `Retention`, and the least that is allowed."""
LEAST_READER_MEMORY = 2 * 10**8
ALERT_SINKS = ("log", "webhook", "email")


@dataclass(frozen=True)
class AlertSettings:
    """Through what alerts go out.

    Addresses may hold tokens and passwords, so they never appear in `repr`.
    """

    sinks: tuple[str, ...] = ("log",)
    webhook: str | None = field(default=None, repr=False)
    smtp_url: str | None = field(default=None, repr=False)
    email_to: tuple[str, ...] = ()
    email_from: str = "yihu@localhost"


@dataclass(frozen=True)
class Retention:
    """How long what is kept (`make prune`)."""

    raw_months: int = 24
    """Batches as they came."""
    lake_days: int = 90
    """The lake's daily states; month ends for good."""
    folder_days: int = 7
    """Release folders with their files; month ends for good, others are made again on request."""
    release_days: int = 30
    """Releases that the warehouse can be read as of; month ends for good."""
    event_days: int = 90
    """Dagster's runs and events, and validation results."""
    legal_hold: tuple[tuple[date, date], ...] = ()
    """Days of which nothing is given up, first and last."""

    def holds(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.legal_hold)


@dataclass(frozen=True)
class Settings:
    """Where yihu keeps its data and whom it talks to. Secrets never appear in `repr`."""

    home: Path
    as_of: date
    gateway_url: str | None
    gateway_sid: str
    gateway_key_file: Path
    drop_dir: Path | None
    front_db_url: str | None
    form: str
    warehouse_url: str | None
    pseudonym_key_file: Path
    engine: str
    spark_master: str
    sandbox_households: int
    sandbox_writing: str | None = None
    """How the sandbox's file departments write: office, tidy; None:
    as in the drop folder that is there, office in a new one.
    """
    by_county: str = "auto"
    """Whether a register of several counties is worked through county by county:
    auto (where it is large), yes, no.
    """
    full: str = "auto"
    """Whether a day is made in full: auto (where it is not worth laying it over the day before),
    yes, no (only where it has to be).
    """
    engine_memory: str | None = None
    """How much memory the engine may take before it spills, e.g.

    `6GB`; None: what DuckDB takes by itself, 80% of the machine's.
    """
    alerts: AlertSettings = AlertSettings()
    retention: Retention = Retention()
    file_settle: float = 120.0
    """Seconds for which a file without a checksum must have stood still."""
    file_passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Passwords of protected files, by the name of the setting that holds them."""
    reader_memory: int = 2 * 10**9
    """Bytes that the child process which reads a file may take."""
    plain: bool = False
    """Whether connections without TLS to another host are allowed."""
    sampling_key_file: Path | None = None
    """The key of what is drawn by lot."""

    @property
    def uses_sandbox(self) -> bool:
        """Nothing outside is named, so the synthetic county serves."""
        return self.gateway_url is None and self.drop_dir is None and self.front_db_url is None

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def gateway_key(self) -> bytes:
        return self.gateway_key_file.read_bytes().strip()

    @property
    def pseudonym_key(self) -> bytes:
        return self.pseudonym_key_file.read_bytes().strip()

    @property
    def sampling_key(self) -> bytes:
        return self.sampling_key_file.read_bytes().strip() if self.sampling_key_file else b""


def today() -> date:
    """The business day that is running, in Asia/Shanghai."""
    return datetime.now(SHANGHAI).date()


def secret_file(home: Path, name: str, value: str | None = None) -> Path:
    """`<home>/secrets/<name>`, mode 0600: holding `value`,
    or a generated one where there is none yet.
    """
    folder = home / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    path = folder / name
    if value is None and path.exists():
        return path
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(value if value is not None else secrets.token_hex(32))
    return path


def _as_of(text: str, problems: list[str]) -> date:
    yesterday = today() - timedelta(days=1)
    if not text:
        return yesterday
    try:
        day = date.fromisoformat(text)
    except ValueError:
        problems.append(
            f"YIHU_AS_OF (AS_OF) is {text!r}, which is no date: write it as YYYY-MM-DD, e.g."
            f" {yesterday}"
        )
        return yesterday
    if day > today():
        problems.append(
            f"YIHU_AS_OF (AS_OF) is {day}, which is after today ({today()}): name today or a day"
            " before"
        )
    return day


def _one_of(
    env: Mapping[str, str], name: str, default: str, allowed: tuple[str, ...], problems: list[str]
) -> str:
    value = env.get(name) or default
    if value not in allowed:
        problems.append(f"{name} is {value!r}: use one of {', '.join(allowed)}")
    return value


def _memory(env: Mapping[str, str], name: str, default: str, problems: list[str]) -> int:
    """A size in bytes."""
    value = env.get(name) or default
    found = re.fullmatch(r"([0-9]{1,6}) ?(MB|GB|MiB|GiB)", value)
    size = (
        int(found[1]) * {"MB": 10**6, "GB": 10**9, "MiB": 1 << 20, "GiB": 1 << 30}[found[2]]
        if found
        else 0
    )
    if size < LEAST_READER_MEMORY:
        problems.append(
            f"{name} is {value!r}: write a number and its unit, like 2GB, at least 200MB"
        )
    return size


def _url(
    env: Mapping[str, str], name: str, schemes: tuple[str, ...], problems: list[str]
) -> str | None:
    value = env.get(name) or None
    if value is None:
        return None
    parsed = urlparse(value)
    scheme = parsed.scheme.split("+")[0]
    if scheme not in schemes or not (parsed.netloc or parsed.path):
        problems.append(
            f"{name} is not a {' or '.join(schemes)} address: write it like"
            f" {schemes[0]}://host:port/…"
        )
    return value.rstrip("/") if scheme in ("http", "https") else value


def _lacks_spark() -> list[str]:
    """What Spark needs and this environment has not."""
    problems = []
    if importlib.util.find_spec("pyspark") is None:
        problems.append(
            "YIHU_ENGINE is 'spark', and pyspark is not in this environment: run through make, or"
            " with .venv-spark/bin/python after `make install-spark`"
        )
    try:
        java_home()
    except NoJavaError as error:
        problems.append(str(error))
    return problems


def _alerts(env: Mapping[str, str], problems: list[str]) -> AlertSettings:
    sinks = tuple(
        name.strip() for name in (env.get("YIHU_ALERT_SINKS") or "log").split(",") if name.strip()
    )
    strange = sorted(set(sinks) - set(ALERT_SINKS))
    if strange:
        problems.append(
            f"YIHU_ALERT_SINKS names {', '.join(strange)}: use {', '.join(ALERT_SINKS)}, with"
            " commas between"
        )
    webhook = _url(env, "YIHU_ALERT_WEBHOOK", ("https", "http"), problems)
    smtp_url = _url(env, "YIHU_ALERT_SMTP_URL", ("smtp", "smtps"), problems)
    email_to = tuple(
        name.strip() for name in (env.get("YIHU_ALERT_EMAIL_TO") or "").split(",") if name.strip()
    )
    lacking = {
        "webhook": [] if env.get("YIHU_ALERT_WEBHOOK") else ["YIHU_ALERT_WEBHOOK"],
        "email": [
            name for name in ("YIHU_ALERT_SMTP_URL", "YIHU_ALERT_EMAIL_TO") if not env.get(name)
        ],
    }
    problems.extend(
        f"{name} is missing: YIHU_ALERT_SINKS names {sink}"
        for sink in sinks
        for name in lacking.get(sink, [])
    )
    return AlertSettings(
        sinks, webhook, smtp_url, email_to, env.get("YIHU_ALERT_EMAIL_FROM") or "yihu@localhost"
    )


def _retention(env: Mapping[str, str], problems: list[str]) -> Retention:
    found: dict[str, Any] = {}
    for setting, (name, least) in KEPT.items():
        text = env.get(setting) or str(getattr(Retention, name))
        if not re.fullmatch(r"[0-9]{1,5}", text) or int(text) < least:
            problems.append(f"{setting} is {text!r}: write a whole number of at least {least}")
        else:
            found[name] = int(text)
    held = []
    for span in (env.get("YIHU_LEGAL_HOLD") or "").split(","):
        if not span.strip():
            continue
        try:
            first, _, last = (part.strip() for part in span.strip().partition(".."))
            held.append((date.fromisoformat(first), date.fromisoformat(last or first)))
        except ValueError:
            problems.append(
                f"YIHU_LEGAL_HOLD has {span.strip()!r}: write a day, or the first and the last,"
                " like 2026-01-01..2026-03-31, several with commas between"
            )
    return Retention(**found, legal_hold=tuple(held))


def _file_settle(env: Mapping[str, str], problems: list[str]) -> float:
    text = env.get("YIHU_FILE_SETTLE") or "120"
    if not re.fullmatch(r"[0-9]{1,5}", text):
        problems.append(f"YIHU_FILE_SETTLE is {text!r}: write a whole number of seconds, like 120")
        return 120.0
    return float(text)


def _plain(env: Mapping[str, str], places: Mapping[str, str | None], problems: list[str]) -> bool:
    """Refuses addresses of other hosts that would be spoken to without TLS, unless
    `YIHU_PLAIN=allow` says that it is meant.
    """
    if _one_of(env, "YIHU_PLAIN", "refuse", ("refuse", "allow"), problems) == "allow":
        return True
    for name, url in places.items():
        if url is not None and is_elsewhere(url, env) and not has_tls(url):
            problems.append(
                f"{name} names another host without TLS: {tls_words(url)}, or set YIHU_PLAIN=allow"
                " where the line is protected otherwise"
            )
    return False


def _drafts(env: Mapping[str, str], problems: list[str]) -> None:
    known = [contract.records for contract in load_contracts(status="draft")]
    named = drafts_named(env.get(DRAFTS))
    if strange := sorted(set(named) - {*known, EVERY_DRAFT}):
        problems.append(
            f"{DRAFTS} names {', '.join(strange)}: the contracts that are drafts are"
            f" {', '.join(known) or 'none'} ({EVERY_DRAFT}: every one)"
        )


OF_YIHU = ("YIHU_TYPED_", "YIHU_TEST_", FILE_PASSWORD)
"""What begins so is no setting of its own."""
SET_BY_YIHU = {"YIHU_DAGSTER_DIR", "YIHU_STANDS_IN", "YIHU_PROGRESS"}
"""What yihu sets for the processes that it starts."""


def known_settings() -> set[str]:
    """The settings that `.env.example` lists."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    return set(re.findall(r"^#?(YIHU_[A-Z0-9_]+)=", text, re.MULTILINE))


def _strange(env: Mapping[str, str]) -> list[str]:
    """A line for each setting that there is none of: it would be set in vain."""
    named = {name for name in env if name.startswith("YIHU_") and not name.startswith(OF_YIHU)}
    known = known_settings()
    return [
        f"{name} is no setting{did_you_mean(name, known)}: .env.example lists them all"
        for name in sorted(named - known - SET_BY_YIHU)
    ]


def _home_problems(home: Path) -> list[str]:
    """What is wrong with the home, which is made where nothing is."""
    if unquote(str(home)) != str(home) or "?" in str(home) or "\\" in str(home):
        # Dagster hands the path of its SQLite files on as an address, and no glob of the engine's
        # holds a backslash
        said = f"YIHU_HOME is {str(home)!r}, which reads as part of an address"
        return [f"{said}: name a folder without ?, \\ and without %41 or the like"]
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        usable = os.access(home, os.W_OK)
    except OSError:
        usable = False
    if usable:
        return []
    said = f"YIHU_HOME is {str(home)!r}, which cannot be written"
    return [f"{said}: name a folder that this user may write"]


def load_settings(env: Mapping[str, str] | None = None) -> Settings:
    """The settings in `env` (the process environment by default).

    Raises:
        SettingsError: naming every missing or malformed setting at once.
    """
    env = os.environ if env is None else env
    problems = _strange(env)
    home = Path(env.get("YIHU_HOME") or ROOT / ".yihu").expanduser().absolute()
    gateway_url = _url(env, "YIHU_GATEWAY_URL", ("http", "https"), problems)
    if gateway_url:
        for name in ("YIHU_GATEWAY_SID", "YIHU_GATEWAY_KEY"):
            if not env.get(name):
                problems.append(
                    f"{name} is missing: the gateway at YIHU_GATEWAY_URL needs it, ask the"
                    " platform's operator"
                )
    drop_dir = Path(env["YIHU_DROP_DIR"]).expanduser() if env.get("YIHU_DROP_DIR") else None
    if drop_dir is not None and not drop_dir.is_dir():
        problems.append(
            f"YIHU_DROP_DIR is {str(drop_dir)!r}, which is no folder: create it or correct the path"
        )
    form = _one_of(env, "YIHU_FORM", "mixed", FORMS, problems)
    front_db_url = env.get("YIHU_FRONT_DB_URL") or None
    if front_db_url is not None and "://" not in front_db_url:
        problems.append(
            "YIHU_FRONT_DB_URL is no SQLAlchemy address: write it like"
            " postgresql+psycopg://user@host/name"
        )
    engine = _one_of(env, "YIHU_ENGINE", "duckdb", ENGINES, problems)
    if engine == "spark":
        problems += _lacks_spark()
    by_county = _one_of(env, "YIHU_BY_COUNTY", "auto", BY_COUNTY, problems)
    full = _one_of(env, "YIHU_FULL", "auto", FULL, problems)
    engine_memory = env.get("YIHU_ENGINE_MEMORY") or None
    if engine_memory is not None and not re.fullmatch(
        r"[0-9]{1,6} ?(MB|GB|TB|MiB|GiB|TiB)", engine_memory
    ):
        problems.append(
            f"YIHU_ENGINE_MEMORY is {engine_memory!r}: write a number and its unit, like 6GB"
        )
    reader_memory = _memory(env, "YIHU_READER_MEMORY", "2GB", problems)
    warehouse_url = _url(env, "YIHU_WAREHOUSE_URL", ("postgresql", "postgres"), problems)
    as_of = _as_of(env.get("YIHU_AS_OF", "").strip(), problems)
    households = env.get("YIHU_SANDBOX_HOUSEHOLDS") or "104000"
    if not (households.isascii() and households.isdigit() and int(households) >= 100):
        problems.append(
            f"YIHU_SANDBOX_HOUSEHOLDS is {households!r}: write a whole number of at least 100"
        )
        households = "104000"
    writing = _one_of(env, "YIHU_SANDBOX_WRITING", "", ("", *WRITINGS), problems)
    problems += [
        f"{name} is shorter than 16 characters: generate one, e.g. openssl rand -hex 32"
        for name in ("YIHU_PSEUDONYM_KEY", "YIHU_SAMPLING_KEY")
        if env.get(name) and len(env[name]) < 16
    ]
    alerts = _alerts(env, problems)
    _drafts(env, problems)
    retention = _retention(env, problems)
    file_settle = _file_settle(env, problems)
    places = {
        "YIHU_GATEWAY_URL": gateway_url,
        "YIHU_FRONT_DB_URL": front_db_url,
        "YIHU_WAREHOUSE_URL": warehouse_url,
        "YIHU_DAGSTER_DB_URL": env.get("YIHU_DAGSTER_DB_URL") or None,
        "YIHU_ALERT_WEBHOOK": alerts.webhook,
    }
    plain = _plain(env, places, problems)
    problems += _home_problems(home)
    if problems:
        raise SettingsError(problems)
    return Settings(
        home=home,
        as_of=as_of,
        gateway_url=gateway_url,
        gateway_sid=env.get("YIHU_GATEWAY_SID") or "yihu-sandbox",
        gateway_key_file=secret_file(home, "gateway_key", env.get("YIHU_GATEWAY_KEY") or None),
        drop_dir=drop_dir,
        front_db_url=front_db_url,
        form=form,
        warehouse_url=warehouse_url,
        pseudonym_key_file=secret_file(
            home, "pseudonym_key", env.get("YIHU_PSEUDONYM_KEY") or None
        ),
        engine=engine,
        spark_master=env.get("YIHU_SPARK_MASTER") or "local[2]",
        sandbox_households=int(households),
        sandbox_writing=writing or None,
        by_county=by_county,
        full=full,
        engine_memory=engine_memory,
        alerts=alerts,
        retention=retention,
        file_settle=file_settle,
        reader_memory=reader_memory,
        file_passwords={
            name: value for name, value in env.items() if name.startswith(FILE_PASSWORD) and value
        },
        plain=plain,
        sampling_key_file=secret_file(home, "sampling_key", env.get("YIHU_SAMPLING_KEY") or None),
    )
