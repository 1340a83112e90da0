select user, hits, sessions, actions, errors, time, last_seen, last_device from user_totals where part = ?
