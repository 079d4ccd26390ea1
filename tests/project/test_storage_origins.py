from urllib.parse import urlsplit

import pytest

from apps.files.stores.s3 import S3Store
from apps.files.stores.store import Download
from project.storage_origins import storage_origins


@pytest.mark.parametrize("addressing", ["path", "virtual"])
@pytest.mark.parametrize("region", ["us-east-1", "sa-east-1"])
@pytest.mark.parametrize("public_url", ["", "http://minio.example:9000", "https://files.aurora.example"])
def test_pages_may_go_where_links_lead(public_url: str, region: str, addressing: str) -> None:
    store = S3Store(
        public_endpoint_url=public_url, bucket_name="recado", region_name=region, addressing_style=addressing,
        access_key="key", secret_key="secret",
    )  # fmt: skip
    link = urlsplit(store.sign_download(Download("a/b", "a", "text/plain", is_inline=False, seconds=60)))
    assert f"{link.scheme}://{link.netloc}" in storage_origins("recado", public_url, region, addressing)
