insert into active_sessions (month, number, user, visitor, key, device, started, last, hits, actions, errors, last_endpoint, rows)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (month, number) do update set
    visitor = excluded.visitor,
    started = excluded.started,
    last = excluded.last,
    hits = excluded.hits,
    actions = excluded.actions,
    errors = excluded.errors,
    last_endpoint = excluded.last_endpoint,
    rows = excluded.rows
