select p.number, p.month, p.file, p.state, p.hits,
    (select coalesce(sum(s.sessions), 0) from aggregated_metrics s where s.part = p.number),
    p.least, p.greatest, p.watermark, p.zone, p.source,
    exists (select 1 from part_totals t where t.part = p.number)
from parts p
order by p.month, p.number
