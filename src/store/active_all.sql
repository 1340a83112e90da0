select month, number, user, visitor, key, device, started, last, hits, actions, errors, last_endpoint, rows
from active_sessions
