update parts set archive = ?, archive_hash = ?, archive_bytes = ?, raw_bytes = ? where number = ?
