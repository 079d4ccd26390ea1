"""Playwright in a thread of its own: its event loop would be in the way of ours, and of Django's."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from playwright.sync_api import Browser, Playwright, sync_playwright

_PLAIN = (str, bytes, int, float, bool, type(None), Path)


class Elsewhere:
    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "playwright")

    def run[R](self, work: Callable[..., R], *arguments: Any, **named: Any) -> R:
        given = [_bare(each) for each in arguments]
        more = {name: _bare(each) for name, each in named.items()}
        return cast("R", self.wrap(self._thread.submit(_bare(work), *given, **more).result()))

    def wrap(self, value: Any) -> Any:
        """Stands for something that lives there: whatever is asked of it is asked there."""
        if isinstance(value, _PLAIN):
            return value
        if isinstance(value, list | tuple):
            return [self.wrap(each) for each in value]
        if isinstance(value, dict):
            return {name: self.wrap(each) for name, each in value.items()}
        return _Distant(self, value)

    def close(self) -> None:
        self._thread.shutdown()


class _Distant:
    def __init__(self, elsewhere: Elsewhere, value: Any) -> None:
        self.__dict__["_elsewhere"], self.__dict__["_value"] = elsewhere, value

    def __getattr__(self, name: str) -> Any:
        return self._elsewhere.run(getattr, self._value, name)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._elsewhere.run(self._value, *arguments, **named)


def _bare(value: Any) -> Any:
    return value._value if isinstance(value, _Distant) else value


@contextmanager
def chromium_elsewhere(program: Path) -> Iterator[tuple[Elsewhere, Browser]]:
    elsewhere = Elsewhere()
    starting = sync_playwright()
    playwright: Playwright = elsewhere.run(starting.start)
    try:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield elsewhere, browser
        browser.close()
    finally:
        playwright.stop()
        elsewhere.close()
