select id, name, nullif(first_seen, 9223372036854775807), nullif(last_seen, 0) from users where number = ?
