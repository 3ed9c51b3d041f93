"""What each record type of a made province says: shares, amounts and dates, as SQL over the people
of a county.

Belongs here: the fields beside a record's key, its number and its name, and of whom it is. Not
here: making people, errors in numbers and names, writing (`bench.province`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

IN_TWO = 500
"""One member in so many is in the next county's register too."""

Made = tuple[Mapping[str, str], str]


def drawn(salt: str, of: str = "i") -> str:
    """A number between 0 and 1 that is a function of the row and of what it is drawn for."""
    return f"((hash({of}, '{salt}', county) % 1000003) / 1000003.0)"


def day_before(back: str, as_of: date) -> str:
    return f"(date '{as_of}' - cast({back} as integer))"


def _households(as_of: date) -> Made:
    kind = drawn("type")
    poor = f"(is_hard and {drawn('poor')} < 0.30)"
    return {
        "household_id": "household_id",
        "area_code": "county || lpad(cast(100 + hash(h, county) % 12 as varchar), 3, '0') ||"
            " lpad(cast(200 + hash(h, county, 1) % 14 as varchar), 3, '0')",
        "household_type": f"case when {kind} < 0.75 then '1' when {kind} < 0.95 then '2'"
            " else '3' end",
        "monitor_class": f"case when not is_hard then '0' when {kind} < 0.3 then '0'"
            f" when {kind} < 0.6 then '2' else '3' end",
        "monitor_cleared": f"{drawn('cleared')} < 0.7",
        "relocated": f"{drawn('moved')} < 0.06",
        "farmland_mu": f"{drawn('land')} * 12",
        "forest_mu": f"{drawn('wood')} * 20",
        "water_safe": f"{drawn('water')} > 0.0004",
        "wage_income": f"case when {poor} then 3000 * size * {drawn('wage')}"
            f" when {drawn('job')} < 0.25 then 0 else 15000 * size * (0.6 + {drawn('wage')}) end",
        "business_income": f"case when {poor} then 2500 * size * {drawn('trade')}"
            f" else 12000 * size * {drawn('trade')} end",
        "business_expense": f"1500 * size * {drawn('cost')}",
        "property_income": f"case when {drawn('rent')} < 0.1 then 2000 * {drawn('rents')}"
            " else 0 end",
        "transfer_income": f"2400 * size * {drawn('transfer')} + case when {drawn('job')} < 0.25"
            " then 6000 * size else 0 end",
        "claims_income": "0",
        "previous_net_income": f"size * 26000 * (0.4 + {drawn('before')} * 0.5)",
        "previous_business_net": f"9000 * size * {drawn('trade')}",
        "microcredit": f"case when {drawn('credit')} < 0.1 then '1' else '0' end",
        "cooperative_link": f"{drawn('coop')} < 0.22",
        "measures_count": f"case when is_hard then 2 when {kind} > 0.9 then 1 else 0 end",
        "last_visit_on": day_before(f"10 + {drawn('visit')} * 60", as_of),
    }, "select *, h * 6 + 1 as i from person_drawn where place = 1"  # fmt: skip


def _members(as_of: date) -> Made:
    adult = "age between 18 and 64"
    source = f"select * from person_drawn union all select * from next_drawn where i % {IN_TWO} = 7"
    return {
        "member_id": f"case when i % {IN_TWO} = 7 and not starts_with(member_id, 'M' || county)"
            " then 'X' || county || member_id else member_id end",
        "household_id": "case when starts_with(member_id, 'M' || county) then household_id"
            " else 'H' || county || lpad(cast(h as varchar), 7, '0') end",
        "id_number": f"case when age < 1 and {drawn('newborn')} < 0.3 then '999999' ||"
            " substr(id_number, 7) else id_number end",
        "name": "name",
        "relation": "case place when 1 then '01' when 2 then '02' when 5 then '04'"
            " when 6 then '05' else '03' end",
        "resident_months": f"cast(12 * {drawn('stay')} as integer)",
        "student_status": "case when age < 3 then '0' when age < 6 then '1' when age < 15 then '2'"
            " when age < 18 then '3' else '0' end",
        "dropout": f"age between 6 and 15 and {drawn('dropout')} < 0.0003",
        "labour_class": f"case when age < 16 then '5' when age > 75 then '4' when age > 65"
            f" then '3' when {drawn('labour')} < 0.12 then '2' "
        f"when {drawn('labour')} > 0.97 then '4' else '1' end",
        "work_months": f"case when {adult} then cast(12 * {drawn('work')} as integer) else 0 end",
        "working_now": f"{adult} and {drawn('working')} < case when is_hard then 0.35"
            " else 0.72 end",
        "worked_before": f"{adult} and {drawn('working')} < 0.735",
        "public_post": f"{adult} and {drawn('post')} < 0.015",
        "pension": "age >= 60",
        "education_self_pay": f"case when age between 16 and 22 then 9000 * {drawn('school')}"
            " else 0 end",
        "status": f"case when {drawn('status')} < 0.006 then '2' when {drawn('status')} < 0.014"
            " then '3' else '1' end",
    }, source  # fmt: skip


