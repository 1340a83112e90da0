select number, file, file_id, state, least, greatest, watermark, hits, next_session, zone
from parts
order by number
