"""The provider: an nginx that agrees with everything, at once or after 50 ms.

A compiled server, so that what is measured is the caller. Taken from the machine, or from Debian's packages, which
are unpacked into .recado/ and not installed: installing them would start a web server on port 80.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from local.places import ROOT
from local.ports import HOST, free_port, is_listening
from local.processes import Process

LATENCY_SECONDS = 0.05
_PACKAGES = ("nginx", "libnginx-mod-http-echo")
_UNPACKED = ROOT / ".recado" / "bench" / "nginx"
_MODULE = Path("usr/lib/nginx/modules/ngx_http_echo_module.so")


class NoNginx(Exception):
    """nginx is neither here nor to be had. The message says what to install."""


@dataclass
class Provider:
    folder: Path
    at_once: int = field(default_factory=free_port)
    delayed: int = field(default_factory=free_port)
    _process: Process = field(init=False)

    def start(self) -> None:
        root = _find()
        configuration = self.folder / "nginx.conf"
        self.folder.mkdir(parents=True)
        configuration.write_text(_configuration(root, self.folder, self.at_once, self.delayed))
        nginx = root / "usr/sbin/nginx"
        command: Sequence[str | Path] = [nginx, "-e", "stderr", "-p", self.folder, "-c", configuration]
        self._process = Process("nginx", command, self.folder / "nginx.log")
        self._process.start()
        self._process.wait_until(lambda: is_listening(self.at_once) and is_listening(self.delayed))

    def stop(self) -> None:
        self._process.stop()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.at_once}/v23.0"

    @property
    def delayed_url(self) -> str:
        return f"http://{HOST}:{self.delayed}/v23.0"


def _find() -> Path:
    """The folder below which nginx and its echo module lie."""
    for root in (Path("/"), _UNPACKED):
        if (root / "usr/sbin/nginx").exists() and (root / _MODULE).exists():
            return root
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        raise NoNginx(f"The provider stub is nginx with its echo module. Install them: {', '.join(_PACKAGES)}.")
    _UNPACKED.mkdir(parents=True, exist_ok=True)
    try:
        download = ["apt-get", "-o", "APT::Sandbox::User=root", "download", *_PACKAGES]
        subprocess.run(download, cwd=_UNPACKED, check=True, capture_output=True, text=True)
        for package in _UNPACKED.glob("*.deb"):
            subprocess.run(["dpkg", "-x", package, _UNPACKED], check=True, capture_output=True)  # noqa: S607
            package.unlink()
    except subprocess.CalledProcessError as error:
        raise NoNginx(
            f"The provider stub is nginx with its echo module, and apt-get could not bring them:\n{error.stderr}\n"
            f"Try: apt-get update; or: apt-get install {' '.join(_PACKAGES)}"
        ) from error
    return _UNPACKED


def _configuration(root: Path, folder: Path, at_once: int, delayed: int) -> str:
    answer = """{"messaging_product":"whatsapp","messages":[{"id":"wamid.$request_id"}]}"""
    temporary = "\n".join(
        f"  {name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
load_module {root / _MODULE};
daemon off;
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_timeout 600s;
  keepalive_requests 1000000000;
  client_body_buffer_size 64k;
{temporary}
  default_type application/json;
  server {{
    listen {HOST}:{at_once} backlog=4096;
    location / {{ return 200 '{answer}'; }}
  }}
  server {{
    listen {HOST}:{delayed} backlog=4096;
    location / {{ echo_sleep {LATENCY_SECONDS}; echo -n '{answer}'; }}
  }}
}}
"""
