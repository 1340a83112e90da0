select at, user, device, outcome, bytes_out
from session_actions_NNNNNN
where id <= ?
