insert or replace into sessions_NNNNNN (number, user, key, device, started, last, hits, actions, errors, last_endpoint, rows)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
