"""Why a message was not sent. The class decides what happens next; code and detail are for people."""

from dataclasses import dataclass
from typing import ClassVar, Literal

LONGEST_ANSWER = 2000


@dataclass(frozen=True, slots=True)
class Heard:
    """The provider's own words, as far as they are kept."""

    status: int
    body: str

    @classmethod
    def of(cls, status: int, body: bytes) -> "Heard":
        # The database takes no NUL.
        return cls(status, body[: 4 * LONGEST_ANSWER].decode(errors="replace").replace("\0", "")[:LONGEST_ANSWER])


class SendFailed(Exception):
    """What a connector raises instead of returning the provider's id of the message."""

    name: ClassVar[str]
    # Whether the provider as a whole seems to be down. One recipient's own server says nothing of the others'.
    blames_provider = False
    # The answer that said so, where there was one.
    heard: Heard | None = None

    def __init__(self, code: str = "", detail: str = "") -> None:
        # The database takes no NUL, and one bad word must not cost a whole batch its outcomes.
        self.code = code.replace("\0", "")[:60]
        self.detail = detail.replace("\0", "")[:500]
        super().__init__(f"{self.code} {self.detail}".strip())


class Transient(SendFailed):
    """The provider failed, or could not be reached: another attempt may succeed."""

    name = "transient"

    def __init__(
        self,
        code: str = "",
        detail: str = "",
        *,
        retry_after: float | None = None,
        moved_to: str = "",
        blames_provider: bool = True,
    ) -> None:
        super().__init__(code, detail)
        self.blames_provider = blames_provider
        self.retry_after = retry_after
        # The person, or the group, is reached at another address from now on.
        self.moved_to = moved_to


class RateLimited(SendFailed):
    """Too fast for the account or for this recipient. Nothing was sent, and no attempt is spent."""

    name = "rate_limited"

    def __init__(
        self,
        code: str = "",
        detail: str = "",
        *,
        scope: Literal["account", "recipient"] = "account",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.scope = scope
        self.retry_after = retry_after


class RecipientRejected(SendFailed):
    """This address cannot be reached, or does not want to be."""

    name = "recipient_rejected"

    def __init__(self, code: str = "", detail: str = "", *, opted_out: bool = False) -> None:
        super().__init__(code, detail)
        self.opted_out = opted_out


class MessageRejected(SendFailed):
    """The provider will not carry this content."""

    name = "message_rejected"


class AccountRejected(SendFailed):
    """Credentials, permission or payment: no message of this account will pass until a person acts."""

    name = "account_rejected"


class OutcomeUnknown(SendFailed):
    """The request was written and no answer came: the provider may have sent the message."""

    name = "outcome_unknown"

    def __init__(self, code: str = "", detail: str = "", *, blames_provider: bool = True) -> None:
        super().__init__(code, detail)
        self.blames_provider = blames_provider
