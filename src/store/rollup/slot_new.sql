insert into aggregated_metrics (part, audience, slot, hits, actions, sessions, time, errors, client_errors, aborted, bytes_in, bytes_out, latency, users, visitors, first_row, last_row)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
