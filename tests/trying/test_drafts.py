"""Contracts drafted from what offices send: how much has to be mended, and that what is wrong was
asked about.
"""

from __future__ import annotations

import difflib
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from expectations.contract import Contract, load_contracts, read_contract
from expectations.drafting.draft import Draft, Sample, draft_contract, guessed
from expectations.drafting.grid import Sheet, find_table, tight
from expectations.drafting.names import files_pattern
from expectations.drafting.office_words import office_words
from expectations.questions import QUESTION, standing_questions
from pipelines.dry_run.commands import every_contract
from pipelines.dry_run.input_files import files_of
from pipelines.dry_run.sample import open_sample
from resources.departments.departments import Departments
from resources.departments.errors import Fault
from resources.departments.names import named
from resources.lake import Lake
from resources.settings import Settings
from tests.conftest import Show
from tests.trying.cases import CASES, Case

LARGEST_SHARE = 0.2
"""Lines to mend by fields of the draft."""


@dataclass(frozen=True)
class Drafted:
    case: Case
    sample: Sample
    draft: Draft
    base: Contract | None


def drafted(case: Case, samples: Path, settings: Settings, work: Path) -> Drafted:
    sample = open_sample(files_of(case.files(samples)), settings, work)
    base = next(
        (
            c
            for c in every_contract()
            if (c.department, c.records) == (case.department, case.records)
        ),
        None,
    )
    return Drafted(case, sample, draft_contract(sample, case.department, case.records, base), base)


@pytest.fixture(scope="module")
def drafts(
    samples: Path, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> list[Drafted]:
    return [drafted(case, samples, settings, tmp_path_factory.mktemp("work")) for case in CASES]


def said(text: str) -> list[str]:
    """The lines of a contract without its comments."""
    return [line for line in text.splitlines() if not line.lstrip().startswith("#")]


def edits(draft: str, kept: str) -> list[int]:
    """The lines of the draft, from 0, that the kept contract has otherwise; a line more counts
    where it stands.
    """
    found = []
    matcher = difflib.SequenceMatcher(None, said(draft), said(kept), autojunk=False)
    for kind, first, last, new_first, new_last in matcher.get_opcodes():
        if kind != "equal":
            found += [first] * max(last - first, new_last - new_first)
    return found


def blocks(text: str) -> Iterator[tuple[list[str], set[int]]]:
    """The questions above each field (and above all), and the places of its lines among those that
    say something.
    """
    questions: list[str] = []
    lines: set[int] = set()
    place = 0
    for line in text.splitlines():
        if line.lstrip().startswith("#") or re.match(r"  - name: ", line):
            if lines:
                yield questions, lines
                questions, lines = [], set()
            if line.lstrip().startswith(QUESTION):
                questions.append(line)
        if not line.lstrip().startswith("#"):
            lines.add(place)
            place += 1
    yield questions, lines


def unasked(draft: str, kept: str) -> list[str]:
    """The lines to mend of fields that the draft asks nothing about."""
    wrong = set(edits(draft, kept))
    found = []
    for questions, lines in blocks(draft):
        if not questions:
            found += [said(draft)[place] for place in sorted(wrong & lines)]
    return found


def unclassified(made: Drafted) -> list[str]:
    """Columns of identities that the draft neither classes as such nor leaves out, saying that they
    are.
    """
    raw = yaml.safe_load(made.draft.text)
    classed = {p.get("physicalName"): p["classification"] for p in raw["schema"][0]["properties"]}
    remark = next(
        (line for line in made.draft.text.splitlines() if "that are not read" in line), ""
    )
    return [
        heading
        for heading in made.case.identities
        if classed.get(heading) != "identity" and f"{heading} (identity)" not in remark
    ]


def test_little_has_to_be_mended_and_nothing_is_wrong_without_a_question(
    drafts: list[Drafted], show: Show
) -> None:
    table = [
        f"{'file':<30}{'fields':>8}{'questions':>11}{'to mend':>9}{'unasked':>9}{'identities':>12}"
    ]
    worst, silent, open_identities = [], [], []
    for made in drafts:
        kept = made.case.contract.read_text(encoding="utf-8")
        lines = edits(made.draft.text, kept)
        wrong = unasked(made.draft.text, kept)
        bare = unclassified(made)
        table.append(
            f"{made.case.folder[:2] + ' ' + made.case.records:<30}{made.draft.fields:>8}"
            f"{len(made.draft.questions):>11}{len(lines):>9}{len(wrong):>9}"
            f"{len(made.case.identities) - len(bare):>8}"
            f" of {len(made.case.identities)}"
        )
        worst += [made.case.records] if len(lines) > LARGEST_SHARE * made.draft.fields else []
        silent += wrong
        open_identities += bare
    show("contracts drafted from fourteen offices' tables", "\n".join(table))
    assert (worst, silent, open_identities) == ([], [], [])


def test_a_draft_is_a_contract_and_valid(drafts: list[Drafted], tmp_path: Path) -> None:
    paths = []
    for made in drafts:
        path = tmp_path / f"{made.case.records}.odcs.yaml"
        path.write_text(made.draft.text, encoding="utf-8")
        assert read_contract(path).records == made.case.records
        assert len(standing_questions(path)) == len(made.draft.questions)
        paths.append(str(path))
    lint = "from datacontract.data_contract import DataContract as D; import sys; " \
        "print([(c.result.value, c.reason) for p in sys.argv[1:]" \
        " for c in D(data_contract_file=p).lint().checks])"  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", lint, *paths], capture_output=True, text=True, check=True
    )
    results = re.findall(r"\('(\w+)'", done.stdout)
    assert results == ["passed"] * len(paths), done.stdout


