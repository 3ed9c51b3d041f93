-- The 72 indicators, score, lamp and reasons of every household of a day, written by hand as one
-- script for one state of the rules: no statuses but null, no states of sources, no held lamps, no
-- checks. Reads the matched record types by their names.
set variable d = date '{as_of}';
set variable y = date '{as_of}' - interval 12 month;

create temp table m as
select m.household_id, m.member_id, m.record_id, m.status = '1' and d.member_id is null as active,
    coalesce(d.in_year, false) as died,
    p.birth_on, date_diff('year', p.birth_on, getvariable('d'))
        - case
            when strftime(getvariable('d'), '%m%d') < strftime(p.birth_on, '%m%d') then 1
            else 0
        end as age,
    m.* exclude (household_id, member_id, record_id, status)
from members as m
join households as h using (household_id)
left join person as p on p.member_id = m.member_id
left join (
    select member_id, bool_or(died_on > getvariable('y')) as in_year
    from deaths where outcome = 'linked' and died_on <= getvariable('d') group by 1
) as d on d.member_id = m.member_id
where m.status in ('1', '3') and coalesce(p.status, '') <> '2';

create temp table net as
with recursive r as (
    select o.record_id as original, s.record_id, s.settled_at, s.total_fee, s.in_scope, s.fund_paid,
        s.personal_paid, s.critical_illness_paid
    from settlements as o
    join settlements as s on s.reverses_id = o.record_id
    where o.reverses_id is null
    union all
    select r.original, s.record_id, s.settled_at, s.total_fee, s.in_scope, s.fund_paid,
        s.personal_paid, s.critical_illness_paid
    from r join settlements as s on s.reverses_id = r.record_id
),
back as (
    select original, list(record_id) as ids, sum(total_fee) as total_fee, sum(in_scope) as in_scope,
        sum(fund_paid) as fund_paid,
        sum(personal_paid) as personal_paid, sum(critical_illness_paid) as critical
    from r where cast(settled_at as date) <= getvariable('d') group by 1
)
select m.household_id, s.member_id, s.medical_type, list_concat([s.record_id], b.ids) as ids,
    s.total_fee + coalesce(b.total_fee, 0) as total_fee,
    s.in_scope + coalesce(b.in_scope, 0) as in_scope,
    s.fund_paid + coalesce(b.fund_paid, 0) as fund_paid,
    s.personal_paid + coalesce(b.personal_paid, 0) as personal_paid,
    s.critical_illness_paid + coalesce(b.critical, 0) as critical
from settlements as s
join m on m.member_id = s.member_id
left join back as b on b.original = s.record_id
where s.outcome = 'linked' and s.reverses_id is null
    and cast(s.settled_at as date) > getvariable('y')
    and cast(s.settled_at as date) <= getvariable('d')
    and s.total_fee + coalesce(b.total_fee, 0) > 0 and (m.active or m.died);

create temp table scheme as
select m.household_id, list(distinct a.scheme) as schemes, list(a.record_id) as ids
from assistance as a join m on m.member_id = a.member_id
where a.outcome = 'linked' and a.started_on <= getvariable('d')
    and (a.ended_on is null or a.ended_on >= getvariable('d'))
group by 1;

create temp table certificate as
select m.household_id, c.member_id, c.record_id, c.level,
    row_number() over (
        partition by c.member_id order by c.issued_on desc, c.updated_at desc, c.record_id desc
    ) = 1 as latest
from certificates as c join m on m.member_id = c.member_id
where m.active and c.outcome = 'linked' and c.status = '1' and c.issued_on <= getvariable('d')
    and (c.expires_on is null or c.expires_on >= getvariable('d'));

create temp table retrofit as
select m.household_id, r.record_id, r.dwelling_id, r.approved_on,
    case when r.finished_on <= getvariable('d') then r.finished_on end as finished_on
