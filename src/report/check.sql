select number,
    (select coalesce(sum(hits), 0) from daily_metrics d where d.part = p.number and d.dimension = 0),
    (select coalesce(sum(hits), 0) from aggregated_metrics s where s.part = p.number)
from parts p
