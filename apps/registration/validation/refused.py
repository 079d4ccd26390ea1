"""Why a text is no value of its kind."""


class Refused(Exception):
    """The detail is for the person who wrote it: kind, and with what to do about it."""

    def __init__(self, code: str, detail: str, *, meant: str = "") -> None:
        """`meant` is the value that the detail asks after, for whoever answers yes."""
        super().__init__(code)
        self.code, self.detail, self.meant = code, detail, meant
