select id, kind, state, done, total, message, changed
from jobs
order by id desc
