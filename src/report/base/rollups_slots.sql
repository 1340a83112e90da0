select slot, hits, actions, sessions, time, errors, client_errors, aborted, bytes_in, bytes_out, latency, users, visitors
from aggregated_metrics
where part = ? and audience = ? and slot >= ? and slot < ?
