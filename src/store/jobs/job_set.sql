update jobs set
    state = ?, done = ?, total = ?, message = coalesce(?, message), result = coalesce(?, result), changed = unixepoch(),
    argument = iif(?1 in ('done', 'failed'), '', argument)
where id = ?