def _enrolments(as_of: date) -> Made:
    return {
        "year": str(as_of.year),
        "insurance_type": "'390'",
        "status": f"case when {drawn('insured')} < 0.01 then '2' else '1' end",
        "paid_on": day_before("200", as_of),
    }, f"select * from reached where {drawn('enrolled')} < 0.975"  # fmt: skip


def _settlements(as_of: date) -> Made:
    total = (
        f"(case when inpatient then 3000 + 12000 * {drawn('fee', 'r')} + case when is_hard then"
        f" 40000 * pow({drawn('dear', 'r')}, 3) else 0 end else 60 + 400 * {drawn('fee', 'r')} end)"
    )
    source = f"""
        select *, hash(i, n) as r, n, {drawn("ward", "hash(i, n)")} < 0.16 as inpatient, n = 4
            and i % 40 = 0 as is_reversal
        from (select * from reached where {drawn("ill")} <
            case when is_hard then 0.45 else 0.12 end),
            unnest(range(1, 2 + cast(hash(i, county) % 4 as integer))) as t(n)"""
    own = "'SET' || county || lpad(cast(i as varchar), 8, '0') || cast(n as varchar)"
    sign = "(case when is_reversal then -1 else 1 end)"
    fee = f"cast({total} as decimal(16,2))"
    return {
        "settlement_id": own,
        "settled_at": f"cast({day_before(drawn('when', 'r') + ' * 420', as_of)} as timestamp) +"
            " interval 9 hour",
        "medical_type": "case when inpatient then '21' else '11' end",
        "total_fee": f"{sign} * {fee}",
        "in_scope": f"{sign} * 0.9 * {fee}",
        "full_self_pay": f"{sign} * 0.1 * {fee}",
        "over_limit_self_pay": "0",
        "prior_self_pay": "0",
        "fund_paid": f"{sign} * 0.62 * {fee}",
        "pooled_paid": f"{sign} * 0.55 * {fee}",
        "critical_illness_paid": f"case when {fee} > 30000 then {sign} * 0.07 * {fee} else 0 end",
        "medical_aid_paid": "0",
        "personal_paid": f"{sign} * 0.38 * {fee}",
        "hospital_borne": "0",
        "reverses_id": "case when is_reversal then 'SET' || county || lpad(cast(i as varchar), 8,"
            " '0') || '3' end",
    }, source  # fmt: skip


def _some(
    share: float, hard: float, fields: Mapping[str, str], of: str = "reached", salt: str = "some"
) -> Made:
    return (
        fields,
        f"select * from {of} where {drawn(salt)} < case when is_hard then {hard} else {share} end",
    )


def _certificates(as_of: date) -> Made:
    level = (
        f"case when {drawn('level')} < 0.10 then '1' when {drawn('level')} < 0.28 then '2' when"
        f" {drawn('level')} < 0.62 then '3' else '4' end"
    )
    return _some(0.025, 0.12, {
        "certificate_no": f"id_number || cast(1 + hash(i) % 7 as varchar) || {level}",
        "category": "cast(1 + hash(i) % 7 as varchar)",
        "level": level,
        "issued_on": day_before(f"100 + {drawn('issued')} * 2500", as_of),
        "status": "'1'",
    }, salt="disabled")  # fmt: skip


def _assistance(as_of: date) -> Made:
    scheme = drawn("scheme")
    return _some(0.006, 0.25, {
        "scheme": f"case when {scheme} < 0.74 then 'dibao' when {scheme} < 0.76 then 'tekun'"
            f" when {scheme} < 0.90 then 'edge' else 'rigid' end",
        "class": "'B'",
        "insured_persons": "size",
        "monthly_amount": "300 * size",
        "started_on": day_before("400", as_of),
    }, "(select * from reached where place = 1)", "assisted")  # fmt: skip


def _subsidies(as_of: date) -> Made:
    _, source = _certificates(as_of)
    months = ", ".join(
        f"'{as_of.year}{month:02}'" for month in range(max(1, as_of.month - 2), as_of.month + 1)
    )
    return {
        "payment_id": "'SUB' || county || lpad(cast(i as varchar), 8, '0') || month",
        "subsidy": "'nursing'",
        "month": "month",
        "amount": "120",
    }, (
        f"select *, month from ({source} and {drawn('level')} < 0.275),"
        f" unnest([{months}]) as t(month)"
    )  # fmt: skip


def _dwellings(as_of: date) -> Made:
    grade = drawn("grade", "h")
    return {
        "dwelling_id": "'DWE' || county || lpad(cast(h as varchar), 8, '0')",
        "structure": "'brick'",
        "grade": f"case when {grade} < 0.0012 then 'D' when {grade} < 0.0040 then 'C'"
            f" when {grade} < 0.45 then 'B' else 'A' end",
        "appraised_on": day_before(f"200 + {drawn('appraised')} * 1500", as_of),
        "occupied": "true",
    }, "select * from reached where place = 1"  # fmt: skip


