select d.users, d.visitors
from parts p
cross join daily_metrics d on d.part = p.number
where d.audience in (0, 1) and d.dimension = ?1 and d.value = ?2
