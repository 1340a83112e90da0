select number, file, file_id, state, least, greatest, watermark, hits, next_session, zone, archive, archive_hash, archive_bytes, raw_bytes
from parts
order by number