from retrofits as r
left join dwellings as d on d.record_id = r.dwelling_id and d.outcome = 'linked'
join m on m.member_id = coalesce(d.member_id, case when r.outcome = 'linked' then r.member_id end)
where r.outcome <> 'ambiguous' and r.approved_on <= getvariable('d');

create temp table value as
with people as (
    select household_id, count(*) as b01, count(*) filter (resident_months >= 6) as b02,
        count(*) filter (labour_class in ('1', '2')) as b03,
        count(*) filter (labour_class = '3') as b04,
        count(*) filter (age >= 60) as b06, count(*) filter (age < 16) as b07,
        count(*) filter (student_status <> '0') as b08,
        count(*) filter (student_status in ('3', '4')) as b09, count(*) filter (dropout) as r18,
        max(education_self_pay) as r19,
        count(*) filter (worked_before) as before,
        count(*) filter (worked_before and not working_now) as lost,
        count(*) filter (working_now) as working,
        count(*) filter (working_now and work_months >= 6) as s01,
        count(*) filter (public_post) as s02, count(*) filter (labour_class = '2') as s03,
        count(*) filter (pension) as s14,
        list(record_id order by record_id) as ids
    from m where active group by 1
),
by_member as (
    select household_id, member_id, sum(personal_paid) as personal, sum(total_fee) as total,
        sum(fund_paid) as fund, sum(critical) as critical,
        sum(greatest(in_scope - fund_paid, 0)) as self_pay,
        count(*) filter (medical_type = '21') as inpatient, flatten(list(ids)) as ids
    from net group by 1, 2
),
medical as (
    select household_id, max(personal) as r04, sum(personal) as personal, sum(total) as total,
        sum(fund) as fund, sum(critical) as critical,
        sum(self_pay) as self_pay, sum(inpatient) as r09, flatten(list(ids)) as ids,
        max_by(ids, personal) as most_ids
    from by_member group by 1
),
insured as (
    select member_id, list(record_id) as ids from enrolments
    where outcome = 'linked' and status = '1' and year = year(getvariable('d')) group by 1
),
insurance as (
    select m.household_id, count(*) filter (i.member_id is null) as r06, flatten(list(i.ids)) as ids
    from m
    left join insured as i on i.member_id = m.member_id
    where m.active and m.birth_on is not null
    group by 1
),
ill as (
    select m.household_id, count(distinct m.member_id) as r07, list(s.record_id) as ids
    from serious_illnesses as s join m on m.member_id = s.member_id
    where m.active and s.outcome = 'linked' and s.status = '1'
        and s.diagnosed_on <= getvariable('d')
    group by 1
),
chronic as (
    select m.household_id, count(*) as rows, count(*) filter (f.signed) as signed,
        list(f.record_id) as ids,
        count(distinct m.member_id) filter (
            not f.signed or f.last_followup_on is null
                or getvariable('d') - f.last_followup_on > 100
        ) as r08,
        count(distinct m.member_id) filter (f.disease = 'severe_mental') as r10
    from chronic_followups as f
    join m on m.member_id = f.member_id
    where m.active and f.outcome = 'linked'
    group by 1
),
disabled as (
    select household_id, count(distinct member_id) as r12,
        count(distinct member_id) filter (latest and level in ('1', '2')) as r11,
        list(record_id) as ids
    from certificate group by 1
),
entitled as (
    select household_id, member_id, 'nursing' as subsidy
    from certificate
    where latest and level in ('1', '2')
    union all
    select distinct household_id, member_id, 'living'
    from certificate
    join scheme using (household_id)
    where list_contains(schemes, 'dibao')
),
paid as (
    select member_id, subsidy, sum(amount) as amount from disability_subsidies
    where outcome = 'linked'
        and month in (
            select strftime(getvariable('d') - to_months(n), '%Y%m') from range(3) as t(n)
        )
    group by 1, 2
),
subsidy as (
    select household_id, count(distinct member_id) filter (coalesce(amount, 0) <= 0) as r13,
        count(*) as entitled
    from entitled left join paid using (member_id, subsidy) group by 1
),
finished as (select dwelling_id, max(finished_on) as finished_on from retrofit group by 1),
dwelling as (
    select m.household_id, max(d.grade) as r14,
        bool_and(
            d.grade in ('A', 'B') and d.appraised_on >= getvariable('d') - interval 60 month
        ) as s12,
        list(d.record_id) as ids
    from dwellings as d
    join m on m.member_id = d.member_id
    left join finished as f on f.dwelling_id = d.record_id
    where d.outcome = 'linked' and d.occupied and d.appraised_on <= getvariable('d')
        and (f.finished_on is null or f.finished_on < d.appraised_on)
    group by 1
),
project as (
    select household_id,
        count(*) filter (finished_on is null and getvariable('d') - approved_on > 180) as r15,
        bool_or(finished_on is not null) as finished, list(record_id) as ids
    from retrofit group by 1
),
loss as (
    select m.household_id,
        max(l.house_damage) filter (
            l.resolved_on is null or l.resolved_on >= getvariable('d')
        ) as r16,
        sum(l.loss_yuan) filter (l.occurred_on > getvariable('y')) as loss, list(l.record_id) as ids
    from losses as l
    join m on m.member_id = l.member_id
    where l.outcome = 'linked' and l.occurred_on <= getvariable('d')
    group by 1
),
hurt as (
    select m.household_id, count(distinct m.member_id) as r25, list(c.record_id) as ids
    from casualties as c join m on m.member_id = c.member_id
    where c.outcome = 'linked' and c.occurred_on > getvariable('y')
        and c.occurred_on <= getvariable('d')
    group by 1
),
listed as (
    select m.household_id, list(r.record_id) as ids
    from relief as r
    join m on m.member_id = r.member_id
    where r.outcome = 'linked' and r.listed_on <= getvariable('d')
        and (r.ended_on is null or r.ended_on >= getvariable('d'))
    group by 1
),
breadwinner as (
    select household_id, count(*) as r29 from m where died and labour_class in ('1', '2') group by 1
),
report as (
    select m.household_id, max(getvariable('d') - cast(r.reported_at as date)) as r30,
        list(r.record_id) as ids
    from reports as r join m on m.member_id = r.member_id
    where m.active and r.outcome = 'linked' and r.status = 'open'
        and cast(r.reported_at as date) <= getvariable('d')
    group by 1
),
house as (
    select *, coalesce(business_income, 0) - coalesce(business_expense, 0) as b16,
        wage_income + coalesce(business_income, 0) - coalesce(business_expense, 0)
            + coalesce(property_income, 0) + transfer_income as b19
    from households
),
ratios as (
    select h.household_id, h.area_code, p.b01, p.b02, p.b03, p.b04, h.b19, h.b16,
        h.household_type as b10,
        case when h.monitor_cleared then '0' else h.monitor_class end as b11, h.relocated as b12,
        h.farmland_mu as b13, h.forest_mu as b14,
        h.wage_income as b15, coalesce(h.property_income, 0) as b17, h.transfer_income as b18,
        coalesce(h.claims_income, 0) as b22,
        round((p.b01 - (p.b03 + 0.5 * p.b04)) / nullif(p.b03 + 0.5 * p.b04, 0), 4) as b05, p.b06,
        p.b07, p.b08, p.b09,
        round(h.b19 / p.b01, 2) as b20, coalesce(e.self_pay, 0) as b21,
        round((h.b19 + coalesce(h.claims_income, 0) - coalesce(e.self_pay, 0)) / p.b01, 2) as b23,
        case
            when h.previous_net_income > 0
                then greatest(0, round(1 - h.b19 / h.previous_net_income, 4))
        end as r02,
        case when h.b19 > 0 then round(h.transfer_income / h.b19, 4) end as r03,
        coalesce(e.r04, 0) as r04,
        case
            when household_type in ('2', '3') or b11 <> '0' or s.household_id is not null then 10000
            else 26000
        end as t,
        case
            when h.b19 > 0 then round(coalesce(e.personal, 0) / h.b19, 4)
            when h.b19 <= 0 then (coalesce(e.personal, 0) > 0)::int
        end as r05,
        coalesce(i.r06, 0) as r06, coalesce(l.r07, 0) as r07, coalesce(c.r08, 0) as r08,
        coalesce(e.r09, 0) as r09, coalesce(c.r10, 0) as r10,
        coalesce(d.r11, 0) as r11, coalesce(d.r12, 0) as r12, coalesce(u.r13, 0) as r13, w.r14,
        coalesce(j.r15, 0) as r15,
        coalesce(o.r16, '0') as r16, not h.water_safe as r17, p.r18, p.r19,
        p.b03 + p.b04 = 0 as r20,
        case when p.before > 0 then round(p.lost / p.before, 4) end as r21,
        p.working = 1 and h.b19 > 0 and h.wage_income >= 0.8 * h.b19 as r22,
        h.previous_business_net,
        case
            when h.b19 > 0 then round(coalesce(o.loss, 0) / h.b19, 4)
            when h.b19 <= 0 then (o.loss > 0)::int
        end as r24,
        coalesce(x.r25, 0) as r25, k.household_id is not null as r26,
        coalesce(list_has_any(s.schemes, ['edge', 'rigid']), false) as r27,
        b20 < 5600 and not coalesce(list_has_any(s.schemes, ['dibao', 'tekun']), false) as r28,
        coalesce(b.r29, 0) as r29, g.r30,
        p.s01, p.s02, p.s03,
        case when h.b19 > 0 then (b15 > 0.1 * h.b19)::int + (h.b16 > 0.1 * h.b19)::int
            + (b17 > 0.1 * h.b19)::int + (b18 > 0.1 * h.b19)::int end as s04,
        coalesce(list_has_any(s.schemes, ['dibao', 'tekun']), false) as s06,
        round(e.fund / nullif(e.total, 0), 4) as s07, i.r06 = 0 as s08,
        coalesce(e.critical, 0) as s09, u.entitled is not null and coalesce(u.r13, 0) = 0 as s10,
        round(c.signed / nullif(c.rows, 0), 4) as s11,
        w.s12, coalesce(j.finished, false) or h.relocated as s13, p.s14,
        case
            when coalesce(e.self_pay, 0) > 0
                then round(coalesce(h.claims_income, 0) / e.self_pay, 4)
        end as s15,
        h.microcredit = '1' as s16,
        h.cooperative_link as s17, h.measures_count as s18,
        case
            when h.last_visit_on <= getvariable('d') then getvariable('d') - h.last_visit_on
        end as visited,
        [h.record_id] as house_ids, p.ids as people_ids, e.ids as paid_ids, e.most_ids,
        i.ids as insured_ids, l.ids as ill_ids, c.ids as chronic_ids,
        d.ids as disabled_ids, w.ids as dwelling_ids, j.ids as project_ids, o.ids as loss_ids,
        x.ids as hurt_ids, k.ids as relief_ids,
        s.ids as scheme_ids, g.ids as report_ids
    from house as h
    left join people as p using (household_id)
    left join medical as e using (household_id)
    left join insurance as i using (household_id)
    left join ill as l using (household_id)
    left join chronic as c using (household_id)
    left join disabled as d using (household_id)
    left join subsidy as u using (household_id)
    left join dwelling as w using (household_id)
    left join project as j using (household_id)
    left join loss as o using (household_id)
    left join hurt as x using (household_id)
    left join listed as k using (household_id)
    left join breadwinner as b using (household_id)
    left join report as g using (household_id)
    left join scheme as s using (household_id)
)
select *, round(b23 / 8800, 4) as r01, round(b23 / 8800, 4) as s05 from ratios;

