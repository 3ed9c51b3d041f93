"""Somebody at the operator's pages: comes in by a one-time link, keeps the session, asks in
GraphQL.

Belongs here: that. Not here: what is asked, and what must not be answered.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipelines.web.guard import COOKIE
from pipelines.web.sessions import Links


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass
class Visitor:
    """A client of the pages under `url`, whose home is `home`."""

    url: str
    home: Path
    cookie: str = ""

    def send(self, method: str, path: str, body: str | None = None, **headers: str) -> Answer:
        place = urlsplit(self.url)
        connection = HTTPConnection(place.hostname or "", place.port or 80, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookie:
            named["Cookie"] = f"{COOKIE}={self.cookie}"
        try:
            connection.request(method, path, body.encode() if body is not None else None, named)
            got = connection.getresponse()
            told = {name.lower(): value for name, value in got.getheaders()}
            return Answer(got.status, told, got.read().decode("utf-8", errors="replace"))
        finally:
            connection.close()

    def link(self) -> str:
        """The path of a new one-time link, as `make ui-link` gives it."""
        return f"/yihu/enter?once={Links(self.home / 'ui' / 'links').give()}"

    def enter(self) -> None:
        came_in = self.send("GET", self.link())
        assert came_in.status == 200, came_in.body
        found = re.search(rf"{COOKIE}=([^;]+)", came_in.headers["set-cookie"])
        assert found is not None
        self.cookie = found[1]

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of a GraphQL answer; comes in first where nobody did."""
        if not self.cookie:
            self.enter()
        body = json.dumps({"query": query, "variables": variables})
        answer = self.send("POST", "/graphql", body, Content_Type="application/json")
        assert answer.status == 200, answer.body[:500]
        found = json.loads(answer.body)
        assert "errors" not in found, found["errors"]
        return dict(found["data"])
