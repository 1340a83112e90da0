select id, kind, argument from jobs
where state = 'running'
    or state = 'waiting' and (interrupted < 3 or unixepoch() - changed not between 0 and min(60 << min(interrupted - 3, 20), ?) - 1)
order by id limit 1
