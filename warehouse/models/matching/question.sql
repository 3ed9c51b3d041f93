-- The records to ask a steward about: ambiguous ones, and those with a proposal. A question is its record and what the
-- department delivered, so a corrected record is a new question, and an answered one is never asked again.
select
    v.{{ record_key }} as record_key,
    {{ record_id }} as record_id,
    a.pair_id,
    a.outcome,
    a.reason,
    a.number_hash,
    {{ ids.pseudonym("'queue|" ~ records ~ "|' || v." ~ record_key ~ " || '|' || a.pair") }} as queue_id
from {{ valid }} as v
left join spine_number as s on s.number = v.{{ number }}
inner join pair_answer as a on a.pair = {{ pair }}
where not {{ at_once }} and (a.outcome = 'ambiguous' or (a.outcome <> 'linked' and a.proposal_count > 0))
