"""One lamp in plain words, English and Chinese, and how it came about day by day.

Belongs here: wording. Not here: the points themselves (`scoring`), where past days lie (the lake).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from expectations.contract import contract_for
from expectations.engine import SqlEngine
from warehouse.catalogue import indicators_by_code

LEVELS = {"red": "红灯", "yellow": "黄灯", "green": "绿灯", "none": "无灯（无在册人口）"}
DOMAIN_NAMES = {
    "income": "收入",
    "medical": "医疗",
    "disability": "残疾",
    "housing": "住房饮水",
    "education": "教育",
    "employment": "就业产业",
    "disaster": "灾害",
    "assistance": "救助",
}
UNITS = {
    "yuan": "yuan 元",
    "persons": "persons 人",
    "times": "times 次",
    "days": "days 天",
    "projects": "projects 项",
    "measures": "measures 项",
}
GRADES = {
    ("R14", "C"): "C, in part dangerous 局部危险",
    ("R14", "D"): "D, wholly dangerous 整幢危险",
    ("R16", "1"): "1, minor 一般损坏",
    ("R16", "2"): "2, severe 严重损坏",
    ("R16", "3"): "3, collapsed 倒塌",
}
COMPARED = {
    ">=": "at least 不低于",
    "<=": "at most 不高于",
    ">": "more than 高于",
    "<": "below 低于",
    "=": "is 为",
}
INPUTS = {
    "value": "it 该值",
    "B09": "B09 noncompulsory student count 非义务教育在校生",
    "previous_business_net": "the business net income before 上期经营净收入",
    "days_since_visit": "days since the last visit 距上次走访天数",
}
"""What a condition of the rules may name, in words."""
ENQUIRY = "A lamp starts an enquiry; it is never a finding. 亮灯只是核查的起点，不是结论。"


@dataclass(frozen=True)
class Reason:
    """A row of `warning_reason`."""

    code: str
    points: Decimal
    value: str | None
    threshold: str | None
    department: str | None
    records: str | None
    evidence: tuple[str, ...]
    evidence_on: date | None


@dataclass(frozen=True)
class Lamp:
    """A household's row of `warning_flag` on a day, with its reasons: largest points first."""

    household_id: str
    as_of: date
    level: str
    score: Decimal
    raw_points: Decimal
    offset_points: Decimal
    is_hard: bool
    is_held: bool
    coverage: Decimal
    red_since: date | None
    rule_version: str
    reasons: tuple[Reason, ...]


def read_lamp(
    engine: SqlEngine,
    household_id: str,
    as_of: date,
    flags: str = "warning_flag",
    reasons: str = "warning_reason",
) -> Lamp | None:
    """The lamp of a household in the engine's tables `flags` and `reasons`,
    which hold the day `as_of`; None without one.
    """
    found = engine.rows(
        "select level, score, raw_points, offset_points, is_hard, is_held, coverage, red_since,"
        f" rule_version from {flags} where household_id = ?",
        [household_id],
    )
    if not found:
        return None
    rows = engine.rows(
        "select code, points, value, threshold, department, records, evidence, evidence_on from"
        f" {reasons} where household_id = ? order by points desc, code",
        [household_id],
    )
    told = tuple(
        Reason(code, points, value, text, dep, rec, tuple(ids or ()), on)
        for code, points, value, text, dep, rec, ids, on in rows
    )
    level, score, raw_points, offset_points, is_hard, is_held, coverage, red_since, rule_version = (
        found[0]
    )
    return Lamp(
        household_id,
        as_of,
        level,
        score,
        raw_points,
        offset_points,
        is_hard,
        is_held,
        coverage,
        red_since,
        rule_version,
        told,
    )


def _name(code: str) -> str:
    indicator = indicators_by_code().get(code)
    if indicator is not None:
        return f"{code} {indicator.name.replace('_', ' ')} {indicator.chinese}"
    if code.startswith("cap:"):
        domain = code.removeprefix("cap:")
        return f"cap of {domain} {DOMAIN_NAMES[domain]}封顶"
    return {
        "offset": "limit on the offset 抵减上限",
        "floor": "floor of a hard rule 硬规则下限",
        "limit": "limit of the score 总分上限",
    }[code]


def _value(code: str, value: str | None) -> str:
    if value in ("true", "false"):
        return "yes 是" if value == "true" else "no 否"
    unit = UNITS.get(indicators_by_code()[code].unit)
    return GRADES.get((code, value or "")) or (f"{value} {unit}" if unit else str(value))


def _condition(code: str, threshold: str) -> str:
    """`>= 2 * T (T = 10000.00)` in words: at least 不低于 2 × T (T = 10000.00)."""
    told, bracket, note = threshold.partition(" (")
    words: list[str] = []
    for part in told.split(" and "):
        tokens = [
            COMPARED.get(token) or INPUTS.get(token) or {"*": "×"}.get(token, token)
            for token in part.split()
        ]
        if part.startswith("= ") and tokens[-1] not in ("true", "false"):
            tokens[-1] = GRADES.get((code, tokens[-1]), tokens[-1])
        words.append(" ".join(tokens).replace("true", "yes 是").replace("false", "no 否"))
    return " and 且 ".join(words) + bracket + note


