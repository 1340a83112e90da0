insert into parts (number, month, file, file_id, state, least, greatest, watermark, hits, next_session, source, zone)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
on conflict (number) do update set
    file_id = excluded.file_id,
    state = excluded.state,
    least = excluded.least,
    greatest = excluded.greatest,
    watermark = excluded.watermark,
    hits = excluded.hits,
    next_session = excluded.next_session,
    zone = excluded.zone
