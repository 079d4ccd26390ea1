"""What is counted of files on their way in."""

from apps.core.metrics.declared import Counter, Gauge
from apps.core.metrics.labels import Label

UPLOADS = Counter(
    "recado_uploads_total",
    "Uploads that ended.",
    Label.of("result", "`stored`; `refused` by us; `broken` off by whoever sent it, or by a fault",
             ("stored", "refused", "broken")),
)  # fmt: skip
UPLOAD_BYTES = Counter("recado_upload_bytes_total", "Bytes of the files that were stored.")
UPLOADS_UNDER_WAY = Gauge("recado_uploads_under_way", "Bodies that are being received at this moment.")
