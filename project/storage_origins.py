"""Where signed links to an S3 lead, as pages have to name it in their Content-Security-Policy."""

from urllib.parse import urlsplit


def storage_origins(bucket: str, public_url: str, region: str, addressing: str) -> list[str]:
    """Without an address of its own it is AWS, which has two for the oldest region."""
    urls = [public_url] if public_url else [f"https://s3.{region}.amazonaws.com", "https://s3.amazonaws.com"]
    parts = [urlsplit(url) for url in urls]
    before = f"{bucket}." if addressing == "virtual" else ""
    return [f"{part.scheme}://{before}{part.netloc}" for part in parts]
