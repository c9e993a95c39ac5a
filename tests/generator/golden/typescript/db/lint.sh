#!/bin/sh
# `sh db/lint.sh [SINCE]`: squawk over what the migrations do on the way up. With SINCE, a commit, only over those that
# have changed since. It says which statements would lock a table that is in use.
set -eu
cd "$(dirname "$0")/.."
squawk=${SQUAWK:-pipx run squawk-cli==2.70.0}

if [ $# -gt 0 ]; then
    files=$(git diff --name-only --diff-filter=AM "$1"...HEAD -- db/migrations)
else
    files=$(ls db/migrations/*.sql)
fi

failed=0
for file in $files; do
    options=--assume-in-transaction
    if grep -q '^-- migrate:up transaction:false' "$file"; then
        # One statement and nothing beside it, so no timeouts; a build that failed is cleared away by the runner.
        options="--no-assume-in-transaction
            --exclude=prefer-robust-stmts,require-lock-timeout,require-statement-timeout"
    fi
    # Both are several words.
    # shellcheck disable=SC2086
    sed '/^-- migrate:down/,$d' "$file" | $squawk $options --stdin-filepath "$file" || failed=1
done
exit $failed
