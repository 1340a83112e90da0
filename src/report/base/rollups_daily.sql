select value, day, hits, actions, sessions, time, errors, client_errors, aborted, bytes_in, bytes_out, latency, users, visitors
from daily_metrics
where part = ? and audience = ? and dimension = ? and day >= ? and day < ?
