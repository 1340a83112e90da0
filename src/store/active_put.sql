insert into active_sessions (month, number, user, visitor, key, device, opened, acted, last, time, hits, actions, errors, last_endpoint, rows)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (month, number) do update set
    visitor = excluded.visitor,
    acted = excluded.acted,
    last = excluded.last,
    time = excluded.time,
    hits = excluded.hits,
    actions = excluded.actions,
    errors = excluded.errors,
    last_endpoint = excluded.last_endpoint,
    rows = excluded.rows
