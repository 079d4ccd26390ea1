"""Writes the dashboards: `python -m monitoring.grafana.build`. With --check it only says whether they are as they
would be written."""

import json
import sys
from pathlib import Path

from monitoring.grafana.pages import celery, channels, engine, overview, postgresql, realtime, redis
from monitoring.grafana.panels import Dashboard

FOLDER = Path(__file__).parent / "dashboards"
DASHBOARDS: tuple[Dashboard, ...] = (
    overview.PAGE,
    channels.PAGE,
    engine.PAGE,
    realtime.PAGE,
    celery.PAGE,
    postgresql.PAGE,
    redis.PAGE,
)


def written() -> dict[Path, str]:
    return {
        FOLDER / f"{page.name}.json": json.dumps(page.build(), indent=2, ensure_ascii=False) + "\n"
        for page in DASHBOARDS
    }


def stale() -> list[Path]:
    """Files that are not what would be written, and files that nobody writes."""
    files = written()
    left = set(FOLDER.glob("*.json")) - set(files)
    return sorted(left) + [path for path, text in files.items() if not path.exists() or path.read_text() != text]


def main() -> int:
    if "--check" in sys.argv[1:]:
        for path in stale():
            print(f"{path} is not what its program says. Run: python -m monitoring.grafana.build")
        return 1 if stale() else 0
    FOLDER.mkdir(exist_ok=True)
    for path, text in written().items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
