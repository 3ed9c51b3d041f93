"""The client of the government exchange platform: one window of one record type, page by page.

Belongs here: requests, retries, paging. Not here: which window (`windows`), what an answer means
(`answers`), what is kept (`pages`).
"""

from __future__ import annotations

import http.client
import ipaddress
import time
from pathlib import Path
from urllib.parse import urlparse

import requests
import urllib3
from urllib3.util import Retry

from resources.departments.answers import Page, check_status, read_page
from resources.departments.errors import Fault
from resources.departments.jsons import WAIT_FOR_IT
from resources.departments.line import Line, LineAdapter, Unpacked, too_large
from resources.departments.pages import Pages
from resources.departments.retry import Budget, RetryPolicy
from resources.departments.signature import ExchangeSignature
from resources.departments.windows import Window

PIECE = 1 << 20
GRACE = 1.0
"""Seconds by which the line is cut after the deadline of an answer,
where the reader did not notice it itself.
"""
ENDLESS = "have the platform's operator look at the pages of this record type"
UNREACHABLE = "check YIHU_GATEWAY_URL and the network; the next run asks again"


class ApiClient:
    """Asks one gateway for one record type. Not shared between threads: each read has its own."""

    def __init__(
        self,
        url: str,
        sid: str,
        key: bytes,
        department: str,
        records: str,
        policy: RetryPolicy | None = None,
    ) -> None:
        self._url = f"{url.rstrip('/')}/{department}/{records}"
        self._patience = policy or RetryPolicy()
        self.requests = 0
        """How many requests were sent."""
        self._session = requests.Session()
        self._session.auth = ExchangeSignature(key, sid, f"{department}.{records}")
        # the bytes are kept as they came, so they shall come uncompressed
        self._session.headers["Accept-Encoding"] = "identity"
        self._session.trust_env = not _is_loopback(url)
        # urllib3 repeats only what never reached the platform; an answer has to be looked at before
        # it is asked for again
        again = Retry(
            total=None,
            connect=2,
            read=0,
            redirect=0,
            status=0,
            other=0,
            backoff_factor=0.1,
            backoff_jitter=0.1,
        )
        self._line = Line()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, LineAdapter(self._line, max_retries=again, pool_maxsize=1))

    def close(self) -> None:
        self._session.close()

    def fetch(self, window: Window, folder: Path) -> Pages:
        """Every page of `window`, kept in `folder`;
        goes on with the pages of the same window that already lie there.

        Raises `Fault` for what is permanent, and for what did not pass within the budget.
        """
        parameters = {**window.parameters, "limit": str(self._patience.page_rows)}
        pages = Pages.take_up(folder, parameters)
        budget = Budget(self._patience)
        begun, attempt, started = 1, 0, time.monotonic()
        last = started + self._patience.read_deadline
        while not pages.is_done:
            try:
                if started > last or pages.size > self._patience.read_bytes:
                    raise Fault(
                        "none",
                        "endless",
                        f"the answer has no end: {len(pages.files)} pages and more",
                        ENDLESS,
                    )
                pages.add(self.page(parameters, pages.cursor))
                attempt = 0
            except Fault as fault:
                attempt += 1
                # a page that keeps coming twice may be the cursor's fault: it gets a new window
                # before the read is given up
                stuck = fault.reason == "repeated_page" and attempt >= self._patience.attempts
                if fault.remedy == "none":
                    raise
                if fault.remedy == "window" or stuck:
                    if begun >= self._patience.windows:
                        raise
                    budget.wait(fault, 1, 0.0)
                    begun, attempt = begun + 1, 0
                    pages = Pages.anew(folder, parameters)
                else:
                    budget.wait(fault, attempt, time.monotonic() - started)
            started = time.monotonic()
        return pages

    def page(self, parameters: dict[str, str], cursor: str | None = None) -> Page:
        """One page, asked for once. Raises `Fault`."""
        asked = parameters if cursor is None else {**parameters, "cursor": cursor}
        status, headers, body = self._get(asked)
        check_status(status, headers, body, time.time())
        page = read_page(body, headers.get("Content-Type", ""))
        if page.rows > int(parameters["limit"]):
            raise Fault(
                "again",
                "repeated_page",
                f"{page.rows} rows came where {parameters['limit']} were asked for",
                WAIT_FOR_IT,
            )
        return page

    def _get(
        self, parameters: dict[str, str]
    ) -> tuple[int, requests.structures.CaseInsensitiveDict[str], bytes]:
        timeouts = (self._patience.connect_timeout, self._patience.read_timeout)
        self.requests += 1
        try:
            # a redirect is never followed: the signature is for this host alone
            with (
                self._line.within(self._patience.page_deadline + GRACE),
                self._session.get(
                    self._url,
                    params=parameters,
                    timeout=timeouts,
                    stream=True,
                    allow_redirects=False,
                ) as response,
            ):
                body = self._read(response.raw, response.headers)
                if self._line.is_cut:
                    raise OSError("cut")
                return response.status_code, response.headers, body
        except (
            requests.exceptions.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
        ) as error:
            raise self._fault(error) from None

    def _fault(self, error: Exception) -> Fault:
        """What a failed request says of the gateway;
        the texts of its errors hold addresses and are not repeated.
        """
        if self._line.is_cut:
            return Fault(
                "again",
                "slow_drip",
                f"the answer was not there after {self._patience.page_deadline:.0f} s",
                WAIT_FOR_IT,
            )
        try:
            raise error
        except requests.exceptions.ConnectTimeout:
            return Fault(
                "again",
                "unreachable",
                "the gateway cannot be reached (no connection in time)",
                UNREACHABLE,
            )
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
            return Fault("again", "timeout", "the gateway fell silent", WAIT_FOR_IT)
        except requests.exceptions.ConnectionError as failed:
            return _connection(failed)
        except urllib3.exceptions.ProtocolError as failed:
            if any(
                isinstance(cause, http.client.IncompleteRead) for cause in (failed, *failed.args)
            ):
                return Fault("again", "truncated", "the answer was cut short", WAIT_FOR_IT)
            return Fault("again", "reset", "the gateway closed the connection", WAIT_FOR_IT)
        except Exception:
            return Fault("again", "reset", "the gateway closed the connection", WAIT_FOR_IT)

    def _read(
        self, raw: urllib3.BaseHTTPResponse, headers: requests.structures.CaseInsensitiveDict[str]
    ) -> bytes:
        """The body, piece by piece, so that neither a slow drip nor a body cut short
        passes for an answer.
        """
        policy = self._patience
        announced = headers.get("Content-Length", "")
        if announced.isdigit() and int(announced) > policy.page_bytes:
            raise too_large(policy.page_bytes)
        body = Unpacked(headers.get("Content-Encoding", ""), policy.page_bytes)
        started = time.monotonic()
        size = 0
        while piece := raw.read1(PIECE, decode_content=False):
            body.add(piece)
            size += len(piece)
            age = time.monotonic() - started
            if age > policy.page_deadline or (
                age > policy.drip_after and size < age * policy.drip_rate
            ):
                raise Fault(
                    "again",
                    "slow_drip",
                    f"the answer dripped: {size} bytes in {age:.0f} s",
                    WAIT_FOR_IT,
                )
        if announced.isdigit() and size != int(announced):
            raise Fault(
                "again",
                "truncated",
                f"the answer was cut short: {size} of {announced} bytes",
                WAIT_FOR_IT,
            )
        return body.body()


def _connection(error: requests.exceptions.ConnectionError) -> Fault:
    """Nobody there, or somebody who hung up:
    the causes tell, the texts (which hold addresses) are not repeated.
    """
    cause: object = error.args[0] if error.args else None
    cause = getattr(cause, "reason", cause)
    if isinstance(
        cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.NameResolutionError
    ):
        return Fault("again", "unreachable", "the gateway cannot be reached", UNREACHABLE)
    if isinstance(error, requests.exceptions.SSLError):
        return Fault(
            "none",
            "certificate",
            "the gateway's certificate is not trusted",
            "have the platform's certificate installed on this machine",
        )
    return Fault("again", "reset", "the gateway closed the connection", WAIT_FOR_IT)


def _is_loopback(url: str) -> bool:
    host = urlparse(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
