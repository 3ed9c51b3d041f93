"""A small published county, made in the engine: every view has rows, and every audit holds."""

from __future__ import annotations

from expectations.engine import SqlEngine
from warehouse.catalogue import DOMAINS, load_indicators
from warehouse.schema import VIEW

TOWNS = ("610921100", "610921101", "610921102", "610921103")
PLACE = "area_code, town_code"


def _indicators() -> str:
    made = []
    for place, indicator in enumerate(load_indicators()):
        value = {
            "boolean": f"(n + {place}) % 3 = 0",
            "integer": f"((n + {place}) % 7)::integer",
            "varchar": f"((n + {place}) % 4)::varchar",
        }.get(indicator.sql_type, f"((n * 37 + {place}) % 90000 / 100.0)::{indicator.sql_type}")
        made.append(f"{value} as {indicator.column}")
    return ", ".join(made)


def make_county(
    engine: SqlEngine, households: int, day: int = 0, changed: str = "false"
) -> dict[str, str]:
    """Makes engine tables named like the views, and returns what `publish` takes.

    `changed`: a condition on the household's number `n`; where it holds, the household is as `day`
    makes it.
    """
    towns = ", ".join(f"'{town}'" for town in TOWNS)
    engine.table(
        "seed",
        f"""
        select n, 'H' || lpad(n::varchar, 9, '0') as household_id,
            [{towns}][1 + n % {len(TOWNS)}] as town_code,
          [{towns}][1 + n % {len(TOWNS)}] || lpad((1 + n % 12)::varchar, 3, '0') as area_code,
          case when {changed} then {day} else 0 end as v
        from range({households}) as t(n)
        """,
    )
    engine.table(
        "household",
        f"""
        select household_id, '徐*' as head_name_masked, (1 + n % 3)::varchar as household_type,
            (n % 4)::varchar as monitor_class,
          n % 10 = 0 as relocated, 3::integer as member_count, '村' || (n % 12) as village_name,
          '镇' || (n % 4) as town_name,
          false as has_conflict, false as is_shell, {PLACE} from seed
        """,
    )
    engine.table(
        "household_member",
        f"""
        select household_id || '-' || m as member_id, household_id, '李*' as name_masked,
            lpad(m::varchar, 2, '0') as relation,
          '16-59' as age_band, '0' as student_status, '1' as labour_class, '1' as status,
          'established' as identity_state, {PLACE}
        from seed, range(1, 4) as t(m)
        """,
    )
    engine.table(
        "household_indicator",
        f"""
        select household_id, {_indicators()}, (0.5 + v % 5 / 10.0)::decimal(5,4) as coverage,
            ['R26', 'R29'] as missing,
          case when v > 0 then ['R04'] else []::varchar[] end as stale,
          []::varchar[] as not_applicable, {PLACE} from seed
        """,
    )
    engine.table(
        "warning_reason",
        f"""
        select household_id, code, points, '1' as value, '>= 1' as threshold,
            'health_insurance' as department, 'settlements' as records,
          ['S' || n || code] as evidence, date '2026-11-01' as evidence_on,
          'rules1' as rule_version, {PLACE}
        from seed, (values ('R04', 16), ('R05', 8), ('R07', 8), ('S08', -1), ('R30', 4),
            ('offset', 1)) as t(code, base),
          lateral (select case when n % 50 = 0 or base < 0 or code = 'offset' then base
              else base / 8.0 end as share),
          lateral (select (share + case when code = 'R05' then v else 0 end)::decimal(6,2)
              as points)
        """,
    )
    engine.table(
        "warning_flag",
        f"""
        with summed as (select household_id, sum(points) as score from warning_reason
            group by household_id)
        select s.household_id,
          case when score > 30 then 'red' when score > 15 then 'yellow' else 'green' end as level,
          score::decimal(6,2) as score,
          score::decimal(6,2) as raw_points, 0::decimal(6,2) as offset_points, false as is_hard,
          false as is_held,
          ['R04', 'R05', 'R07'] as reasons, 0.9::decimal(5,4) as coverage,
          case when score > 30 then date '2026-11-01' end as red_since,
          'rules1' as rule_version, {PLACE}
        from seed as s join summed using (household_id)
        """,
    )
    engine.table(
        "source_status",
        """
        select 'health_insurance' as department, r as records, r || '-20261119-01' as batch_id,
            date '2026-11-19' as extract_date,
          0::integer as age_days, 'ok' as state, 10 as received, 10 as accepted, 0 as unchanged,
          0 as superseded, 0 as withdrawn,
          0 as quarantined, 100 as in_force, 99 as linked, 1 as unregistered, 0 as ambiguous,
          0 as unidentifiable,
          0.99::decimal(7,6) as match_rate, null::decimal(7,6) as false_link_rate
        from (values ('settlements'), ('enrolments')) as t(r)
        """,
    )
    names = (
        "household",
        "household_member",
        "household_indicator",
        "warning_flag",
        "warning_reason",
        "source_status",
    )
    return {name: name for name in names if name in VIEW or name == "source_status"}