create temp table given as
select household_id, r.*
from (
    select household_id, unnest(list_filter([
        {{'code': 'R01', 'domain': 'income',
            'points': case when r01 < 0.8 then 20 when r01 < 1 then 16 when r01 < 1.2 then 6 end,
            'value': r01::varchar, 'hard': false}},
        {{'code': 'R02', 'domain': 'income',
            'points': case when r02 >= 0.5 then 12 when r02 >= 0.3 then 6 end,
            'value': r02::varchar, 'hard': false}},
        {{'code': 'R03', 'domain': 'income', 'points': case when r03 >= 0.7 then 4 end,
            'value': r03::varchar, 'hard': false}},
        {{'code': 'R04', 'domain': 'medical',
            'points': case
                when r04 >= 2 * t then 22
                when r04 >= t then 16
                when r04 >= 0.5 * t then 7
            end,
            'value': r04::varchar, 'hard': false}},
        {{'code': 'R05', 'domain': 'medical',
            'points': case when r05 >= 0.4 then 8 when r05 >= 0.2 then 4 end, 'value': r05::varchar,
            'hard': false}},
        {{'code': 'R06', 'domain': 'medical',
            'points': case when r06 = 1 then 5 when r06 >= 2 then 8 end, 'value': r06::varchar,
            'hard': false}},
        {{'code': 'R07', 'domain': 'medical',
            'points': case when r07 = 1 then 8 when r07 >= 2 then 10 end, 'value': r07::varchar,
            'hard': false}},
        {{'code': 'R08', 'domain': 'medical', 'points': case when r08 >= 1 then 2 end,
            'value': r08::varchar, 'hard': false}},
        {{'code': 'R09', 'domain': 'medical', 'points': case when r09 >= 4 then 3 end,
            'value': r09::varchar, 'hard': false}},
        {{'code': 'R10', 'domain': 'medical', 'points': case when r10 >= 1 then 4 end,
            'value': r10::varchar, 'hard': false}},
        {{'code': 'R11', 'domain': 'disability',
            'points': case when r11 = 1 then 6 when r11 >= 2 then 9 end, 'value': r11::varchar,
            'hard': false}},
        {{'code': 'R12', 'domain': 'disability', 'points': case when r12 >= 2 then 4 end,
            'value': r12::varchar, 'hard': false}},
        {{'code': 'R13', 'domain': 'disability', 'points': case when r13 >= 1 then 3 end,
            'value': r13::varchar, 'hard': false}},
        {{'code': 'R14', 'domain': 'housing',
            'points': case when r14 = 'D' then 24 when r14 = 'C' then 20 end, 'value': r14,
            'hard': true}},
        {{'code': 'R15', 'domain': 'housing', 'points': case when r15 >= 1 then 5 end,
            'value': r15::varchar, 'hard': false}},
        {{'code': 'R16', 'domain': 'housing',
            'points': case when r16 in ('2', '3') then 24 when r16 = '1' then 10 end, 'value': r16,
            'hard': r16 in ('2', '3')}},
        {{'code': 'R17', 'domain': 'housing', 'points': case when r17 then 20 end,
            'value': r17::varchar, 'hard': true}},
        {{'code': 'R18', 'domain': 'education', 'points': case when r18 >= 1 then 20 end,
            'value': r18::varchar, 'hard': true}},
        {{'code': 'R19', 'domain': 'education',
            'points': case when r19 > 10000 then 6 when b09 >= 2 then 5 end, 'value': r19::varchar,
            'hard': false}},
        {{'code': 'R20', 'domain': 'employment', 'points': case when r20 then 8 end,
            'value': r20::varchar, 'hard': false}},
        {{'code': 'R21', 'domain': 'employment',
            'points': case when r21 = 1 then 8 when r21 > 0 then 4 end, 'value': r21::varchar,
            'hard': false}},
        {{'code': 'R22', 'domain': 'employment', 'points': case when r22 then 4 end,
            'value': r22::varchar, 'hard': false}},
        {{'code': 'R23', 'domain': 'employment',
            'points': case
                when b16 < 0 or (previous_business_net > 0 and b16 <= 0.5 * previous_business_net)
                    then 5
            end,
            'value': b16::varchar, 'hard': false}},
        {{'code': 'R24', 'domain': 'disaster',
            'points': case when r24 >= 0.5 then 10 when r24 >= 0.2 then 5 end,
            'value': r24::varchar, 'hard': false}},
        {{'code': 'R25', 'domain': 'disaster', 'points': case when r25 >= 1 then 12 end,
            'value': r25::varchar, 'hard': false}},
        {{'code': 'R26', 'domain': 'disaster', 'points': case when r26 then 4 end,
            'value': r26::varchar, 'hard': false}},
        {{'code': 'R27', 'domain': 'assistance', 'points': case when r27 then 6 end,
            'value': r27::varchar, 'hard': false}},
        {{'code': 'R28', 'domain': 'assistance', 'points': case when r28 then 6 end,
            'value': r28::varchar, 'hard': false}},
        {{'code': 'R29', 'domain': 'assistance', 'points': case when r29 >= 1 then 12 end,
            'value': r29::varchar, 'hard': false}},
        {{'code': 'R30', 'domain': 'assistance',
            'points': case when r30 > 15 then 8 when r30 >= 0 then 4 end, 'value': r30::varchar,
            'hard': false}},
        {{'code': 'S01', 'domain': null,
            'points': case when s01 = 1 then 2 when s01 >= 2 then 4 end, 'value': s01::varchar,
            'hard': false}},
        {{'code': 'S02', 'domain': null,
            'points': case when s02 = 1 then 1 when s02 >= 2 then 2 end, 'value': s02::varchar,
            'hard': false}},
        {{'code': 'S03', 'domain': null, 'points': case when s03 >= 1 then 1 end,
            'value': s03::varchar, 'hard': false}},
        {{'code': 'S04', 'domain': null, 'points': case when s04 >= 3 then 2 end,
            'value': s04::varchar, 'hard': false}},
        {{'code': 'S05', 'domain': null,
            'points': case when s05 >= 2 then 4 when s05 >= 1.5 then 2 end, 'value': s05::varchar,
            'hard': false}},
        {{'code': 'S06', 'domain': null, 'points': case when s06 then 2 end, 'value': s06::varchar,
            'hard': false}},
        {{'code': 'S07', 'domain': null, 'points': case when s07 >= 0.8 then 2 end,
            'value': s07::varchar, 'hard': false}},
        {{'code': 'S08', 'domain': null, 'points': case when s08 then 1 end, 'value': s08::varchar,
            'hard': false}},
        {{'code': 'S09', 'domain': null, 'points': case when s09 > 0 then 1 end,
            'value': s09::varchar, 'hard': false}},
        {{'code': 'S10', 'domain': null, 'points': case when s10 then 1 end, 'value': s10::varchar,
            'hard': false}},
        {{'code': 'S11', 'domain': null, 'points': case when s11 = 1 then 1 end,
            'value': s11::varchar, 'hard': false}},
        {{'code': 'S12', 'domain': null, 'points': case when s12 then 1 end, 'value': s12::varchar,
            'hard': false}},
        {{'code': 'S13', 'domain': null, 'points': case when s13 then 1 end, 'value': s13::varchar,
            'hard': false}},
        {{'code': 'S14', 'domain': null, 'points': case when s14 >= 1 then 1 end,
            'value': s14::varchar, 'hard': false}},
        {{'code': 'S15', 'domain': null, 'points': case when s15 >= 0.5 then 2 end,
            'value': s15::varchar, 'hard': false}},
        {{'code': 'S16', 'domain': null, 'points': case when s16 then 1 end, 'value': s16::varchar,
            'hard': false}},
        {{'code': 'S17', 'domain': null, 'points': case when s17 then 1 end, 'value': s17::varchar,
            'hard': false}},
        {{'code': 'S18', 'domain': null,
            'points': case when s18 >= 2 and visited <= 30 then 2 when s18 >= 1 then 1 end,
            'value': s18::varchar, 'hard': false}}
    ], lambda r: r.points is not null)) as r
    from value where b01 > 0
);

