"""`make bench`: what Recado reaches, as ratios against baselines measured in the same run on the same machine.

stage       throw-away servers, the provider stub, and the environment of everything that is started
office      an organization with an account, people to write to, and messages that wait
archive     ninety days of an installation at work
desk        which pages of the admin operators open
workers     Celery workers and web processes, as they run in production
contenders  one_task_each (a), bare_loop (b) and bare_drf (c): what Recado is measured against
figures     one file for each subject
"""
