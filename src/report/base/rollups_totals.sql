select value, hits, actions, sessions, time, errors, client_errors, aborted, bytes_in, bytes_out, latency, users, visitors
from part_totals
where part = ? and audience = ? and dimension = ?
