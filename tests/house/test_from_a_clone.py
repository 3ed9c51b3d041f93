"""What a clone brings along for others: licence and version, links that lead somewhere, files for a
server and for CI that say what is there, the contract of what is served.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.automation.runs import RECORDED_BY
from pipelines.command_line.table import COMMANDS
from pipelines.development.documented import make_targets
from resources.settings import ROOT, SET_BY_YIHU, known_settings
from warehouse.layouts import NEWEST
from warehouse.served_contract import CONTRACT, served_contract

PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]
OF_SERVICES = {"postgres", "code", "daemon", "web", "command"}
CODE = re.compile(r"```.*?```|`[^`\n]*`|^    .*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def test_the_version_is_the_newest_layout_s_and_the_licence_is_there() -> None:
    assert project()["project"]["version"] == NEWEST
    assert project()["project"]["license"] == "Apache-2.0"
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    lost = []
    text = CODE.sub("", page.read_text(encoding="utf-8"))
    for link, picture in LINK.findall(text):
        target, _, anchor = (link or picture).partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            lost.append(link or picture)
    assert lost == []


def test_the_site_has_every_page() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = re.findall(r"^ +- ([a-z-]+\.md)$", text, re.MULTILINE)
    assert sorted(named) == sorted(page.name for page in (ROOT / "docs").glob("*.md"))


def test_the_served_contract_is_as_the_schema_is() -> None:
    assert CONTRACT.read_text(encoding="utf-8") == served_contract(), "make docs"


def test_dagster_finds_the_definitions_by_the_name_that_runs_are_recorded_under() -> None:
    tools = project()["tool"]
    assert tools["dagster"] == {"module_name": RECORDED_BY, "code_location_name": RECORDED_BY}
    assert tools["dg"]["project"]["code_location_target_module"] == RECORDED_BY
    workspace = yaml.safe_load((ROOT / "container" / "workspace.yaml").read_text(encoding="utf-8"))
    (server,) = (entry["grpc_server"] for entry in workspace["load_from"])
    assert server["location_name"] == RECORDED_BY
    assert server["host"] in compose()["services"]
    assert find_spec(RECORDED_BY) is not None


def test_the_homes_of_dagster_differ_in_their_storage_alone() -> None:
    def said(folder: str) -> dict[str, Any]:
        loaded = yaml.safe_load((ROOT / folder / "dagster.yaml").read_text(encoding="utf-8"))
        stored = ("storage", "local_artifact_storage", "compute_logs")
        return {name: value for name, value in loaded.items() if name not in stored}

    assert said("dagster-on-sqlite") == said("dagster-on-postgres") == said(".")


def test_compose_runs_what_is_there_and_shows_it_to_nobody_else() -> None:
    services = compose()["services"]
    assert set(services) == OF_SERVICES
    for name, service in services.items():
        published = [str(port) for port in service.get("ports", ())]
        assert [port for port in published if not port.startswith("127.0.0.1:")] == [], name
        if name != "postgres":
            assert service["image"] == f"yihu:{NEWEST}"
            assert set(service["environment"]) <= known_settings()
            assert (service["cap_drop"], service["read_only"]) == (["ALL"], True)
    lines = [" ".join([*s.get("entrypoint", ()), *s["command"]]) for s in services.values()]
    modules = {module for line in lines for module in re.findall(r"-m (\S+)", line)}
    assert modules == {"pipelines", "pipelines.definitions", "pipelines.webserver"}
    assert services["command"]["command"][0] in COMMANDS


def test_the_image_is_made_of_what_is_there_and_runs_as_nobody_special() -> None:
    text = (ROOT / "Containerfile").read_text(encoding="utf-8")
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE)
    sources = [source for line in copied for source in line.split()]
    assert sources
    assert [source for source in sources if not (ROOT / source).exists()] == []
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE)[-1] not in ("root", "0")
    named = set(re.findall(r"\b(YIHU_[A-Z_]+)=", text))
    assert named <= known_settings() | SET_BY_YIHU
    groups = re.findall(r"--group (\w+)", text)
    assert set(groups) <= set(project()["dependency-groups"])
    kept_out = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {".env", ".yihu", ".git"} <= set(kept_out)


def test_ci_does_what_a_clean_checkout_does_here() -> None:
    ours = set(re.findall(r"make ([a-z-]+)", (ROOT / ".ci" / "run").read_text(encoding="utf-8")))
    theirs = set()
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        for job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].values():
            for step in job["steps"]:
                theirs |= set(re.findall(r"\bmake ([a-z-]+)", step.get("run", "")))
    assert ours <= theirs <= set(make_targets())


def test_what_is_committed_holds_no_secret() -> None:
    """The pattern by which pre-commit looks, over everything that is committed."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (hook,) = (h for repo in hooks["repos"] for h in repo["hooks"] if h["id"] == "secrets")
    secret, left_out = re.compile(hook["entry"]), re.compile(hook["exclude"])
    assert secret.search("-----BEGIN RSA PRIVATE " + "KEY-----")
    assert secret.search("ghp_" + "a" * 36)
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found = []
    for name in listed.stdout.split("\0"):
        path = ROOT / name
        if name and path.is_file() and not left_out.search(name):
            try:
                text = path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue
            found += [name] if secret.search(text) else []
    assert found == []
