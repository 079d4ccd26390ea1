"""People of the demo who join the bakery's club: a line at a time, each in their own way."""

from collections.abc import Iterator

# What somebody writes, one after another; where it stops short, they just stay away.
TALKS: tuple[tuple[str, ...], ...] = (
    (
        "Oi! Quero me cadastrar no clube",
        "sim",
        "Mariana Alves Costa",
        "mariana.costa@example.com",
        "529.982.247-25",
        "Rua das Palmeiras, 120, Centro, São Paulo - SP, 01226-010",
        "pão de fermentação natural",
        "isso mesmo",
    ),
    (
        "quero fazer o cadastro",
        "pode sim",
        "sou o Rafael Nogueira e meu email é rafael.nogueira@example.com",
        "não",
        "o e-mail está errado",
        "rafa.nogueira@example.com",
        "Avenida Paulista, 1500, Bela Vista, São Paulo - SP, 01310-200",
        "baguete",
        "sim",
    ),
    ("clube", "não"),
    ("quero me cadastrar", "sim", "Lucas Prado", "lucas arroba", "sei lá", "não lembro"),
    ("quero me cadastrar", "sim", "Beatriz Ramos"),
)


def joins(first: int) -> Iterator[tuple[str, str, str]]:
    """Simulator, who, and what they write: people one after another, on WhatsApp and Telegram in turns."""
    for n, talk in enumerate(TALKS, start=first):
        simulator = ("whatsapp", "telegram")[n % 2]
        person = f"55119900{n:05d}" if simulator == "whatsapp" else f"1799{n:010d}"
        for line in talk:
            yield simulator, person, line
