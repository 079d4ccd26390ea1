"""Nobody knows whether the provider had it: it cuts the connection, or the worker dies before it wrote it down."""

from random import Random

from chaos.trial import Row, Scale, Trial, faults

_KILL_EVERY_SECONDS = 3.0
_CUT = 0.02


def outcomes(trial: Trial, scale: Scale) -> Row:
    chance = Random(5)  # noqa: S311 - so that a run can be repeated
    messages, kills = scale.of_messages(6_000), scale.of_times(8)
    accounts = {
        "WhatsApp": trial.whatsapp(),
        "Instagram, retry": trial.instagram(on_unknown="retry"),
        "Instagram, dead letter": trial.instagram(on_unknown="dead_letter"),
    }
    with faults(trial, {"kind": "cut_after", "rate": _CUT}):
        for account in accounts.values():
            each = messages // len(accounts)
            trial.send(account, each, people=200, per_second=each / (kills * _KILL_EVERY_SECONDS))
        for _ in trial.rounds(kills, _KILL_EVERY_SECONDS):
            trial.crew.kill(chance.choice(trial.crew.dispatchers))
        for sender in trial.senders:
            sender.wait(60)
    trial.trouble_is_over()
    row = trial.finish()
    arrived = trial.arrived()
    for name, account in accounts.items():
        texts = [text for text in arrived if text.startswith(f"{account.name} ")]
        endings = trial.stage.books.endings([account.id]).values()
        trial.notes.append(
            f"{name}: {trial.stage.books.unknown_outcomes([account.id]).total()} unknown, "
            f"{sum(ending.sent_again for ending in endings)} sent again, {len(texts) - len(set(texts))} doubled, "
            f"{sum(bool(ending.is_dead_letter) for ending in endings)} dead letters"
        )
    return row
