update jobs set
    state = ?, done = ?, total = ?, message = coalesce(?, message), changed = unixepoch()
where id = ?
