#!/bin/sh
# `sh client/generate.sh [typescript] [python] [go]`: typed clients of openapi.json, each in a folder beside this file;
# the one for TypeScript unless told.
set -eu
cd "$(dirname "$0")/.."

need() {
    command -v "$1" >/dev/null || { echo "$1 is needed for a client in $2." >&2; exit 1; }
}

for_typescript() {
    openapi_typescript=${OPENAPI_TYPESCRIPT:-npx --yes --package openapi-typescript@7.13.0 openapi-typescript}
    need "${openapi_typescript%% *}" TypeScript
    # These are several words, here and below.
    # shellcheck disable=SC2086
    $openapi_typescript openapi.json --output client/typescript/schema.d.ts
}

for_python() {
    if [ -z "${OPENAPI_PYTHON_CLIENT:-}" ]; then
        need python3 Python
        tools=client/.tools
        test -x $tools/bin/python || python3 -m venv $tools
        $tools/bin/python -m pip install --quiet --disable-pip-version-check openapi-python-client==0.29.1 ruff==0.17.6
        # What it makes is put into shape by the ruff that it finds.
        PATH="$PWD/$tools/bin:$PATH"
        OPENAPI_PYTHON_CLIENT=openapi-python-client
    fi
    $OPENAPI_PYTHON_CLIENT generate --path openapi.json --meta pdm --output-path client/python --overwrite
}

for_go() {
    oapi_codegen=${OAPI_CODEGEN:-go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2}
    need "${oapi_codegen%% *}" Go
    mkdir -p client/go
    # shellcheck disable=SC2086
    $oapi_codegen -config client/go.yaml -o client/go/client.go openapi.json
    cd client/go
    # A module of its own: what the client needs is not what the service needs.
    test -f go.mod || go mod init client
    go get github.com/oapi-codegen/runtime@v1.9.0 github.com/oapi-codegen/nullable@v1.2.0
    go mod tidy
    cd ../..
}

test $# -gt 0 || set -- typescript
for language in "$@"; do
    case $language in
    typescript | python | go) "for_$language" ;;
    *) echo "There are clients in typescript, python and go, and none in $language." >&2; exit 2 ;;
    esac
done
