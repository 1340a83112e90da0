insert into session_actions_NNNNNN (id, at, session, user, endpoint, device, outcome, head_us, body_us, bytes_in, bytes_out, error)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