def make_followers(engine: SqlEngine) -> dict[str, str]:
    """What follows from `make_county`: changes, lists, tasks, cases, ledgers, cards."""
    engine.table(
        "flag_change",
        f"""
        select household_id, 'yellow' as from_level, level as to_level,
            20::decimal(6,2) as from_score, score as to_score,
          ['R04'] as added, []::varchar[] as removed, {PLACE} from warning_flag where level = 'red'
        """,
    )
    engine.table(
        "verify_item",
        f"""
        select household_id, d as department, c as code, '1' as value, date '2026-11-19' as since,
            {PLACE}
        from household, (values ('housing', 'R14'), ('health_insurance', 'R04')) as t(d, c)
            where household_id like '%5'
        """,
    )
    engine.table(
        "follow_up_task",
        f"""
        select household_id || '-R04' as task_id, household_id, 'illness' as need,
            'health_insurance' as department, '核实医疗费用' as task,
          'R04' as code, date '2026-10-01' as opened_on, date '2026-10-31' as due_on,
          null::date as closed_on, {PLACE}
        from warning_flag where level = 'red'
        """,
    )
    engine.table(
        "case_progress",
        f"""
        select 'C' || household_id as case_id, household_id, '3' as monitor_class,
            ['illness'] as risk_types, 2::integer as stage,
          12::integer as days_in_stage, true as is_overdue, date '2026-11-01' as discovered_on,
          date '2026-11-07' as verified_on,
          {
            ", ".join(
                f"null::date as {stage}_on"
                for stage in ("compared", "reviewed", "approved", "recorded", "assisted", "cleared")
            )
        }, 'visit' as channel, score > 50 as green_channel, 'RP' || household_id as report_id,
          date '2026-11-01' as authorised_on, date '2026-11-12' as posted_until,
          false as objection, null::date as rejected_on, null::varchar as clearance, {PLACE}
        from warning_flag where level = 'red'
        """,
    )
    domains = ", ".join(f"count(*) // 10 as {domain}" for domain in DOMAINS)
    areas = " union all ".join(
        f"""
        select substr(area_code, 1, {length}) as area_code, '{level}' as area_level,
            substr(area_code, 1, {length}) as area_name,
          count(*) as households, 3 * count(*) as persons, count(*) filter (level = 'red') as red,
          count(*) filter (level = 'yellow') as yellow,
          count(*) filter (level = 'green') as green, 0 as held, 0 as newly_red, 0 as no_longer_red,
          {domains},
          count(*) // 5 as monitored_households, count(*) // 2 as monitored_persons,
          0 as cleared_households, 0 as cleared_persons
        from warning_flag group by 1
        """
        for length, level in ((6, "county"), (9, "town"), (12, "village"))
    )
    engine.table("area_ledger", areas)
    engine.table(
        "bulletin",
        """
        select area_code, 'red_rate' as measure, red as numerator, households as denominator,
            (red / households)::decimal(5,4) as rate,
          rank() over (partition by area_level order by red / households) as rank from area_ledger
              where area_level <> 'village'
        """,
    )
    engine.table(
        "household_card",
        f"""
        select household_id,
            '{{"income": [{{"what": "wage", "yuan": 100}}], "benefits": [], "medical": [], \
"schooling": [], "housing": [],
          "water": []}}' as card, {PLACE} from household
        """,
    )
    names = (
        "flag_change",
        "verify_item",
        "follow_up_task",
        "case_progress",
        "area_ledger",
        "bulletin",
        "household_card",
    )
    return {name: name for name in names} | make_support(engine) | make_questions(engine)