def _reason_lines(reason: Reason) -> list[str]:
    first = f"  {reason.points:>+8.2f}  {_name(reason.code)}"
    if reason.department is None or reason.records is None:
        limit = (
            (reason.threshold or "")
            .replace("at most", "at most 不高于")
            .replace("at least", "at least 不低于")
        )
        return [f"{first}: {reason.value} points 分, {limit}"]
    evidence = ", ".join(reason.evidence) or "no record: what counts is that none is there 无记录"
    when = f"; the newest came on 最新到达 {reason.evidence_on}" if reason.evidence_on else ""
    contract = contract_for(reason.records)
    source = (
        f"            from 来源 {reason.department} {reason.records}"
        f" {contract.department_name}{contract.name}: {evidence}{when}"
    )
    rule = _condition(reason.code, reason.threshold or "")
    return [f"{first}: {_value(reason.code, reason.value)}; the rule 规则: {rule}", source]


def _head(lamp: Lamp) -> list[str]:
    english = f"Household {lamp.household_id} on {lamp.as_of}: {lamp.level}, score {lamp.score}"
    chinese = f"户 {lamp.household_id}，{lamp.as_of}：{LEVELS[lamp.level]}，{lamp.score} 分"
    if lamp.red_since is not None:
        english += f", red since {lamp.red_since}"
        chinese += f"，自 {lamp.red_since} 起为红灯"
    lines = [f"{english}.", f"{chinese}。"]
    if lamp.is_held:
        lines += [
            (
                "Held at red: what made it red is missing or stale today, so the lower score does"
                " not clear it."
            ),
            "保持红灯：致红数据今日缺失或过期，分数下降不解除红灯。",
        ]
    if lamp.is_hard:
        lines.append(
            "A hard rule fired: the score is at least the floor. 触发硬规则，分数不低于下限。"
        )
    lines.append(
        f"Rules 规则 {lamp.rule_version}; "
        f"{lamp.coverage:.0%} of the indicators are known 指标覆盖率."
    )
    return lines


def explain(lamp: Lamp, known_from: date | None = None) -> str:
    """The lamp in plain words: level, score, every point with its value, rule and records,
    and the sum; and that the county was not whole, where its day is before `known_from`.
    """
    lines = _head(lamp)
    if known_from is not None and lamp.as_of < known_from:
        lines += [
            (
                f"Incomplete: the base register was first read for {known_from}, so that half of"
                " what stood on this day may be lacking; the day is published nowhere."
            ),
            f"数据不完整：基础台账自 {known_from} 起才有读取，当日数据可能缺失，不予发布。",
        ]
    if not lamp.reasons:
        lines += ["", "No indicator gave or took points. 没有指标加分或减分。"]
    parts = (
        ("Gives points 加分", [r for r in lamp.reasons if r.department and r.points > 0]),
        ("Takes points 减分", [r for r in lamp.reasons if r.department and r.points < 0]),
        ("Limits 封顶与限额", [r for r in lamp.reasons if not r.department]),
    )
    for title, reasons in parts:
        if reasons:
            lines += [
                "",
                f"{title}:",
                *(line for reason in reasons for line in _reason_lines(reason)),
            ]
    total = sum((r.points for r in lamp.reasons), Decimal(0))
    lines += ["", f"  {total:>8.2f}   sum 合计", "", ENQUIRY]
    return "\n".join(lines)


def _change(before: Lamp | None, lamp: Lamp, layouts: Mapping[date, str]) -> str:
    points = {r.code: r.points for r in lamp.reasons}
    old = {r.code: r.points for r in before.reasons} if before else {}
    came = [f"+{code} ({points[code]:+.2f})" for code in sorted(points) if code not in old]
    went = [f"-{code} (was {old[code]:+.2f})" for code in sorted(old) if code not in points]
    moved = [
        f"{code} {old[code]:+.2f} -> {points[code]:+.2f}"
        for code in sorted(points)
        if code in old and old[code] != points[code]
    ]
    rules = (
        [f"rules {lamp.rule_version}"]
        if before and before.rule_version != lamp.rule_version
        else []
    )
    layout = (
        [f"layout {layouts[lamp.as_of]}"]
        if before and layouts.get(before.as_of) != layouts.get(lamp.as_of)
        else []
    )
    held = ["held 保持"] if lamp.is_held else []
    return "; ".join([*held, *came, *went, *moved, *rules, *layout]) or "no change 无变化"


def recomputed(stored: Lamp, again: Lamp | None) -> str:
    """Whether a lamp that was computed anew from the lake is the one that was stored."""
    if again == stored:
        return f"Recomputed from the lake 由数据湖重算 {stored.as_of}: the same 一致."
    score = "no lamp 无灯" if again is None else f"{again.level} {again.score}"
    return (
        f"Recomputed from the lake 由数据湖重算 {stored.as_of}: {score}, but {stored.level}"
        f" {stored.score} was stored 不一致."
    )


def not_recomputed(why: str) -> str:
    """Why a lamp was not computed anew."""
    return f"Not recomputed 不重算: {why}."


def history(
    lamps: Sequence[Lamp], layouts: Mapping[date, str], known_from: date | None = None
) -> str:
    """How the lamp came about: a line a day, oldest first; the points that came, went, changed.

    `layouts`: the one that each day was made in; where it changes, the line says so. Days before
    `known_from` are compared with nothing.
    """
    lines = ["Day by day 逐日变化:"]
    before: Lamp | None = None
    for lamp in sorted(lamps, key=lambda x: x.as_of):
        if known_from is not None and lamp.as_of < known_from:
            lines.append(f"  {lamp.as_of}  incomplete, compared with nothing 不完整，不作比较")
            continue
        lines.append(
            f"  {lamp.as_of}  {lamp.level:<6} {LEVELS[lamp.level][:2]} {lamp.score:>6} "
            f" {_change(before, lamp, layouts)}"
        )
        before = lamp
    return "\n".join(lines)
