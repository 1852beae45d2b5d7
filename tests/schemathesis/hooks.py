"""What a schema cannot say: how the texts of two formats look that the server accepts."""

from datetime import datetime, timezone

import schemathesis
from hypothesis import strategies as st

# Times from 1970 on, as CONTRACT and reference say.
times = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(9999, 12, 30)).map(
    lambda at: at.replace(tzinfo=timezone.utc).isoformat().replace("+00:00", "Z")
)
schemathesis.openapi.format("date-time", times)

# URLs on this machine: whatever is made, nothing of it leaves.
urls = st.from_regex(r"[a-z0-9]{1,12}", fullmatch=True).map(lambda name: f"http://127.0.0.1:9999/{name}")
schemathesis.openapi.format("uri", urls)
