select count(*)
from active_sessions s
left join devices d on d.number = s.device
where s.hits > 0 and s.last between ?1 and ?2 and coalesce(d.bot, '') = ''
