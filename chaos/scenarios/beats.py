"""Two beats at once. Every other scenario has none at all."""

import time

from chaos.trial import Row, Scale, Trial


def two(trial: Trial, scale: Scale) -> Row:
    messages, seconds = scale.of_messages(3_000), max(12.0, scale.of_seconds(25.0))
    with trial.crew.beats(2):
        trial.send(trial.whatsapp(), messages, per_second=messages / seconds)
        time.sleep(seconds)
        trial.trouble_is_over()
        return trial.finish()
