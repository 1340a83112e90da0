insert into user_totals (part, user, hits, sessions, actions, errors, time, first_seen, last_seen, last_device)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (part, user) do update set
    hits = hits + excluded.hits,
    sessions = sessions + excluded.sessions,
    actions = actions + excluded.actions,
    errors = errors + excluded.errors,
    time = time + excluded.time,
    first_seen = min(first_seen, excluded.first_seen),
    last_device = iif(excluded.last_seen >= last_seen, excluded.last_device, last_device),
    last_seen = max(last_seen, excluded.last_seen)
