insert into part_totals (part, audience, dimension, value, hits, actions, sessions, time, errors, client_errors, aborted, bytes_in, bytes_out, latency, users, visitors)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
