select id, at, session, user, endpoint, device, outcome, head_us, body_us, bytes_in, bytes_out, error
from session_actions_NNNNNN
where id > ? and id <= ?
order by id
limit ?
