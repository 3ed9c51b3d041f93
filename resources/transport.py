"""Where an address leads, and how it is spoken to: to this machine or another one, over verified
TLS or not.

Belongs here: judging an address as its driver would read it, options and environment included. Not
here: which settings hold addresses (`settings`), connecting.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, unquote, urlsplit

OFF = ("", "0", "no", "false", "off", "none")
POSTGRESQL, MYSQL = ("postgresql", "postgres"), ("mysql", "mariadb")
HOSTS = ("host", "hostaddr", "server")
"""Options that name a host beside or in place of the one before the path."""


def is_elsewhere(url: str, env: Mapping[str, str]) -> bool:
    """Whether an address may lead to another host: neither a loopback address nor a socket or file
    of this machine.
    """
    return any(not _is_here(host) for host in _hosts(url, env))


def has_tls(url: str) -> bool:
    """Whether an address asks for TLS with the server's certificate and name verified."""
    scheme, said = _scheme(url), _options(url)
    if scheme in POSTGRESQL:
        return said.get("sslmode") == "verify-full"
    if scheme in MYSQL:
        checks = ("ssl_check_hostname", "ssl_verify_cert", "ssl_verify_identity")
        return said.get("ssl_ca", "") not in OFF and not any(
            said.get(name) in OFF for name in checks
        )
    if scheme == "mssql":
        trusts = said.get("trustservercertificate", "no") not in OFF
        return said.get("encrypt") in ("yes", "strict", "mandatory") and not trusts
    if scheme == "oracle":
        place = re.sub(r"\s", "", unquote(urlsplit(url).netloc.rpartition("@")[2])).lower()
        asks = said.get("protocol") == "tcps" or "protocol=tcps" in place
        return asks and said.get("ssl_server_dn_match", "yes") not in OFF
    return scheme in ("https", "sqlite")


def tls_words(url: str) -> str:
    """What to write for an address that lacks it."""
    return {
        "http": "write https://",
        "postgresql": "add ?sslmode=verify-full (and sslrootcert=…)",
        "postgres": "add ?sslmode=verify-full (and sslrootcert=…)",
        "mysql": "add ?ssl_ca=…",
        "mariadb": "add ?ssl_ca=…",
        "mssql": "add ?Encrypt=yes, without TrustServerCertificate",
        "oracle": "add ?protocol=tcps",
    }.get(_scheme(url), "use an address with TLS")


def _scheme(url: str) -> str:
    return urlsplit(url).scheme.split("+")[0].lower()


def _options(url: str) -> dict[str, str]:
    """What stands behind the question mark, in lower case; for ODBC what it hands on."""
    said = _pairs(url)
    for name, value in list(said):
        if name == "odbc_connect":
            parts = (part.partition("=") for part in value.split(";"))
            said += [(key.strip().lower(), word.strip()) for key, _, word in parts]
    return {name: value.lower() for name, value in said}


def _pairs(url: str) -> list[tuple[str, str]]:
    return [
        (name.lower(), value)
        for name, value in parse_qsl(urlsplit(url).query, keep_blank_values=True)
    ]


def _hosts(url: str, env: Mapping[str, str]) -> Iterator[str]:
    """Every host that an address names; for libpq also those that its environment does."""
    if _scheme(url) == "sqlite":
        return
    named = [urlsplit(url).netloc.rpartition("@")[2]]
    named += [value for name, value in _pairs(url) if name in HOSTS]
    if "server" in (said := _options(url)):
        named.append(re.sub("^(tcp|lpc|np):", "", said["server"]))
    if _scheme(url) in POSTGRESQL:
        if not any(named):
            named += [env.get("PGHOST", ""), env.get("PGSERVICE", "")]
        named += [env.get("PGHOSTADDR", ""), said.get("service", "")]
    for name in named:
        yield from filter(None, (unquote(host).strip() for host in name.split(",")))


def _is_here(host: str) -> bool:
    if host.startswith(("/", "@", "(local)", "(localdb)")):
        return True
    name = re.fullmatch(r"\[([^]]*)\].*|([^:]*:[^:]*:.*)|([^:]*)(?::.*)?", host)
    plain = next(filter(None, name.groups()), "") if name else host
    try:
        return ipaddress.ip_address(plain).is_loopback
    except ValueError:
        return plain.lower() in ("", "localhost")
