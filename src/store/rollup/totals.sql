select audience, dimension, value, hits, actions, sessions, time, errors, client_errors, aborted, bytes_in, bytes_out, latency, users, visitors
from daily_metrics
where part = ?
order by audience, dimension, value, day
