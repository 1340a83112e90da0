select min(first_row), max(last_row)
from aggregated_metrics
where part = ?1 and audience in (0, 1) and slot between ?2 and ?3
