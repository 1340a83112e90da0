update jobs set
    state = ?1, done = ?2, total = ?3, message = iif(?1 = 'done', '', coalesce(?4, message)), result = coalesce(?5, result), changed = unixepoch(),
    argument = iif(?1 in ('done', 'failed'), '', argument)
where id = ?6
