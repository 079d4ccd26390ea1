"""What can be subscribed to: a conversation, by its id, or everything that happens in the organization."""

type Topic = str | None

WHOLE: Topic = None


def named(topic: Topic) -> dict[str, str]:
    """As frames name it."""
    return {"scope": "organization"} if topic is None else {"conversation_id": topic}
