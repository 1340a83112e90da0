select month, number, user, visitor, key, device, opened, acted, last, time, hits, actions, errors, last_endpoint, rows
from active_sessions
