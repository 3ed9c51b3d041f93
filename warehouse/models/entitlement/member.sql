{#-
Active members as the lines of entitlement see them: certificate, subsidies, bills, enrolment; null
where it is not known.

table: entitlement_member
grain: member
key: member_id
optional: matched_education__student_aid
same day: crosscheck_active, enrolment_of_year, entitlement_household, entitlement_waiting,
    net_settlement, subsidy_payment, valid_certificate
asked: source_state
parameters: as_of, read, stale, support
-#}
{% from "entitlement/known.jinja" import held, sought %}
with certificate as (
    select member_id, max(level) filter (where is_latest) as level
    from valid_certificate
    group by member_id
),
paid as (
    select
        member_id,
        sum(amount) filter (where subsidy = 'living') as living,
        sum(amount) filter (where subsidy = 'nursing') as nursing
    from subsidy_payment
    group by member_id
),
bill as (
    select
        member_id,
        sum(personal_paid) as personal_paid,
        count(*) as bills,
        count(medical_aid_paid) as with_aid_known,
        count(*) filter (where medical_aid_paid > 0) as with_aid
    from net_settlement
    group by member_id
),
aided as (
    select
        member_id,
        count(*) filter (where term = '{{ support.asked_term }}') as of_term
    from matched_education__student_aid
    where outcome = 'linked' and (paid_on is null or paid_on <= {{ as_of }})
    group by member_id
),
enrolled as (
    select distinct member_id
    from enrolment_of_year
    where insures
)
select
    m.household_id,
    m.member_id,
    m.has_conflict,
    m.birth_on is not null as has_number,
    m.age,
    m.student_status,
    h.is_still_entitled,
    a.member_id is not null as had_student_aid,
    {{ held(
        "a.of_term > 0", "student_aid", "coalesce(w.student_aid, false)", read, stale
    ) }} as gets_student_aid,
    h.is_lifted,
    h.is_monitored,
    {{ sought("h.has_scheme", "assistance", "coalesce(w.assistance, false)", read) }}
        as is_assisted,
    {{ sought("h.has_dibao", "assistance", "coalesce(w.assistance, false)", read) }}
        as is_on_dibao,
    h.medical_threshold,
    c.level,
    {{ sought("c.member_id is not null", "certificates", "coalesce(w.certificates, false)", read) }}
        as has_certificate,
    {{ sought("c.level in ('1', '2')", "certificates", "coalesce(w.certificates, false)", read) }}
        as is_severe,
    {{ held(
        "p.living > 0", "disability_subsidies", "coalesce(w.disability_subsidies, false)", read,
        stale
    ) }} as gets_living,
    {{ held(
        "p.nursing > 0", "disability_subsidies", "coalesce(w.disability_subsidies, false)",
        read, stale
    ) }} as gets_nursing,
    coalesce(b.personal_paid, 0) as personal_paid,
    {{ sought(
        "b.personal_paid >= h.medical_threshold", "settlements",
        "coalesce(w.settlements, false)", read
    ) }} as pays_much,
    {{ held(
        "b.with_aid > 0", "settlements",
        "coalesce(w.settlements, false) or (b.bills > 0 and b.with_aid_known = 0)", read, stale
    ) }} as gets_medical_aid,
    {{ held(
        "e.member_id is not null", "enrolments", "coalesce(w.enrolments, false)", read, stale
    ) }} as is_insured
from crosscheck_active as m
inner join entitlement_household as h on h.household_id = m.household_id
left join entitlement_waiting as w on w.member_id = m.member_id
left join certificate as c on c.member_id = m.member_id
left join paid as p on p.member_id = m.member_id
left join bill as b on b.member_id = m.member_id
left join enrolled as e on e.member_id = m.member_id
left join aided as a on a.member_id = m.member_id
