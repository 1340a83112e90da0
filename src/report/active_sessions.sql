select s.month, s.number, u.id, coalesce(u.name, ''), coalesce(d.platform, ''), coalesce(d.app_version, ''), coalesce(d.name, ''),
    s.opened, s.last, s.time, s.actions, trim(coalesce(e.method, '') || ' ' || coalesce(e.route, ''))
from active_sessions s
left join users u on u.number = s.user
left join devices d on d.number = s.device
left join endpoints e on e.number = s.last_endpoint
where s.hits > 0 and s.last between ?1 and ?2 and coalesce(d.bot, '') = ''
order by s.last desc, s.month desc, s.number desc
limit 1000
