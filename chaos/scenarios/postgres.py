"""PostgreSQL restarts under load, and its connections are cut."""

from chaos.trial import Row, Scale, Trial

_EVERY_SECONDS = 2.5


def away(trial: Trial, scale: Scale) -> Row:
    """Whoever was not answered 202 asks again under the same Idempotency-Key."""
    messages, times = scale.of_messages(5_000), scale.of_times(12)
    sender = trial.send(trial.whatsapp(), messages, per_second=messages / (times * _EVERY_SECONDS))
    restarts = 0
    for n in trial.rounds(times, _EVERY_SECONDS):
        if n % 3 == 0:
            trial.stage.postgres.stop()
            trial.stage.postgres.start()
            restarts += 1
        else:
            trial.stage.books.cut_connections()
    trial.trouble_is_over()
    row = trial.finish()
    answers = ", ".join(f"{count} × {answer}" for answer, count in sender.answers.most_common())
    trial.notes.append(f"{restarts} × restarted, {times - restarts} × all connections cut; answers: {answers}")
    return row
