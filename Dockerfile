# One image for every process: docs/deploying.md. Build: docker build -t gatepost .
FROM python:3.11-slim-bookworm AS build
WORKDIR /srv/gatepost
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
COPY requirements-plugins.txt requirements-otel.txt requirements-sentry.txt ./
COPY bin bin
RUN PYTHON=/opt/venv/bin/python sh bin/post_compile

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home gatepost
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv/gatepost
COPY app app
COPY plugins plugins
COPY migrations migrations
COPY worker.py wsgi.py Procfile ./
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 LOG_FORMAT=json
# By its number: who starts it, such as Kubernetes, can tell that it is not root.
USER 10001
EXPOSE 8000
# SIGTERM ends every process within 10 seconds.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", 8000)}/healthz', timeout=4)"]
# A line of the Procfile by its name: web, worker or release.
ENTRYPOINT ["/bin/sh", "-c", "exec /bin/sh -c \"exec $(sed -n \"s/^$1: //p\" Procfile)\"", "gatepost"]
CMD ["web"]