def _retrofits(as_of: date) -> Made:
    return {
        "dwelling_id": "'DWE' || county || lpad(cast(h as varchar), 8, '0')",
        "approved_on": day_before(f"100 + {drawn('approved')} * 900", as_of),
        "finished_on": f"case when {drawn('finished')} < 0.95 then {day_before('50', as_of)} end",
        "subsidy_amount": "20000",
    }, f"select * from reached where place <= 2 and {drawn('retrofit')} < 0.015"  # fmt: skip


def _losses(as_of: date) -> Made:
    damage = drawn("damage")
    return _some(0.03, 0.12, {
        "event_id": "'E1'",
        "hazard": "'flood'",
        "house_damage": f"case when {damage} < 0.03 then '3' when {damage} < 0.08 then '2'"
            f" when {damage} < 0.25 then '1' else '0' end",
        "loss_amount": f"0.2 + 2 * pow({drawn('lost')}, 3)",
        "occurred_on": day_before(f"{drawn('flood')} * 500", as_of),
        "resolved_on": f"case when {drawn('mended')} < 0.9 then date '{as_of}' - 5 end",
    }, "(select * from reached where place = 1)", "flooded")  # fmt: skip


def _casualties(as_of: date) -> Made:
    return _some(
        0.0003,
        0.003,
        {"outcome": "'serious_injury'", "occurred_on": day_before(f"{drawn('hurt')} * 500", as_of)},
        salt="casualty",
    )


def _relief(as_of: date) -> Made:
    fields = {"season": "'2026-winter-spring'", "listed_on": day_before("20", as_of)}
    return _some(0.001, 0.06, fields, "(select * from reached where place = 1)", "relief")


def _illnesses(as_of: date) -> Made:
    return _some(0.003, 0.055, {
        "disease_code": "'I63'",
        "diagnosed_on": day_before(f"{drawn('diagnosed')} * 900", as_of),
        "status": "'1'",
    }, salt="serious")  # fmt: skip


def _chronic(as_of: date) -> Made:
    return {
        "disease": f"case when {drawn('disease')} < 0.7 then 'hypertension'"
            f" when {drawn('disease')} < 0.97 then 'diabetes_2' else 'severe_mental' end",
        "signed": f"{drawn('signed')} < 0.93",
        "last_followup_on": day_before(f"{drawn('seen')} * 108", as_of),
    }, f"select * from reached where age > 45 and {drawn('chronic')} < 0.28"  # fmt: skip


def _deaths(as_of: date) -> Made:
    return {
        "died_on": day_before(f"{drawn('died')} * 900", as_of)
    }, f"select * from reached where {drawn('status')} between 0.0065 and 0.014"


def _temporary(as_of: date) -> Made:
    return _some(
        0.004,
        0.08,
        {
            "aid_type": "'illness'",
            "amount": "1500",
            "paid_on": day_before(f"{drawn('aid')} * 500", as_of),
        },
        salt="aid",
    )


def _reports(as_of: date) -> Made:
    return _some(0.004, 0.06, {
        "channel": "'form'",
        "reported_at": f"cast({day_before(drawn('told') + ' * 400', as_of)} as timestamp)",
        "difficulty": "'illness'",
        "status": f"case when {drawn('told')} < 0.06 then 'open' else 'closed' end",
    }, salt="report")  # fmt: skip


def _cases(as_of: date) -> Made:
    steps = ("verified", "compared", "reviewed", "approved", "recorded", "assisted", "cleared")
    return {
        "household_id": "household_id",
        "monitor_class": "'2'",
        "risk_types": "'illness,job'",
        "stage": f"case when {drawn('stage')} < 0.6 then 8 else 7 end",
        "discovered_on": day_before("300", as_of),
        **{f"{step}_on": day_before(str(298 - 2 * place), as_of)
            for place, step in enumerate(steps)},
    }, (
        f"select *, h as i from household_drawn where is_hard and {drawn('case', 'h')} < 0.6"
    )  # fmt: skip


RECORDS = {
    "households": _households,
    "members": _members,
    "enrolments": _enrolments,
    "settlements": _settlements,
    "certificates": _certificates,
    "assistance": _assistance,
    "temporary_aid": _temporary,
    "disability_subsidies": _subsidies,
    "deaths": _deaths,
    "dwellings": _dwellings,
    "retrofits": _retrofits,
    "losses": _losses,
    "casualties": _casualties,
    "relief": _relief,
    "serious_illnesses": _illnesses,
    "chronic_followups": _chronic,
    "reports": _reports,
    "cases": _cases,
}
"""What each record type says, beside its key, its number and its name, and of whom."""
