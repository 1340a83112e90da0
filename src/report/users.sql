select id, name, nullif(first_seen, 9223372036854775807) from users where number = ?
