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
from open_record as v
inner join pair_answer as a on a.raw_number = v.raw_number and a.raw_name = v.raw_name
where a.outcome = 'ambiguous' or (a.outcome <> 'linked' and a.proposal_count > 0)
