insert or ignore into sessions_NNNNNN (number, user, key, device, opened, acted, last, time, hits, actions, errors, last_endpoint, rows)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
