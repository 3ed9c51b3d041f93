"""Every asset of the house, in the order of the flow.

Belongs here: the list. Not here: anything about one of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from assets import crosscheck, flags, following, household, release, support
from assets import periodic_reports as rhythms
from assets.matched import matched_asset
from assets.raw import raw_asset
from assets.valid import valid_asset
from expectations.contract import Contract


def all_assets(contracts: Sequence[Contract]) -> list[dg.AssetsDefinition]:
    """Three assets per contract, then the household's tables, the lamps, what follows them, who
    helps, what departments say against each other, the release, and the rhythms.
    """
    departments = [
        make(contract) for contract in contracts for make in (raw_asset, valid_asset, matched_asset)
    ]
    later = (household, flags, following, support, crosscheck, release)
    return [
        *departments,
        *(asset for layer in later for asset in layer.assets(contracts)),
        *rhythms.assets(),
    ]
