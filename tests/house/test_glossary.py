"""docs/glossary.md has every word of the code once, in two languages, and names what exists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

import pytest
import yaml

from expectations.contract import CONTRACTS, load_contracts
from expectations.errors import KINDS
from resources.lake import LAYERS
from resources.settings import ROOT
from warehouse.catalogue import DOMAINS
from warehouse.database.review import DECISIONS
from warehouse.explain import LEVELS
from warehouse.ledger import STATES as SOURCE_STATES
from warehouse.matching import METHODS, OUTCOMES, REASONS
from warehouse.periodic_reports import PERIODIC_REPORTS
from warehouse.schema import METADATA, VIEWS
from warehouse.schema.declared import STAGES
from warehouse.schema.programs import statements
from warehouse.schema.roles import ROLES

PAGE = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
HEADER = "| term | 中文 | meaning | where |"
SECOND = "## Words with a second meaning"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
BACKTICKED = re.compile(r"`([^`\n]+)`")
ROOMS = ("assets", "bench", "expectations", "pipelines", "resources", "sandbox", "warehouse")
FILE = re.compile(rf"(?:{'|'.join(ROOMS)}|docs|tests)/[\w./-]*")
VIEW = re.compile(r"(?:yihu|ops|vault)\.\w+")
RECORD_TYPE = re.compile(r"(?:raw|valid|matched)_([a-z_]+?)__([a-z_]+)")
SETTING = re.compile(r"YIHU_[A-Z_]+")


def rows(page: str = PAGE) -> list[tuple[str, str, str, str]]:
    """Term, Chinese, meaning and where of each row of the tables of terms."""
    found: list[tuple[str, str, str, str]] = []
    is_table = False
    for line in page.splitlines():
        is_table = line == HEADER or (is_table and line.startswith("|"))
        if is_table and line != HEADER and not line.startswith("|---"):
            term, chinese, meaning, where = (cell.strip() for cell in line.strip("|").split("|"))
            found.append((term, chinese, meaning, where))
    return found


def of(what: str, values: Iterable[str]) -> list[str]:
    return [f"{what} `{value}`" for value in values]


def contracts_there_are() -> list[tuple[str, str, str, str]]:
    """Department, its name, record type, its name: of every contract file, drafts too."""
    found = []
    for path in sorted(CONTRACTS.glob("*/*.odcs.yaml")):
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        own = {entry["property"]: entry["value"] for entry in said["customProperties"]}
        records = path.name.removesuffix(".odcs.yaml")
        found.append((path.parent.name, own["departmentName"], records, said["name"]))
    return found


def field_roles() -> set[str]:
    fields = (field for contract in load_contracts() for field in contract.fields)
    return {field.role for field in fields if field.role is not None}


def purposes() -> list[str]:
    text = (ROOT / "warehouse" / "schema" / "looking.sql").read_text(encoding="utf-8")
    array = re.search(r"purposes constant text\[\] := array\[(.*?)\]", text)
    assert array is not None
    return re.findall(r"'(\w+)'", array[1])


def needs() -> set[str]:
    rules = ROOT.glob("warehouse/rules/following-*.yaml")
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in rules]
    return {task["need"] for said in files for task in said["tasks"]["for"].values()}


def words_of_the_code() -> dict[str, list[str]]:
    """What the code has, as terms of the glossary, by kind."""
    contracts = contracts_there_are()
    views = [*(view.name for view in VIEWS), "release", "source_status"]
    return {
        "department": of("department", {department for department, *_ in contracts}),
        "record type": [f"`{department}.{records}`" for department, _, records, _ in contracts],
        "published view": [f"`yihu.{view}`" for view in views],
        "periodic report": [f"`yihu.{report.name}`" for report in PERIODIC_REPORTS],
        "domain": of("domain", DOMAINS),
        "outcome": of("outcome", OUTCOMES),
        "method": of("method", METHODS),
        "match reason": of("match reason", REASONS),
        "decision": of("decision", DECISIONS),
        "source state": of("state", SOURCE_STATES),
        "level": of("level", LEVELS),
        "role": [f"`{role}`" for role in ROLES],
        "field role": of("field role", field_roles()),
        "layer": of("layer", LAYERS),
        "stage": of("stage", STAGES),
        "need": of("need", needs()),
        "purpose": of("purpose", purposes()),
        "kind of error": of("error kind", KINDS),
    }


@pytest.mark.parametrize("kind", words_of_the_code())
def test_every_word_of_the_code_is_a_term(kind: str) -> None:
    wanted = words_of_the_code()[kind]
    assert wanted
    terms = {term for term, *_ in rows()}
    assert sorted(set(wanted) - terms) == [], f"add a line for each {kind} to docs/glossary.md"


def test_no_term_of_a_kind_is_left_over() -> None:
    """A value that the code has no longer is no term either."""
    words = words_of_the_code()
    named = ("domain", "outcome", "method", "match reason", "decision", "level", "layer", "stage")
    for kind in (*named, "department", "field role", "need", "purpose"):
        there = {term for term, *_ in rows() if re.fullmatch(rf"{kind} `\w+`", term)}
        assert sorted(there - set(words[kind])) == []


def test_every_term_is_listed_once_with_chinese_and_a_meaning() -> None:
    table = rows()
    assert len(table) > 250
    spelt = [term.lower() for term, *_ in table]
    assert [term for term, times in Counter(spelt).items() if times > 1] == []
    assert [term for term, chinese, *_ in table if not CHINESE.search(chinese)] == []
    assert [term for term, _, meaning, where in table if not meaning or not where] == []


def test_no_chinese_stands_for_two_terms() -> None:
    times = Counter(chinese for _, chinese, *_ in rows())
    assert [chinese for chinese, count in times.items() if count > 1] == []


def test_departments_and_record_types_have_their_contracts_names() -> None:
    names = {term: chinese for term, chinese, *_ in rows()}
    wrong = []
    for department, department_name, records, name in contracts_there_are():
        if names[f"department `{department}`"] != department_name:
            wrong.append(department)
        if names[f"`{department}.{records}`"] != name:
            wrong.append(f"{department}.{records}")
    assert wrong == []


def test_what_the_glossary_names_exists() -> None:
    functions = set(re.findall(r"function (\w+\.\w+)\(", "\n".join(statements())))
    tables = {str(table) for table in METADATA.tables}
    words = words_of_the_code()
    views = {term.strip("`") for term in (*words["published view"], *words["periodic report"])}
    types = {(department, records) for department, _, records, _ in contracts_there_are()}
    settings = set(SETTING.findall((ROOT / ".env.example").read_text(encoding="utf-8")))
    wrong, seen = [], Counter[str]()
    for name in BACKTICKED.findall(PAGE):
        if FILE.fullmatch(name):
            seen["file"] += 1
            is_there = (ROOT / name).exists()
        elif VIEW.fullmatch(name):
            seen["view"] += 1
            is_there = name in functions | tables | views
        elif found := RECORD_TYPE.fullmatch(name):
            seen["record type"] += 1
            is_there = (found[1], found[2]) in types
        elif SETTING.fullmatch(name) and name != "YIHU_":
            seen["setting"] += 1
            is_there = name in settings
        elif name.partition(".")[0] in ROOMS and "." in name:
            seen["module"] += 1
            path = ROOT / name.replace(".", "/")
            is_there = path.is_dir() or path.with_suffix(".py").exists()
        else:
            continue
        if not is_there:
            wrong.append(name)
    assert wrong == []
    assert min(seen[kind] for kind in ("file", "view", "record type", "setting")) > 3


def test_its_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", PAGE)
    assert targets
    assert [target for target in targets if not (ROOT / "docs" / target).exists()] == []


def test_words_with_a_second_meaning_are_the_last_heading() -> None:
    headings = [line for line in PAGE.splitlines() if line.startswith("## ")]
    assert headings[-1] == SECOND