def make_support(engine: SqlEngine) -> dict[str, str]:
    """Who helps `make_county`, with what, and whom; call it last."""
    day, red = "date '2026-11-19'", "from warning_flag where level = 'red'"
    homes = {
        "responsibility": f"""
            select household_id,
                'G' || (row_number() over (order by household_id) % 7) as officer_id,
                'helper' as duty, date '2025-01-01' as since, date '2026-11-10' as last_visit_on,
                date '2026-11-17' as next_visit_due_on, {PLACE} {red}""",
        "measure_gap": f"""
            select household_id, 'no_measure' as gap, {day} as since, {PLACE} {red}""",
        "support_received": f"""
            select household_id, 'dibao' as scheme, score * 100 as amount_12_months,
                null::decimal(16,2) as awarded_12_months, 12 as payments, {day} as last_paid_on,
                {PLACE} {red}""",
        "zero_employment": f"""
            select household_id, 2 as able_members, false as is_relocated, {day} as since,
                {PLACE} {red}""",
        "special_group": f"""
            select household_id, 'ill' as group_code, 1 as members, {PLACE} {red}""",
        "relapse": f"""
            select household_id, date '2026-01-01' as cleared_on, red_since as red_on, 304 as days,
                {PLACE} {red}""",
        "watch": f"""
            select household_id, date '2026-09-01' as cleared_on, date '2027-03-01' as until,
                {PLACE} {red}""",
    }
    area = "case when length(area_code) >= 9 then substr(area_code, 1, 9) end as town_code"
    areas = {
        "responsibility_gap": f"""
            select area_code, {area}, households, households - red as without_helper,
                least(red, 7) as officers, 0 as officers_above_limit from area_ledger""",
        "visit_coverage": f"""
            select area_code, {area}, '2026-W47' as period, kind, households,
                households // 2 as visited, red // 2 as found
            from area_ledger, (values ('all'), ('routine')) as t(kind)""",
        "medical_ledger": f"""
            select area_code, {area}, population, red as persons, red as inpatient_times,
                {", ".join(f"red * 10 as {name}" for name in SUMS)}, 0.5 as in_scope_rate
            from area_ledger, (values ('everybody'), ('ill')) as t(population)""",
        "asset_ledger": f"""
            select area_code, {area}, category, 2 as assets, 1000 as original_value,
                0 as without_owner, 1 as transfer_overdue, 0 as idle, 10 as annual_income,
                8 as distributed, red as households
            from area_ledger, (values ('all'), ('operating')) as t(category)""",
    }
    for name, select in (homes | areas).items():
        engine.table(name, select)
    return {name: name for name in homes | areas}


def make_asked(engine: SqlEngine) -> dict[str, str]:
    """What departments ask about the red households of `make_county`."""
    day, red = "date '2026-11-19'", "from warning_flag where level = 'red'"
    number = "row_number() over (order by household_id)"
    homes = {
        "contradiction": f"""
            select substr(md5(household_id), 1, 16) as contradiction_id, household_id,
                null as member_id, 'X57' as code, 'civil_affairs' as owner,
                'housing' as other, ['AS' || household_id] as record_ids,
                ['FW' || household_id] as other_record_ids, {day} as since, 'open' as state,
                ['civil_affairs.assistance|AS' || household_id,
                    'housing.dwellings|FW' || household_id] as evidence,
                {PLACE} from warning_flag""",
        "issue_ledger": f"""
            select 'IS' || {number} as issue_id, {PLACE}, household_id, 'audit' as source,
                'protection' as theme, 'civil_affairs' as owner, date '2026-09-01' as found_on,
                date '2026-10-01' as due_on, 'notified' as step, 'talked' as next_step,
                date '2026-10-09' as next_step_on, true as is_overdue,
                null::boolean as still_stands {red}""",
        "entitlement": f"""
            select household_id, household_id || '|dibao|' as entitlement_id, null as member_id,
                'dibao' as scheme, 'gap' as state, 'awarded' as gap_at, {day} as since,
                '依据待核' as basis, 'B20=1.00; standard=5600.00' as facts,
                'civil_affairs' as department, {PLACE} {red}""",
        "known_gap": f"""
            select household_id, 'dwellings' as records, '每户应有住房安全鉴定记录' as reason,
                'housing' as department, {PLACE} {red}""",
    }
    for name, select in homes.items():
        engine.table(name, select)
    return {name: name for name in homes}


def make_questions(engine: SqlEngine) -> dict[str, str]:
    """The same, and what is counted of it by area; call it last."""
    area = "case when length(area_code) >= 9 then substr(area_code, 1, 9) end as town_code"
    areas = {
        "contradiction_accuracy": f"""
            select area_code, {area}, 'X57' as code, red as listed, red // 2 as checked,
                red // 3 as confirmed, 0.5 as precision, 0.3 as precision_low,
                0.7 as precision_high, false as is_resting
            from area_ledger where length(area_code) < 12""",
        "issue_summary": f"""
            select area_code, {area}, 'civil_affairs' as owner, 'protection' as theme,
                'audit' as source, '2026-W36' as week, red as open, red as overdue, 0 as mended,
                0 as proved, 0 as still_standing from area_ledger where red > 0""",
        "entitlement_edge": f"""
            select area_code, {area}, scheme, yellow as households
            from area_ledger, (values ('dibao'), ('edge'), ('line')) as t(scheme)""",
        "known_gap_share": f"""
            select area_code, {area}, 'dwellings' as records, households as due,
                households - red as there, 0.9 as share from area_ledger""",
    }
    for name, select in areas.items():
        engine.table(name, select)
    return {name: name for name in areas} | make_asked(engine)


SUMS = (
    *("total_fee", "in_scope", "pooled_paid", "critical_illness_paid", "medical_aid_paid"),
    *("personal_paid", "fund_paid", "inpatient_fund_paid", "inpatient_in_scope"),
)
