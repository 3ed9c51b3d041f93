{#-
One household on one page: six lists, as JSON text. Incomes stand in their own order, other entries
in the order of their text. Nothing here is counted in days: a card changes only when its facts do.

table: household_card
kept: flags
publishes: household_card
grain: household
key: household_id
order: household_id
same day: active_member, any_member, chronic_followup, counted_loss, counted_retrofit,
    household, indicator_state, known_enrolment, matched_civil_affairs__assistance,
    matched_civil_affairs__temporary_aid, matched_emergency_management__losses,
    matched_health_commission__chronic_followups, matched_housing__dwellings,
    matched_rural_revitalisation__households, net_settlement, relief_in_force, scheme_in_force,
    serious_illness, subsidy_payment, valid_certificate
asked: source_state
parameters: as_of, incomes, is_enrolment_seen, lists, window_months, window_start
laid over: household_id
changes on: matched_civil_affairs__temporary_aid.paid_on at day,
    matched_civil_affairs__temporary_aid.paid_on at window,
    matched_housing__dwellings.appraised_on at day
-#}
{% from "following/json.jinja" import item, said, plain, day, entry %}
with entry as (
    select
        s.household_id,
        'benefits' as list,
        {{ entry([
            said("item", "s.scheme"), said("class", "a.class"),
            plain("yuan_a_month", "a.monthly_amount"), day("since", "a.started_on")
        ]) }} as entry
    from scheme_in_force as s
    inner join matched_civil_affairs__assistance as a on a.record_id = s.record_id
    union all
    select
        m.household_id,
        'benefits' as list,
        {{ entry([
            said("item", "concat('disability_', d.subsidy)"),
            said("member", "m.member_id"),
            said("month", "d.month"),
            plain("yuan", "sum(d.amount)")
        ]) }} as entry
    from subsidy_payment as d
    inner join active_member as m on m.member_id = d.member_id
    group by m.household_id, m.member_id, d.subsidy, d.month
    union all
    select
        m.household_id,
        'benefits' as list,
        {{ entry([
            item("temporary_aid"), said("type", "t.aid_type"), day("paid_on", "t.paid_on"),
            plain("yuan", "t.amount")
        ]) }} as entry
    from matched_civil_affairs__temporary_aid as t
    inner join any_member as m on m.member_id = t.member_id
    where t.outcome = 'linked' and t.paid_on > {{ window_start }} and t.paid_on <= {{ as_of }}
    union all
    select
        household_id,
        'benefits' as list,
        {{ entry([item("relief"), said("season", "season"), day("since", "listed_on")]) }} as entry
    from relief_in_force
    union all
    select
        household_id,
        'benefits' as list,
        {{ entry([
            item("measures"), plain("count", "measures_count"),
            day("last_visit_on", "last_visit_on")
        ]) }} as entry
    from matched_rural_revitalisation__households
    where measures_count > 0
    union all
    select
        household_id,
        'benefits' as list,
        {{ entry([item("microcredit"), said("state", "microcredit")]) }} as entry
    from matched_rural_revitalisation__households
    where microcredit <> '0'
    union all
    select
        household_id,
        'benefits' as list,
        {{ entry([item("pension"), said("member", "member_id")]) }} as entry
    from active_member
    where pension
    union all
    select
        household_id,
        'benefits' as list,
        {{ entry([item("public_post"), said("member", "member_id")]) }} as entry
    from active_member
    where public_post
    union all
    select household_id, 'medical' as list, {{ entry([
        item("paid_in_" ~ window_months ~ "_months"),
        said("member", "member_id"),
        plain("settlements", "count(*)"),
        plain("total", "sum(total_fee)"),
        plain("fund", "sum(fund_paid)"),
        plain("personal", "sum(personal_paid)"),
    ]) }} as entry
    from net_settlement
    group by household_id, member_id
    union all
    select
        household_id,
        'medical' as list,
        {{ entry([
            item("serious_illness"), said("member", "member_id"),
            day("diagnosed_on", "diagnosed_on")
        ]) }} as entry
    from serious_illness
    where is_treated
    union all
    select
        c.household_id,
        'medical' as list,
        {{ entry([
            said("item", "c.disease"),
            said("member", "c.member_id"),
            plain("signed", "c.signed"),
            day("last_followup_on", "f.last_followup_on")
        ]) }} as entry
    from chronic_followup as c
    inner join matched_health_commission__chronic_followups as f on f.record_id = c.record_id
    union all
    select
        household_id,
        'medical' as list,
        {{ entry([
            item("disability"), said("member", "member_id"), said("level", "level")
        ]) }} as entry
    from valid_certificate
    where is_latest
    union all
    select
        household_id,
        'medical' as list,
        {{ entry([item("not_insured"), said("member", "member_id")]) }} as entry
    from known_enrolment
    where not is_insured and {{ is_enrolment_seen }}
    union all
    select
        household_id,
        'schooling' as list,
        {{ entry([
            said("member", "member_id"), said("stage", "student_status"),
            plain("self_pay", "education_self_pay"), plain("dropout", "dropout")
        ]) }} as entry
    from active_member
    where student_status <> '0' or dropout
    union all
    select
        m.household_id,
        'housing' as list,
        {{ entry([
            item("dwelling"), said("grade", "d.grade"), day("appraised_on", "d.appraised_on"),
            plain("occupied", "d.occupied")
        ]) }} as entry
    from matched_housing__dwellings as d
    inner join any_member as m on m.member_id = d.member_id
    where d.outcome = 'linked' and d.appraised_on <= {{ as_of }}
    union all
    select
        household_id,
        'housing' as list,
        {{ entry([
            item("retrofit"), day("approved_on", "approved_on"), day("finished_on", "finished_on")
        ]) }} as entry
    from counted_retrofit
    union all
    select
        c.household_id,
        'housing' as list,
        {{ entry([
            item("damage"), said("grade", "c.house_damage"), day("occurred_on", "l.occurred_on")
        ]) }} as entry
    from counted_loss as c
    inner join matched_emergency_management__losses as l on l.record_id = c.record_id
    where c.is_unresolved and c.house_damage <> '0'
    union all
    select household_id, 'water' as list, {{ entry([plain("safe", "water_safe")]) }} as entry
    from matched_rural_revitalisation__households
    where water_safe is not null
),
earned as (
    select
        household_id,
        concat_ws(
            ',',
{% for name, column in incomes %}
            case
                when {{ column }} <> 0 then {{ entry([item(name), plain("yuan", column)]) }}
            end{{ "," if not loop.last }}
{% endfor %}
        ) as income
    from indicator_state
),
listed as (
    select
        household_id,
{% for list in lists if list != "income" %}
        array_to_string(
            list_sort(list(entry) filter (where list = '{{ list }}')), ','
        ) as {{ list }}{{ "," if not loop.last }}
{% endfor %}
    from entry
    group by household_id
)
select
    h.household_id,
    h.area_code,
    substr(h.area_code, 1, 9) as town_code,
    concat(
{% for list in lists %}
        '{{ "{" if loop.first else "," }}"{{ list }}":[',
        coalesce({{ "i" if list == "income" else "l" }}.{{ list }}, ''),
        ']',
{% endfor %}
        '}'
    ) as card
from household as h
left join earned as i on i.household_id = h.household_id
left join listed as l on l.household_id = h.household_id
