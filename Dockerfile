# Two images: `--target runtime` is Recado, `--target backup` the same with PostgreSQL's tools. `make image` builds
# both.
#
# Base images are named by exact version. Their digests belong behind them (`@sha256:…`) and are the business of the
# tool that raises versions in this repository: it reads them from the registry, which no person should do by hand.

FROM python:3.12.12-slim-bookworm AS base
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1
WORKDIR /app


# Everything that takes an installer or a network. Nothing of this stage but two folders reaches an image.
FROM base AS build
ENV PIP_ROOT_USER_ACTION=ignore
COPY requirements/bootstrap.txt requirements/
RUN pip install --no-cache-dir --require-hashes --requirement requirements/bootstrap.txt

COPY requirements/production.txt requirements/
# Compiled here, because a read-only file system cannot keep what a start compiles. Of the four hundred services that
# botocore describes, S3 is kept with what leads to its credentials; where in a city a number is nobody asks.
RUN uv venv --python /usr/local/bin/python /opt/venv \
    && uv pip sync --system-certs --no-cache --compile-bytecode --require-hashes --python /opt/venv/bin/python \
        requirements/production.txt \
    && find /opt/venv/lib/python3.12/site-packages/botocore/data -mindepth 1 -maxdepth 1 -type d \
        ! -name s3 ! -name 'sso*' ! -name sts -exec rm -r {} + \
    && rm -r /opt/venv/lib/python3.12/site-packages/phonenumbers/geodata

COPY . .
# These settings make up what is secret, anew at every start: nothing of it is in the image.
RUN pybabel --quiet compile --domain django --directory locale \
    && DJANGO_SETTINGS_MODULE=project.settings.build python manage.py collectstatic --no-input --verbosity 0 \
    && find locale -name '*.po' -delete \
    && python -m compileall -q .


FROM base AS runtime
RUN groupadd --gid 10001 recado \
    && useradd --uid 10001 --gid 10001 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin recado \
    && install --directory --owner recado --group recado /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app

# Only /tmp need be writable, and /data where files lie on a disk that the processes share.
ENV DJANGO_SETTINGS_MODULE=project.settings.production \
    FILES_FOLDER=/data/files \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1
ARG RELEASE=dev
ENV RELEASE=$RELEASE
LABEL org.opencontainers.image.title="Recado" \
    org.opencontainers.image.description="Self-hosted, multi-tenant messaging over many channels" \
    org.opencontainers.image.licenses="MIT" \
    org.opencontainers.image.version="$RELEASE"

USER 10001:10001
EXPOSE 8000 9464 50051
STOPSIGNAL SIGTERM
# Of web; the other processes are asked at http://127.0.0.1:9464/healthz, which compose and Kubernetes do.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "/app/project/healthcheck.py", "http://127.0.0.1:8000/readyz"]
CMD ["python", "-m", "project.web", "--host", "0.0.0.0", "--port", "8000"]


# The tools, and every library that they ask for.
FROM postgres:18.1-bookworm AS postgres-tools
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
WORKDIR /tools
RUN mkdir bin lib \
    && for tool in pg_dump pg_restore psql; do \
        cp --dereference "/usr/lib/postgresql/18/bin/$tool" bin/ \
        && ldd "bin/$tool" | awk '$3 ~ /^\// { print $3 }' | xargs cp --dereference --update --target-directory lib; \
    done


FROM runtime AS backup
LABEL org.opencontainers.image.title="Recado's backups"
USER 0:0
COPY --from=postgres-tools /tools /opt/postgresql
# A library that is there already stays as it is.
RUN cp --symbolic-link /opt/postgresql/bin/* /usr/local/bin/ \
    && cp --symbolic-link --no-clobber /opt/postgresql/lib/* "/usr/lib/$(uname -m)-linux-gnu/" \
    && ldconfig \
    && pg_dump --version && pg_restore --version && psql --version
USER 10001:10001
HEALTHCHECK NONE
CMD ["python", "manage.py", "backup"]
