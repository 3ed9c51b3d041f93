"""The ways into the operator's pages: a link from the terminal, a password file,
a proxy that knows who somebody is.

Belongs here: deciding who somebody is and what they may. Not here: sessions (`sessions`), requests
(`guard`).
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import json
import os
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from expectations.errors import ConfigurationError
from pipelines.web.sessions import Links, Session, Sessions

_COST = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}
TRIES, TRIES_SECONDS = 10, 300.0
NOBODY = "00" * 16 + "$" + "00" * 32

FORM = """<!doctype html><html lang="zh"><meta charset="utf-8"><title>yihu 一户</title>
<style>body{font:16px/1.6 sans-serif;max-width:34em;margin:4em auto;padding:0 1em}
input{display:block;font:inherit;margin:.3em 0 1em;padding:.3em;width:100%%}</style>
<h1>yihu 一户</h1>%s</html>"""
BY_LINK = (
    FORM % "<p>请用 <code>make ui</code> 在终端里给出的一次性链接打开本页。链接只能用一次，"
    "十五分钟内有效；再要一个：<code>make ui-link</code>。</p><p>Open these pages by the one-time"
    " link that <code>make ui</code> prints. It works once, within a quarter of an hour;"
    " <code>make ui-link</code> prints another.</p>"
)
BY_PASSWORD = (
    FORM
    % """<p>登录 / Sign in</p><form id="f">\
<label>用户 User<input id="user" autocomplete="username"></label>
<label>密码 Password<input id="password" type="password" autocomplete="current-password"></label>
<button>登录 Sign in</button> <span id="said"></span></form><script>
document.getElementById('f').onsubmit = async e => { e.preventDefault();
  const body = JSON.stringify({user: user.value, password: password.value});
  const said = await fetch('/yihu/enter',
    {method: 'POST', headers: {'Content-Type': 'application/json'}, body});
  if (said.ok) location = '/';
  else document.getElementById('said').textContent = '用户或密码不对 / wrong user or password'; }
</script>"""
)


class PasswordFileError(ConfigurationError):
    """A password file that cannot be used; says which line, and what it should hold."""


@dataclass(frozen=True)
class Known:
    """A line of the password file."""

    secret: str
    may_operate: bool


def password_line(user: str, password: str, may_operate: bool) -> str:
    """`user:operator|reader:salt$scrypt`, as the password file holds it."""
    salt = secrets.token_bytes(16)
    return (
        f"{user}:{'operator' if may_operate else 'reader'}"
        f":{salt.hex()}${_scrypt(password, salt).hex()}"
    )


def set_password_line(path: Path, line: str) -> None:
    """Puts the line into the file, in the place of the user's old one;
    the file is its owner's alone.
    """
    user = line.partition(":")[0]
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    kept = [old for old in lines if old.partition(":")[0] != user]
    work = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(work, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write("\n".join([*kept, line]) + "\n")
    work.replace(path)


def read_password_file(path: Path) -> dict[str, Known]:
    """The users of a password file.

    Raises `PasswordFileError`; a file that others can read is refused.
    """
    if path.stat().st_mode & 0o077:
        raise PasswordFileError(f"{path} can be read by others:", "chmod 600 it")
    known = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        user, _, rest = line.partition(":")
        right, _, secret = rest.partition(":")
        if not user or right not in ("operator", "reader") or len(secret) != len(NOBODY):
            raise PasswordFileError(
                f"{path} line {number} is not user:operator|reader:…:",
                "write it with `make ui-user`",
            )
        known[user] = Known(secret, right == "operator")
    return known


class SignIn:
    """What `guard` asks: sessions, begun by a link, a password, or a proxy's header."""

    def __init__(
        self,
        sessions: Sessions,
        links: Links,
        known: dict[str, Known] | None = None,
        user_header: str | None = None,
        operators: Iterable[str] = (),
    ) -> None:
        self._sessions, self._links, self._known = sessions, links, known
        self._header = user_header.lower() if user_header else None
        self._operators = frozenset(operators)
        self._tries: list[float] = []

    @property
    def page(self) -> str:
        return BY_PASSWORD if self._known is not None else BY_LINK

    def session(self, token: str | None, headers: dict[str, str]) -> Session | None:
        """Who asks: as the proxy says where one is trusted to, else whose cookie it is."""
        if self._header is not None:
            user = headers.get(self._header, "").strip()
            if "," in user:  # the header came twice: the proxy let through what the client wrote
                return None
            return Session(user, user in self._operators) if user else None
        return self._sessions.find(token)

    def enter(self, method: str, query: dict[str, str], body: bytes) -> tuple[str, Session] | None:
        """A session and its token for a good link or password, None for anything else."""
        session = self._by_link(query) if method == "GET" else self._by_password(body)
        return None if session is None else (self._sessions.begin(session), session)

    def leave(self, token: str | None) -> None:
        self._sessions.end(token)

    def _by_link(self, query: dict[str, str]) -> Session | None:
        return Session("operator", True) if self._links.use(query.get("once", "")) else None

    def _by_password(self, body: bytes) -> Session | None:
        now = time.monotonic()
        self._tries = [tried for tried in self._tries if now - tried < TRIES_SECONDS]
        if self._known is None or len(self._tries) >= TRIES:
            return None
        self._tries.append(now)
        try:
            said = json.loads(body)
            user, password = str(said["user"]), str(said["password"])
        except (ValueError, KeyError, TypeError, RecursionError):
            return None
        known = self._known.get(user, Known(NOBODY, False))
        if not _fits(password, known.secret):
            return None
        self._tries.pop()
        return Session(user, known.may_operate)


def _fits(password: str, secret: str) -> bool:
    salt, _, digest = secret.partition("$")
    try:
        return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), bytes.fromhex(digest))
    except (ValueError, binascii.Error):
        return False


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)
