select u.id, coalesce(u.name, ''), s.device, s.opened, s.last, s.time, s.actions, trim(coalesce(e.method, '') || ' ' || coalesce(e.route, ''))
from active_sessions s
left join users u on u.number = s.user
left join endpoints e on e.number = s.last_endpoint
where s.month = ? and s.number = ?
