"""`make chaos`: kill, empty, stop and flood a real Recado, and count what was lost and what was sent twice.

It stands outside, where those stand who use Recado: it sends over the API, asks the simulated providers what
reached people, and reads the database. It knows nothing of Django.

stage       throw-away servers, the simulated providers and a web process
crew        Celery workers that can be killed, frozen and replaced, and beats
sender      applications that send, and send again where they got no answer
providers   the simulated providers: faults, and what they received
books       what the database says became of the messages
verdict     what was lost, doubled and out of order: values in, a verdict out
trial       one scenario, from its accounts to its row in the table
scenarios   one file for each way in which things go wrong
"""
