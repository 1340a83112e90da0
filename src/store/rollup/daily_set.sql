update daily_metrics set
    hits = ?, actions = ?, sessions = ?, time = ?, errors = ?, client_errors = ?, aborted = ?, bytes_in = ?, bytes_out = ?, latency = ?, users = ?, visitors = ?
where id = ?
