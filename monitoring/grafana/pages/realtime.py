"""Statuses on people's screens: sockets, frames, how late."""

from monitoring.grafana.panels import NEUTRAL, Dashboard, Lines, Number, Row, at_most

_NOW = Row(
    "Now",
    (
        Number(
            title="WebSockets",
            says="Clients that follow events in a browser. Each web process holds REALTIME_MOST_SOCKETS at most.",
            unit="short",
            queries=(('sum(recado_sockets{kind="websocket"})', "sockets"),),
            thresholds=NEUTRAL,
        ),
        Number(
            title="gRPC streams",
            says="Programs that follow events.",
            unit="short",
            queries=(('sum(recado_sockets{kind="grpc"})', "streams"),),
            thresholds=NEUTRAL,
        ),
        Number(
            title="Stream lag",
            says="Age of the oldest event that is not on the stream. The sweep publishes every ten "
            "seconds at the latest.",
            unit="s",
            queries=(("max(recado_stream_lag_seconds)", "lag"),),
            thresholds=at_most(5, 15),
            alert="stream-lags",
        ),
        Number(
            title="Frames a second",
            says="Written to clients.",
            unit="ops",
            queries=(("sum(rate(recado_frames_sent_total[$__rate_interval]))", "frames"),),
            thresholds=NEUTRAL,
        ),
        Number(
            title="Refused a minute",
            says="Closed with 4429: a process is full, or a client sends too much.",
            unit="short",
            queries=(('sum(rate(recado_socket_closes_total{code="4429"}[$__rate_interval])) * 60', "refused"),),
            thresholds=at_most(1, 6),
            alert="sockets-refused",
        ),
        Number(
            title="Too slow a minute",
            says="Closed with 4408: frames waited and nobody read them.",
            unit="short",
            queries=(('sum(rate(recado_socket_closes_total{code="4408"}[$__rate_interval])) * 60', "too slow"),),
            thresholds=at_most(10, 60),
            alert="sockets-too-slow",
        ),
    ),
)
_TIME = Row(
    "Over time",
    (
        Lines(
            title="Sockets by process",
            says="They should be spread evenly. After a deploy they come back over half a minute.",
            unit="short",
            width=12,
            height=8,
            queries=(("sum by (instance, kind) (recado_sockets)", "{{kind}} {{instance}}"),),
            stacked=True,
        ),
        Lines(
            title="How sockets end",
            says="1012: a deploy. 4401: a token ended. 1006: a network or a proxy. 4408 and 4429: see above.",
            unit="ops",
            width=12,
            height=8,
            queries=(("sum by (code) (rate(recado_socket_closes_total[$__rate_interval]))", "{{code}}"),),
            stacked=True,
            alert="websocket-does-not-connect",
        ),
        Lines(
            title="From written to published",
            says="How long an event takes to the stream. Most take some hundredths of a second.",
            unit="s",
            width=12,
            queries=tuple(
                (
                    (
                        f"histogram_quantile({share}, "
                        "sum by (le) (rate(recado_publish_lag_seconds_bucket[$__rate_interval])))"
                    ),
                    name,
                )
                for share, name in ((0.5, "half within"), (0.99, "99 % within"))
            ),
            alert="stream-lags",
        ),
        Lines(
            title="Frames for each event",
            says="How many watch. It multiplies what web has to write.",
            unit="short",
            width=12,
            queries=(
                (
                    (
                        "sum(rate(recado_frames_sent_total[$__rate_interval])) / "
                        "(sum(rate(recado_publish_lag_seconds_count[$__rate_interval])) > 0)"
                    ),
                    "frames for each batch",
                ),
            ),
        ),
    ),
)

PAGE = Dashboard(
    name="realtime",
    title="Recado: realtime",
    says="Statuses on people's screens: how many watch, and how late it is.",
    rows=(_NOW, _TIME),
)
