"""Settings: every mistake is named at once, each with what to do; secrets are generated and
private.
"""

from __future__ import annotations

import re
import stat
from datetime import timedelta
from pathlib import Path

import pytest

from resources.settings import (
    FILE_PASSWORD,
    OF_YIHU,
    ROOT,
    SET_BY_YIHU,
    SettingsError,
    load_settings,
    today,
)


def test_nothing_set_means_sandbox_yesterday_and_generated_secrets(tmp_path: Path) -> None:
    settings = load_settings({"YIHU_HOME": str(tmp_path / "home")})
    assert settings.uses_sandbox
    assert settings.as_of == today() - timedelta(days=1)
    assert len(settings.pseudonym_key) == 64
    assert stat.S_IMODE(settings.pseudonym_key_file.stat().st_mode) == 0o600
    assert (
        load_settings({"YIHU_HOME": str(tmp_path / "home")}).pseudonym_key == settings.pseudonym_key
    )


def test_secrets_never_show_in_repr(tmp_path: Path) -> None:
    settings = load_settings(
        {"YIHU_HOME": str(tmp_path), "YIHU_PSEUDONYM_KEY": "a-secret-of-some-length"}
    )
    assert "a-secret" not in repr(settings)


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(
            {
                "YIHU_HOME": str(tmp_path),
                "YIHU_AS_OF": "2026-02-30",
                "YIHU_FORM": "fax",
                "YIHU_GATEWAY_URL": "gateway.example",
                "YIHU_ENGINE": "abacus",
                "YIHU_SANDBOX_HOUSEHOLDS": "many",
                "YIHU_DROP_DIR": str(tmp_path / "nowhere"),
            }
        )
    named = "\n".join(caught.value.problems)
    for setting in (
        "AS_OF",
        "FORM",
        "GATEWAY_URL",
        "GATEWAY_SID",
        "GATEWAY_KEY",
        "ENGINE",
        "SANDBOX_HOUSEHOLDS",
        "DROP_DIR",
    ):
        assert f"YIHU_{setting}" in named
    assert len(caught.value.problems) == 8


def test_a_day_after_today_is_refused_and_today_is_not(tmp_path: Path) -> None:
    home = {"YIHU_HOME": str(tmp_path)}
    assert load_settings({**home, "YIHU_AS_OF": today().isoformat()}).as_of == today()
    with pytest.raises(SettingsError, match="after today"):
        load_settings({**home, "YIHU_AS_OF": (today() + timedelta(days=1)).isoformat()})


def test_spark_where_it_is_not_is_refused_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "no-java"))
    with pytest.raises(SettingsError) as caught:
        load_settings({"YIHU_HOME": str(tmp_path), "YIHU_ENGINE": "spark"})
    pyspark, java = caught.value.problems
    assert "make install-spark" in pyspark
    assert "install Java 17" in java


def test_env_example_lists_every_setting() -> None:
    named = set(re.findall(r"YIHU_[A-Z_]+", (ROOT / "resources" / "settings.py").read_text()))
    named -= {*SET_BY_YIHU, *OF_YIHU, "YIHU_"} - {FILE_PASSWORD}
    example = (ROOT / ".env.example").read_text()
    assert len(named) >= 13
    assert [name for name in named if f"{name}=" not in example and not name.endswith("_")] == []
    # what ends in `_` begins the names of settings that a contract may name
    assert [name for name in named if name not in example] == []


def test_a_setting_that_there_is_none_of_is_refused(tmp_path: Path) -> None:
    """It would be set in vain; what yihu itself sets, and words typed for make, are none."""
    with pytest.raises(SettingsError) as caught:
        load_settings({"YIHU_HOME": str(tmp_path), "YIHU_DROPDIR": "/srv", "YIHU_XYZZY": "1"})
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "YIHU_DROPDIR is no setting (did you mean YIHU_DROP_DIR?)",
        "YIHU_XYZZY is no setting",
    ]
    load_settings(
        {
            "YIHU_HOME": str(tmp_path),
            "YIHU_TYPED_WHY": "because",
            "YIHU_PROGRESS": "stages",
            "YIHU_FILE_PASSWORD_HOUSING": "x",
        }
    )
