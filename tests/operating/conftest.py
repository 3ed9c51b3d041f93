"""A small exchange platform, a drop folder and a home for each test."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from resources.settings import SHANGHAI, Settings, load_settings
from tests.extraction.gateway import KEY, SID, Gateway, serving

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=SHANGHAI)
TODAY = date(2026, 11, 20)
YESTERDAY = date(2026, 11, 19)

Drop = Callable[..., Path]


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with serving(Gateway()) as gateway:
        yield gateway


@pytest.fixture
def environment(tmp_path: Path, gateway: Gateway) -> dict[str, str]:
    (tmp_path / "drop").mkdir()
    return {
        "YIHU_HOME": str(tmp_path / "home"),
        "YIHU_GATEWAY_URL": gateway.url,
        "YIHU_GATEWAY_SID": SID,
        "YIHU_GATEWAY_KEY": KEY.decode(),
        "YIHU_DROP_DIR": str(tmp_path / "drop"),
    }


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return load_settings(environment)


@pytest.fixture
def drop(tmp_path: Path) -> Drop:
    """Puts a file into the drop folder; `checksum` None leaves it without one."""

    def put(name: str, content: str, checksum: str | None = "right") -> Path:
        path = tmp_path / "drop" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode("gb18030"))
        beside = path.with_name(path.name + ".sha256")
        beside.unlink(missing_ok=True)
        if checksum is not None:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            beside.write_text(f"{digest if checksum == 'right' else checksum}  {path.name}\n")
        return path

    return put
