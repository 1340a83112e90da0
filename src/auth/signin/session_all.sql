select sessions.id, public_id, name, roles, disabled, created, rotated, seen, 1 as is_current
from sessions join users on users.id = sessions.user
order by created desc, sessions.id desc
