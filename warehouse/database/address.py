"""The address of a PostgreSQL as libpq reads it.

Belongs here: that one rendering. Not here: connecting (`publication.wire`), the server that is
meant (`resources.server`).
"""

from __future__ import annotations

import sqlalchemy as sa


def libpq_url(url: str | sa.URL) -> str:
    """The same address for libpq: in a query a blank is `%20` there, and a plus is a plus."""
    text = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    place, mark, query = text.partition("?")
    return place + mark + query.replace("+", "%20")
