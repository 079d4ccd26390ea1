"""The REST API for work that outlasts a token, and in which several threads take part."""

from collections.abc import Callable
from threading import Lock
from typing import Any

from recado_cli.rest import Problem
from recado_cli.session import Session


class Api:
    def __init__(self, session: Session) -> None:
        self._session = session
        # A refresh token works once.
        self._refreshing = Lock()

    def get(self, path: str) -> Any:
        return self.call(lambda authorization: self._session.rest.get(path, authorization))

    def post(self, path: str, body: object = None, **headers: str) -> Any:
        return self.call(lambda authorization: self._session.rest.post(path, authorization, body, **headers))

    def url(self, path: str) -> str:
        return f"{self._session.addresses.url}{path}"

    def call(self, request: Callable[[str], Any]) -> Any:
        """With the header that says who we are; once more with a fresh one, where the server knows it no more."""
        authorization = self._authorization()
        try:
            return request(authorization)
        except Problem as problem:
            if problem.status != 401 or not self._session.may_refresh:
                raise
        return request(self._authorization(instead_of=authorization))

    def _authorization(self, instead_of: str = "") -> str:
        with self._refreshing:
            if self._session.authorization() == instead_of:
                self._session.refresh()
            return self._session.authorization()
