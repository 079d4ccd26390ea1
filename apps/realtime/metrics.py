"""What is counted of those who follow events."""

from apps.core.metrics.declared import Counter, Gauge
from apps.core.metrics.labels import Label

_CODES = (1000, 1001, 1005, 1006, 1009, 1011, 1012, 1013, 4401, 4403, 4408, 4429)

SOCKETS = Gauge(
    "recado_sockets",
    "Clients that follow events at this moment.",
    Label.of("kind", "what they are connected by", ("websocket", "grpc")),
)
FRAMES = Counter("recado_frames_sent_total", "Frames that were written to clients, of WebSockets and of gRPC.")
CLOSES = Counter(
    "recado_socket_closes_total",
    "WebSockets that were closed, by them or by us.",
    Label.of("code", "the code that it was closed with", map(str, _CODES)),
)
