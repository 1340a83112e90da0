select endpoint, user, device, outcome, head_us + body_us
from session_actions_NNNNNN
where id <= ?
