select sessions.id, public_id, name, roles, disabled, created, rotated, seen, token = ?1 as is_current
from sessions join users on users.id = sessions.user
where token = ?1 or previous = ?1
