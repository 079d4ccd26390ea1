"""What there is to say of any process: which version it runs, and how long its certificate lasts."""

from pathlib import Path

from cryptography import x509
from django.conf import settings

from apps.core.metrics.declared import Gauge
from apps.core.metrics.labels import VERSION, Label

BUILD = Gauge("recado_build_info", "1, with the version that runs.", VERSION, mode="livemax")
CERTIFICATE_EXPIRY = Gauge(
    "recado_certificate_expiry_timestamp_seconds",
    "When the certificate that this process serves with expires, in seconds since 1970.",
    Label.of("name", "what the certificate is for", ("grpc",)),
    mode="livemax",
)


def tell_version() -> None:
    # Unknown where nobody built an image.
    BUILD.put(getattr(settings, "RELEASE", "") or "unknown", to=1)


def tell_certificate(name: str, path: Path) -> None:
    """The first of the chain is the one that is shown. Read once, as the server does."""
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    CERTIFICATE_EXPIRY.put(name, to=certificate.not_valid_after_utc.timestamp())
