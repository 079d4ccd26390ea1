"""The planner in a process of its own, until nothing is due any more; says how much memory it took.

python -m bench.planner
"""

import resource

import django


def main() -> None:
    django.setup()
    from apps.billing.planner import plan  # noqa: PLC0415

    looked_at = 0
    while found := plan.run(seconds=3600):
        looked_at += found
    print(looked_at, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


if __name__ == "__main__":
    main()
