"""Which number of the department's stands behind a published pseudonym: for the vault, and nowhere
else.
"""

from __future__ import annotations

import hashlib
import hmac

from expectations.contract import load_contracts
from resources.engines.duckdb import Engine
from warehouse.record_numbers import build_record_numbers

KEY = b"a key of sixteen letters"
NUMBERS = ("61092119800101001044", "61092119800101002843")


def test_the_number_behind_a_pseudonym(engine: Engine) -> None:
    """Certificates are numbered by their holder's ID number; what is published is its HMAC,
    reckoned here a second time.
    """
    contracts = [c for c in load_contracts() if c.records in ("certificates", "dwellings")]
    hidden = next(c for c in contracts if c.records == "certificates")
    assert hidden.is_pseudonymous
    pseudonyms = [
        hmac.new(KEY, f"certificates|{number}".encode(), hashlib.sha256).hexdigest()
        for number in NUMBERS
    ]
    key = hidden.record_key.name
    engine.table(
        f"valid_{hidden.table}",
        f"select *, {key} as _first_key from (values ('{NUMBERS[0]}'), ('{NUMBERS[1]}')) as"
        f" t({key})",
    )
    engine.table(
        f"matched_{hidden.table}",
        f"select * from (values ('{pseudonyms[0]}', 'H1'), ('{pseudonyms[1]}', null)) as"
        " t(record_id, household_id)",
    )
    build_record_numbers(engine, contracts, KEY)
    assert engine.rows("select * from record_number order by record_key") == [
        ("disability_federation", "certificates", pseudonyms[0], NUMBERS[0], "H1"),
        ("disability_federation", "certificates", pseudonyms[1], NUMBERS[1], None),
    ]
