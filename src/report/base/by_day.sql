select value, day, hits
from daily_metrics
where part = ? and audience = ? and dimension = ? and dimension >= 6 and day >= ? and day < ?
