"""Where alerts go: standard error with a log file, a webhook, e-mail.

Belongs here: handing one alert over. Not here: which alerts there are (`resources.runtime.alerts`).
"""

from __future__ import annotations

import json
import os
import smtplib
import ssl
import sys
from collections.abc import Callable
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests

from expectations.errors import YihuError
from resources.runtime.alert import Alert
from resources.settings import SHANGHAI, AlertSettings

SECONDS = 10.0
Sink = Callable[[Alert], None]


class AlertNotSent(YihuError):
    """A sink did not take an alert; it is tried again after the next run."""

    kind = "transient"


def log_sink(home: Path) -> Sink:
    """Standard error, and a JSON line in `<home>/alerts.log`."""

    def send(alert: Alert) -> None:
        print("\n".join(f"!! {line}" for line in alert.text().splitlines()), file=sys.stderr)
        line = json.dumps(
            {"at": datetime.now(SHANGHAI).isoformat(timespec="seconds"), **_shown(alert)},
            ensure_ascii=False,
        )
        with os.fdopen(
            os.open(home / "alerts.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
            "a",
            encoding="utf-8",
        ) as file:
            file.write(line + "\n")

    return send


def webhook_sink(url: str) -> Sink:
    """POSTs `{"msgtype": "text", "text": {"content": …}, "alert": {…}}`,
    which the robots of WeCom and DingTalk take as it is.
    """

    def send(alert: Alert) -> None:
        body = {"msgtype": "text", "text": {"content": alert.text()}, "alert": _shown(alert)}
        try:
            answer = requests.post(url, json=body, timeout=SECONDS, allow_redirects=False)
        except requests.RequestException as error:
            # the address may hold a token: it is not repeated
            raise AlertNotSent(
                f"the alerts' webhook does not answer ({type(error).__name__})",
                "check YIHU_ALERT_WEBHOOK",
            ) from None
        if answer.status_code >= 300:
            raise AlertNotSent(
                f"the alerts' webhook answers {answer.status_code}",
                "check YIHU_ALERT_WEBHOOK",
            )

    return send


def email_sink(settings: AlertSettings) -> Sink:
    """A mail to everybody in `YIHU_ALERT_EMAIL_TO` over `YIHU_ALERT_SMTP_URL` (smtp with STARTTLS
    where it is offered, or smtps).

    The server's certificate is verified, and no password is told to one that does not speak TLS.
    """

    def send(alert: Alert) -> None:
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = (
            alert.title,
            settings.email_from,
            ", ".join(settings.email_to),
        )
        mail.set_content(alert.text())
        address = urlsplit(settings.smtp_url or "")
        try:
            with _mail_server(
                address.scheme, address.hostname or "localhost", address.port or 0
            ) as server:
                if (
                    address.scheme == "smtp"
                    and server.ehlo()[0] == 250
                    and server.has_extn("starttls")
                ):
                    server.starttls(context=ssl.create_default_context())
                if address.username:
                    if not isinstance(server.sock, ssl.SSLSocket):
                        raise AlertNotSent(
                            "the alerts' mail server speaks no TLS, and is told no password:",
                            "use smtps:// in YIHU_ALERT_SMTP_URL",
                        )
                    server.login(unquote(address.username), unquote(address.password or ""))
                server.send_message(mail)
        except ssl.SSLCertVerificationError:
            raise AlertNotSent(
                "the alerts' mail server shows a certificate that is not its own or that nobody"
                " signed",
                "mend it, or name its authority in SSL_CERT_FILE",
            ) from None
        except (OSError, smtplib.SMTPException) as error:
            raise AlertNotSent(
                f"the alerts' mail server does not take mail ({type(error).__name__})",
                "check YIHU_ALERT_SMTP_URL",
            ) from None

    return send


def _mail_server(scheme: str, host: str, port: int) -> smtplib.SMTP:
    if scheme == "smtps":
        return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=ssl.create_default_context())
    return smtplib.SMTP(host, port, timeout=SECONDS)


def _shown(alert: Alert) -> dict[str, str]:
    return {
        "kind": alert.kind,
        "asset": alert.asset,
        "day": alert.day,
        "what": alert.what,
        "what_to_do": alert.next_step,
        "where_to_look": alert.where,
        "run_id": alert.run_id,
        "access_seal": alert.access_seal,
    }