def test_no_draft_is_installed_while_a_question_stands(
    drafts: list[Drafted], settings: Settings, tmp_path: Path
) -> None:
    made = drafts[0]
    path = tmp_path / "certificates.odcs.yaml"
    path.write_text(made.draft.text, encoding="utf-8")
    checked = [sys.executable, "-m", "expectations.questions", str(path)]
    refused = subprocess.run(checked, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stdout.count("a question of the draft stands") == len(made.draft.questions)
    departments = Departments(settings, Lake(settings.lake))
    with pytest.raises(Fault, match="questions of its draft stand"):
        departments.reader(read_contract(path))
    path.write_text("\n".join(said(made.draft.text)), encoding="utf-8")
    assert subprocess.run(checked, check=False).returncode == 0


def test_contracts_in_use_have_no_questions() -> None:
    assert [c.path for c in load_contracts() if standing_questions(c.path)] == []


@pytest.mark.parametrize(
    "case", [c for c in CASES if c.records != "attendance"], ids=lambda case: case.records
)
def test_a_heading_that_nobody_knows_is_asked_about(
    case: Case, samples: Path, settings: Settings, tmp_path: Path
) -> None:
    """Every heading in turn becomes a word that says nothing: its field is found and asked about,
    or is asked for.
    """
    made = drafted(case, samples, settings, tmp_path)
    assert made.base is not None
    kept = read_contract(case.contract)
    key = kept.record_key.name
    for field in kept.delivered:
        other = _with_strange_heading(made.sample, field.physical_name)
        if other == made.sample or (field.type == "text" and not field.required):
            continue
        draft = draft_contract(other, case.department, case.records, made.base)
        asked = " ".join(draft.questions)
        assert re.search(rf"\b{field.name}\b", asked) or (
            field.name == key and "number of its own" in asked
        ), field.name
        _others_as_they_were(draft, kept, field.name)


def _with_strange_heading(sample: Sample, heading: str) -> Sample:
    def renamed(cell: str) -> str:
        own = tight(cell)
        return (
            "某某项"
            if own == tight(heading) or (len(own) > 1 and tight(heading).endswith(own))
            else cell
        )

    sheets = []
    for sheet in sample.sheets:
        table = find_table(sheet)
        top = (
            0
            if table is None
            else next(i for i, row in enumerate(sheet.rows) if table.headings[0] in map(tight, row))
            + 2
        )
        rows = [tuple(map(renamed, row)) if at < top else row for at, row in enumerate(sheet.rows)]
        sheets.append(Sheet(sheet.file, sheet.name, tuple(rows)))
    return replace(sample, sheets=tuple(sheets))


def _others_as_they_were(draft: Draft, kept: Contract, changed: str) -> None:
    """No other field's column is taken in the place of the one that nobody knows, without a
    question.
    """
    columns = {
        p["name"]: p.get("physicalName")
        for p in yaml.safe_load(draft.text)["schema"][0]["properties"]
    }
    asked = " ".join(draft.questions)
    for field in kept.delivered:
        if (
            field.name != changed
            and field.name in columns
            and columns[field.name] != field.physical_name
        ):
            assert re.search(rf"\b{field.name}\b", asked), field.name


def test_the_record_type_is_found_without_its_name(
    samples: Path, settings: Settings, tmp_path: Path
) -> None:
    for case in CASES[:6]:
        sample = open_sample(files_of(case.files(samples)), settings, tmp_path)
        found = guessed(sample, [c for c in every_contract() if c.department == case.department])
        assert found is not None
        # a workbook of two record types holds either
        assert found.records == case.records or case.records in ("dwellings", "retrofits")


def _sheet(*rows: tuple[str, ...], name: str | None = None) -> Sheet:
    return Sheet("a.xlsx", name, tuple(rows))


def _loans(*, above: str, heading: str, cell: str) -> Sheet:
    header = (
        "借据号",
        "借款人",
        "身份证号",
        heading,
        "贷款余额",
        "放款日期",
        "到期日期",
        "贷款状态",
    )
    number = "11010519491231002X"
    row = ("JJ00{}", "王某", number, cell, "0", "2026-01-05", "2027-01-05", "正常")
    return _sheet((above,), header, *(tuple(c.format(n) for c in row) for n in range(1, 7)))


def loans() -> Contract:
    return next(contract for contract in every_contract() if contract.records == "loans")


def test_a_question_quotes_nobody(drafts: list[Drafted], samples: Path) -> None:
    for made in drafts:
        people = [
            value
            for row in made.case.truth(samples)
            for name, value in row.items()
            if name.endswith(("name", "number", "号"))
        ]
        asked = "".join(made.draft.text.split())
        assert [
            someone for someone in people if len(someone) > 3 and "".join(someone.split()) in asked
        ] == []


def test_few_people_are_no_code_list() -> None:
    """A clerk's column of three names is no list of codes: names stay out of the contract."""
    header = ("序号", "姓名", "身份证号", "信贷员", "到账日期")
    rows = [
        (str(n), "王芳", "11010519491231002X", ("李明华", "张伟国", "陈建军")[n % 3], "2026-01-05")
        for n in range(12)
    ]
    draft = draft_contract(Sample((_sheet(header, *rows),)), "finance", "cards", None)
    assert "李明华" not in draft.text
    clerk = next(
        p
        for p in yaml.safe_load(draft.text)["schema"][0]["properties"]
        if p["physicalName"] == "信贷员"
    )
    assert clerk["classification"] == "identity"


def test_a_unit_above_the_table_is_asked_about() -> None:
    draft = draft_contract(
        Sample((_loans(above="单位：万元", heading="贷款金额", cell="5"),)),
        "rural_revitalisation",
        "loans",
        loans(),
    )
    assert any("贷款金额 in ten thousand yuan" in question for question in draft.questions)


def test_two_columns_that_could_be_one_field_are_asked_about() -> None:
    sheet = _loans(above="", heading="贷款金额", cell="5000")
    wider = Sheet(
        "a.xlsx",
        None,
        tuple(row + (("合同金额",) if "借据号" in row else ("6000",)) for row in sheet.rows),
    )
    draft = draft_contract(Sample((wider,)), "rural_revitalisation", "loans", loans())
    assert any("would fit as well" in question for question in draft.questions)


def test_sheets_of_several_months_are_asked_about() -> None:
    one = _loans(above="", heading="贷款金额", cell="5000")
    sheets = tuple(Sheet("a.xlsx", name, one.rows) for name in ("2026年9月", "2026年10月"))
    draft = draft_contract(Sample(sheets), "rural_revitalisation", "loans", loans())
    assert any("look like months" in question for question in draft.questions)
    assert "    - 2026年10月\n" in draft.text, "the newest of them stands there"


def _draft(
    header: tuple[str, ...],
    *rows: tuple[str, ...],
    department: str = "rural_revitalisation",
    records: str = "loans",
) -> Draft:
    base = next(
        (c for c in every_contract() if (c.department, c.records) == (department, records)), None
    )
    return draft_contract(Sample((_sheet(header, *rows),)), department, records, base)


def _property(draft: Draft, column: str) -> dict[str, Any]:
    """The field that reads a column, its custom properties beside the others."""
    found = next(
        p
        for p in yaml.safe_load(draft.text)["schema"][0]["properties"]
        if p.get("physicalName") == column
    )
    return found | {
        entry["property"]: entry["value"] for entry in found.get("customProperties", ())
    }


@pytest.mark.parametrize(
    "key",
    ["6109210{:04d}", "S2026100{:04d}", "61092119700{:04d}", "JJ-138-0000-{:04d}", "石镇{:04d}号"],
)
def test_record_numbers_that_look_like_somebodys_are_asked_about(key: str) -> None:
    """A run would set every one of these rows aside: the draft says so, and how they can be
    read.
    """
    header = (
        "借据号",
        "借款人",
        "身份证号",
        "贷款金额",
        "贷款余额",
        "放款日期",
        "到期日期",
        "贷款状态",
    )
    rows = [
        (
            key.format(n),
            "王芳",
            "11010519491231002X",
            "5000",
            "0",
            "2026-01-05",
            "2027-01-05",
            "正常",
        )
        for n in range(9)
    ]
    draft = _draft(header, *rows)
    assert any("is it the office's own number?" in question for question in draft.questions)
    assert {"property": "published", "value": "pseudonym"} in yaml.safe_load(draft.text)[
        "customProperties"
    ]


def test_ends_of_the_calendar_stand_for_no_day() -> None:
    header = ("残疾人证号", "姓名", "残疾类别", "残疾等级", "发证日期", "有效期至", "证件状态")
    ends = ("99991231", "长期", "2031-03-05", "9999/12/31", "9999-12-31", "1900/1/0")
    rows = [
        ("11010519491231002X42", "王芳", "肢体", "二级", "2021-03-05", end, "正常")
        for end in ends * 2
    ]
    draft = _draft(header, *rows, department="disability_federation", records="certificates")
    assert set(_property(draft, "有效期至")["blanks"]) == {*ends} - {"2031-03-05"}


def test_words_that_repeat_in_numbers_and_days_are_asked_about_and_name_nobody() -> None:
    header = (
        "借据号",
        "借款人",
        "身份证号",
        "贷款金额",
        "贷款余额",
        "放款日期",
        "到期日期",
        "贷款状态",
    )
    words = ("核定中", "约五千", "5000", "5000", "5000")
    rows = [
        (
            f"JJ{n}",
            "王芳",
            "11010519491231002X",
            words[n % 5],
            "王芳" if n % 5 else "0",
            "不详" if n % 3 else "2026-01-05",
            "2027-01-05",
            "正常",
        )
        for n in range(20)
    ]
    asked = "\n".join(_draft(header, *rows).questions)
    assert "贷款金额 says '核定中' (4 rows), '约五千' (4 rows), no number" in asked
    assert "放款日期 says '不详' (13 rows), no day" in asked
    assert "王芳" not in asked


def test_what_a_program_writes_for_nothing_in_a_text_is_asked_about() -> None:
    header = ("结算单号", "姓名", "证件号码", "结算时间", "医疗类别", "原结算编号")
    rows = [
        (
            f"JS{n}",
            "王芳",
            "11010519491231002X",
            "2026-01-05 08:00",
            "住院",
            "NULL" if n % 2 else "-",
        )
        for n in range(6)
    ]
    draft = _draft(header, *rows, department="health_insurance", records="settlements")
    assert any(
        "原结算编号 says '-' (3 rows), 'NULL' (3 rows)" in question for question in draft.questions
    )
    assert _property(draft, "原结算编号")["blanks"] == ["-", "NULL"]


def test_a_word_with_one_known_word_in_it_is_offered_for_its_code() -> None:
    """Often there, it is how the office says it; once, it may be anything."""
    header = (
        "灾情编号",
        "灾害种类",
        "户主",
        "户主身份证号",
        "房屋受损程度",
        "直接经济损失（万元）",
        "受灾时间",
    )
    hazards = ("暴雨洪涝",) * 4 + ("火灾洪涝",) * 4 + ("其他待核",)
    rows = [
        ("ZQ1", word, "王芳", "11010519491231002X", "无", f"{n}.5", "2026-07-04")
        for n, word in enumerate(hazards)
    ]
    draft = _draft(header, *rows, department="emergency_management", records="losses")
    codes = {
        code["code"]: code.get("written", []) for code in _property(draft, "灾害种类")["codes"]
    }
    assert "暴雨洪涝" in codes["flood"]
    assert any(
        "says '暴雨洪涝' (4 rows): is it the hazard flood?" in question
        for question in draft.questions
    )
    assert not any(word in listed for listed in codes.values() for word in ("火灾洪涝", "其他待核"))


def test_a_new_record_type_has_units_months_and_dashes() -> None:
    header = (
        "序号",
        "姓名",
        "身份证号",
        "发放月份",
        "津贴标准（元/月）",
        "补发（元）",
        "首次享受时间",
        "停发时间",
    )
    rows = [
        (
            str(n),
            "王芳",
            "11010519491231002X",
            "2026年10月",
            "100",
            "-" if n % 2 else "50",
            f"2019.{n % 9 + 1}",
            "长期",
        )
        for n in range(1, 13)
    ]
    rows.append(
        ("13", "王芳", "11010519491231002X", "2026年10月", "100", "50", "2019.3", "2026年9月")
    )
    draft = _draft(header, *rows, department="civil_affairs", records="elderly_allowance")
    assert _property(draft, "津贴标准（元/月）")["physicalType"] == "decimal(16,2)"
    assert _property(draft, "补发（元）")["zero"] == ["-"]
    assert any("补发（元） says '-': is it 0" in question for question in draft.questions)
    assert _property(draft, "首次享受时间")["written"] == ["YYYY.M"]
    assert any("are they YYYY.M?" in question for question in draft.questions)
    assert _property(draft, "停发时间")["blanks"] == ["长期"]
    assert _property(draft, "发放月份")["primaryKeyPosition"] == 2


def test_bad_rows_of_a_sample_are_counted_under_the_draft_itself() -> None:
    """Days that the draft gives a form, dashes that it takes for 0: they are no bad rows, and
    nothing is loosened for them.
    """
    header = ("火化证编号", "姓名", "身份证号", "死亡日期")
    rows = [(f"HH{n}", "王芳", "11010519491231002X", f"{n + 1}/10/2026") for n in range(30)]
    draft = _draft(header, *rows, department="civil_affairs", records="deaths")
    assert not any("look bad" in question for question in draft.questions)


@pytest.mark.parametrize(
    ("cell", "written", "is_asked"),
    [("{}人", ["人"], False), ("{}", None, False), ("{}天", ["天"], True)],
)
def test_a_word_behind_numbers_is_written_down(
    cell: str, written: list[str] | None, is_asked: bool
) -> None:
    header = (
        "低保证号",
        "申请人",
        "申请人身份证号",
        "救助类别",
        "保障人数",
        "月保障金额（元）",
        "审批时间",
    )
    rows = [
        (
            f"SM{n}",
            "王芳",
            "11010519491231002X",
            "低保",
            cell.format(n % 4 + 1),
            "400",
            "2026-01-05",
        )
        for n in range(9)
    ]
    draft = _draft(header, *rows, department="civil_affairs", records="assistance")
    assert _property(draft, "保障人数").get("written") == written
    assert any("behind its numbers" in question for question in draft.questions) == is_asked


def test_headings_that_are_nearly_a_field_are_taken_and_asked_about() -> None:
    header = (
        "个人编号",
        "参保人员姓名",
        "身份证件号码",
        "参保年份",
        "参保险种",
        "参保状态",
        "缴费到账时间",
        "户籍地址",
    )
    rows = [
        (
            f"61090{n}",
            "王芳",
            "11010519491231002X",
            "2026年",
            "城乡居民",
            "正常参保",
            "2026-10-05",
            "石门镇月河村",
        )
        for n in range(9)
    ]
    draft = _draft(header, *rows, department="health_insurance", records="enrolments")
    assert (_property(draft, "参保年份")["name"], _property(draft, "参保年份")["written"]) == (
        "year",
        ["年"],
    )
    assert _property(draft, "缴费到账时间")["name"] == "paid_on"
    assert {"is '参保年份' really year?", "is '缴费到账时间' really paid_on?"} <= set(
        draft.questions
    )
    assert "户籍地址 (identity)" in draft.text


def test_somebody_elses_word_in_a_heading_keeps_only_peoples_columns_away() -> None:
    """A family doctor's contract is the patient's; the doctor's name and number are not."""
    header = (
        "档案编号",
        "医生姓名",
        "医生身份证号",
        "居民姓名",
        "居民身份证号",
        "病种",
        "家庭医生是否签约",
    )
    rows = [
        (f"DA{n}", "李明", "110101198001010037", "王芳", "11010519491231002X", "高血压", "是")
        for n in range(9)
    ]
    draft = _draft(header, *rows, department="health_commission", records="chronic_followups")
    assert _property(draft, "家庭医生是否签约")["name"] == "signed"
    assert [_property(draft, column)["name"] for column in ("居民姓名", "居民身份证号")] == [
        "name",
        "id_number",
    ]


def test_a_word_that_is_often_there_in_an_optional_day_stands_for_none_and_is_asked_about() -> None:
    header = (
        "项目编号",
        "房屋编号",
        "户主",
        "户主身份证号",
        "批准日期",
        "竣工日期",
        "补助金额（元）",
    )
    rows = [
        (
            f"WG{n}",
            f"FW{n}",
            "王芳",
            "11010519491231002X",
            "2026-03-05",
            ("缓建", "缓建", "2026-09-05", "在建")[n % 4],
            "20000",
        )
        for n in range(12)
    ]
    draft = _draft(header, *rows, department="housing", records="retrofits")
    assert _property(draft, "竣工日期")["blanks"] == ["在建", "缓建"]
    asked = [question for question in draft.questions if "stand for no day" in question]
    assert asked == ["竣工日期 says '缓建': does it stand for no day? else take it out of blanks"]


@pytest.mark.parametrize(
    ("files", "pattern"),
    [
        (["2026年10月死亡人员登记表.xlsx"], "{YYYY}年{M}月死亡人员登记表*"),
        (["20261120_农户（终稿）.xlsx"], "{YYYY}{MM}{DD}_农户*"),
        (["救助资金发放花名册（10月）.csv"], "救助资金发放花名册*"),
        (["救助名单26年10月.csv"], "救助名单*"),
        (["10月份低保名单.xls"], "*低保名单*"),
        (["2026年第三季度就业台账.xlsx"], "*就业台账*"),
        (["花名册（2026年11月）.xlsx"], "花名册（{YYYY}年{M}月*"),
        (["2026年10月青溪镇花名册.csv", "2026年10月石门镇花名册.csv"],
            "{YYYY}年{M}月{part}花名册*"),
        (["青溪镇花名册2026年10月.csv", "石门镇花名册2026年10月.csv"],
            "{part}花名册{YYYY}年{M}月*"),
        (["花名册_202610_青溪.csv", "花名册_202610_石门.csv"], "花名册_{YYYY}{MM}*"),
        (["石门镇.xlsx", "石泉镇.xlsx"], "石*"),
        (["青溪镇.xlsx", "石门镇.xlsx"], "*"),
    ],
    ids=str,
)  # fmt: skip
def test_the_next_months_file_is_called_by_the_pattern_and_another_list_is_not(
    files: list[str], pattern: str
) -> None:
    found, _, _ = files_pattern(files)
    assert found == pattern
    contract = replace(loans(), server={"files": found, "parts": len(files)})
    later = [
        name.replace("10月", "11月").replace("202610", "202611").replace("20261120", "20261220")
        for name in files
    ]
    parts = {said.part for name in later if (said := named(contract, name)) is not None}
    assert len(parts) == len(files)
    if pattern.startswith("{YYYY}年"):
        assert named(contract, "2026年11月低保对象名单.xlsx") is None


def test_a_required_code_that_is_often_empty_is_asked_about() -> None:
    header = ("户编号", "户主姓名", "户主证件号码", "行政区划代码", "户类型", "监测对象类别")
    rows = [
        (f"H{n:04}", "王芳", "11010519491231002X", "610921100201", "一般农户", said)
        for n, said in enumerate(["", "边缘易致贫户", "-", "脱贫不稳定户"] * 5)
    ]
    draft = _draft(header, *rows, department="rural_revitalisation", records="households")
    assert (
        "监测对象类别 is empty in 10 rows, and monitor_class is required: they are set aside; or"
        " what does an empty cell mean (then blank)?"
    ) in draft.questions
    assert not any("户类型 is empty" in question for question in draft.questions)


@pytest.mark.parametrize("is_own_number", [True, False])
def test_a_list_of_villages_is_drafted_as_one(is_own_number: bool, tmp_path: Path) -> None:
    header = ("序号", "村名", "行政区划代码", "是否通硬化路", "户数")
    rows = [
        (str(n), "某村", f"610921100{200 + (n if is_own_number else n // 2)}", "是", "300")
        for n in range(1, 13)
    ]
    draft = _draft(header, *rows, department="rural_revitalisation", records="villages")
    path = tmp_path / "villages.odcs.yaml"
    path.write_text(draft.text, encoding="utf-8")
    if is_own_number:
        contract = read_contract(path)
        assert contract.subject == "area"
        assert [f.name for f in contract.key_fields] == ["area_code"]
    assert _property(draft, "行政区划代码")["role"] == "area_code"
    assert any(q.startswith("is each row about a village or town") for q in draft.questions)


@pytest.mark.parametrize(
    ("written", "forms", "is_asked"),
    [
        ("2026年{}月", ["YYYY年M月"], False),
        ("2026-{:02}-01", ["YYYY年M月"], False),
        ("2026/{}/1", ["YYYY年M月"], False),
        ("2026-{:02}", ["YYYY-MM"], False),
        ("2026.{:02}", ["YYYY.M"], True),
        ("2026.{}", ["YYYY.M"], True),
        ("2026{:02}", None, False),
    ],
)
def test_months_are_read_however_they_are_written(
    written: str, forms: list[str] | None, is_asked: bool
) -> None:
    header = ("序号", "姓名", "身份证号码", "补贴类型", "补贴月份", "补贴金额（元）")
    rows = [
        (str(n), "王芳", "11010519491231002X", "护理补贴", written.format(7 + n % 4), "80")
        for n in range(24)
    ]
    draft = _draft(header, *rows, department="civil_affairs", records="disability_subsidies")
    said = _property(draft, "补贴月份")
    assert (said["name"], said.get("written")) == ("month", forms)
    assert any("补贴月份 has months such as" in q for q in draft.questions) == is_asked


def test_days_that_are_dotted_months_are_found_by_their_heading() -> None:
    header = ("房屋编号", "户主姓名", "户主身份证号", "鉴定等级", "登记时间", "鉴定时间")
    rows = [
        (f"FW{n:04}", "王芳", "11010519491231002X", "C级", "2026-05-03", f"2022.{1 + n % 12}")
        for n in range(12)
    ]
    draft = _draft(header, *rows, department="housing", records="dwellings")
    said = _property(draft, "鉴定时间")
    assert (said["name"], said["written"]) == ("appraised_on", ["YYYY.M"])


def test_people_in_a_column_that_leaves_as_it_stands_are_asked_about() -> None:
    header = ("房屋编号", "户主姓名", "户主身份证号", "鉴定等级", "鉴定日期", "房屋结构")
    rows = [
        (
            f"FW{n:04}",
            "王芳",
            "11010519491231002X",
            "C级",
            "2026-05-03",
            f"李{'伟明芳军霞超'[n % 6]}{'东南'[n % 2]}",
        )
        for n in range(12)
    ]
    draft = _draft(header, *rows, department="housing", records="dwellings")
    assert any(
        question.startswith("房屋结构 says who somebody is, and structure leaves as it stands")
        for question in draft.questions
    )
    assert "李伟" not in draft.text


def test_a_text_of_a_few_values_has_the_words_that_offices_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a visit found is one of a few words in the contract, and another in the office."""
    header = ("房屋编号", "户主姓名", "户主身份证号", "鉴定等级", "鉴定日期", "房屋结构")
    said = ("砖混结构", "土木结构", "窑洞")
    rows = [
        (f"FW{n:04}", "王芳", "11010519491231002X", "C级", "2026-05-03", said[n % 3])
        for n in range(12)
    ]
    words = office_words()
    listed = {"brick": ("砖混结构", "砖木"), "earth": ("土木结构",)}
    known = replace(words, codes={**words.codes, "dwellings.structure": listed})
    monkeypatch.setattr("expectations.drafting.known.office_words", lambda: known)
    draft = _draft(header, *rows, department="housing", records="dwellings")
    assert _property(draft, "房屋结构")["codes"] == [
        {"code": "brick", "written": ["砖混结构", "砖木"]},
        {"code": "earth", "written": ["土木结构"]},
    ]
    assert any(q.startswith("房屋结构 has 1 words that are no value") for q in draft.questions)


@pytest.mark.parametrize("records", ["loans", "cards"])
def test_columns_of_one_heading_are_named_and_not_read(records: str, tmp_path: Path) -> None:
    header = (
        "借据号",
        "借款人",
        "身份证号",
        "贷款金额",
        "备注",
        "贷款余额",
        "放款日期",
        "到期日期",
    )
    header += ("贷款状态", "联系电话", "联系电话", "备注")
    row = ("JJ{:04}", "王芳", "11010519491231002X", "5000", "x", "0", "2026-01-05", "2027-01-05")
    row += ("正常", "13800001111", "13900001111", "y")
    rows = [tuple(cell.format(n) for cell in row) for n in range(12)]
    draft = _draft(header, *rows, records=records)
    path = tmp_path / "drafted.odcs.yaml"
    path.write_text(draft.text, encoding="utf-8")
    delivered = {field.physical_name for field in read_contract(path).delivered}
    assert {"借据号", "身份证号", "贷款金额"} <= delivered
    assert not {"备注", "联系电话"} & delivered
    assert [q.partition(",")[0] for q in draft.questions if "stands over" in q] == [
        "备注 stands over 2 columns",
        "联系电话 stands over 2 columns",
    ]
    assert "联系电话 (identity)" in draft.text
