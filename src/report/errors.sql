select kind, message, endpoint, sample, first_seen from errors where number = ?
