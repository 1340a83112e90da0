insert into jobs (kind, argument, state, done, total, message, changed)
values (?, ?, 'waiting', 0, 0, '', unixepoch())