create temp table point as
select g.household_id, v.area_code, g.code, g.domain, g.points, g.value, g.hard,
    list_slice(list_sort(case
        when code in (
            'R01', 'R02', 'R03', 'R17', 'R23', 'R28', 'S04', 'S05', 'S15', 'S16', 'S17', 'S18'
        ) then house_ids
        when code in ('R04') then most_ids
        when code in ('R05', 'R09', 'S07', 'S09') then paid_ids
        when code in ('R06', 'R18', 'R19', 'R20', 'R21', 'R22', 'R29', 'S01', 'S02', 'S03', 'S14')
            then people_ids
        when code in ('R07') then ill_ids
        when code in ('R08', 'R10', 'S11') then chronic_ids
        when code in ('R11', 'R12', 'R13', 'S10') then disabled_ids
        when code in ('R14', 'S12') then dwelling_ids
        when code in ('R15', 'S13') then project_ids
        when code in ('R16', 'R24') then loss_ids
        when code in ('R25') then hurt_ids
        when code in ('R26') then relief_ids
        when code in ('R27', 'S06') then scheme_ids
        when code in ('R30') then report_ids
        when code in ('S08') then insured_ids
    end), 1, 20) as evidence
from given as g join value as v using (household_id);

create temp table score as
with cap(domain, cap) as (
    values ('income', 26), ('medical', 28), ('disability', 12), ('housing', 24), ('education', 20),
        ('employment', 14), ('disaster', 20), ('assistance', 16)
),
risk as (
    select household_id, domain, least(cap, sum(points)) as points
    from point
    join cap using (domain)
    group by household_id, domain, cap
),
raw as (select household_id, sum(points) as raw from risk group by 1),
good as (
    select household_id, sum(points) filter (domain is null) as good, bool_or(hard) as hard
    from point
    group by 1
),
named as (
    select household_id, list(code order by points desc, code)[1:3] as reasons
    from point
    where domain is not null
    group by 1
)
select v.household_id, v.area_code, coalesce(r.raw, 0) as raw_points, n.reasons,
    least(10, coalesce(g.good, 0), (coalesce(r.raw, 0) * 0.25)::decimal(6,2)) as offset_points,
    greatest(
        least(100, coalesce(r.raw, 0) - offset_points), case when g.hard then 31 else 0 end
    )::decimal(6,2) as score,
    case
        when v.b01 is null then 'none'
        when score > 30 then 'red'
        when score > 15 then 'yellow'
        else 'green'
    end as level
