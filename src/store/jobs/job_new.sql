insert into jobs (kind, argument, state, done, total, message, changed, result)
values (?, ?, 'waiting', 0, 0, '', unixepoch(), '')