from value as v
left join raw as r using (household_id)
left join good as g using (household_id)
left join named as n using (household_id);

copy (select * from score order by household_id) to '{out}/warning_flag.parquet' (compression zstd);
copy (
    select * exclude (hard) from point order by household_id, code
) to '{out}/warning_reason.parquet' (compression zstd);
copy (
    select * exclude (house_ids, people_ids, paid_ids, most_ids, insured_ids, ill_ids, chronic_ids,
        disabled_ids, dwelling_ids, project_ids, loss_ids, hurt_ids, relief_ids, scheme_ids,
        report_ids)
    from value
    order by household_id
) to '{out}/household_indicator.parquet' (compression zstd);
copy (
    select m.member_id, m.household_id, m.relation, m.student_status, m.labour_class, m.status,
        p.name_masked, p.birth_on, h.area_code
    from members as m
    left join person as p using (member_id)
    left join households as h on h.household_id = m.household_id
    order by m.member_id
) to '{out}/household_member.parquet' (compression zstd);
copy (
    select h.household_id, h.area_code, h.household_type, h.monitor_class, h.relocated, v.b01,
        t.name_masked
    from households as h left join value as v using (household_id)
    left join (
        select household_id, any_value(name_masked) as name_masked
        from members
        join person using (household_id, member_id)
        where relation = '01'
        group by 1
    ) as t using (household_id)
    order by h.household_id
) to '{out}/household.parquet' (compression zstd);
