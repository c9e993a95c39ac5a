"""Fastify, TypeBox and pg, with the SQL written out."""

from freehold.generator import own_routes
from freehold.generator.deploy import Action, Container
from freehold.generator.target import Commands, Target
from freehold.generator.targets.typescript.emit import emit
from freehold.generator.targets.typescript.format import formatter
from freehold.generator.targets.typescript.syntax import parse

_NODE = "node:24.11.1-trixie-slim@sha256:4623e8ac1eb5f35b0a91b85424283c1b97a416a77375dfa6a2e9bfb0b2c351c9"

TYPESCRIPT = Target(
    name="typescript",
    title="TypeScript: Fastify, TypeBox and pg",
    emit=emit,
    formatter=formatter,
    parsers={".ts": parse},
    once=("src/*/hooks.ts", "src/extra.ts", own_routes.FILE),
    commands=Commands(
        locks=("package-lock.json",),
        setup=(
            ("cp", "package.json", "package-lock.json", ".npmrc", "{cache}"),
            ("npm", "ci", "--prefix", "{cache}", "--loglevel=error", "--no-audit", "--no-fund"),
        ),
        build=(
            ("ln", "-sfn", "{cache}/node_modules", "node_modules"),
            ("npm", "run", "--silent", "build"),
        ),
        migrate=("node", "dist/migrate.js", "up"),
        start=("node", "dist/main.js"),
        api_key=("node", "dist/api-key.js"),
    ),
    container=Container(
        build_image=_NODE,
        locks=("package.json", "package-lock.json", ".npmrc"),
        install=("npm ci --ignore-scripts --no-audit --no-fund",),
        sources=("tsconfig.json", "tsconfig.build.json", "src"),
        build=("npm run build && npm prune --omit=dev --ignore-scripts",),
        image=_NODE,
        environment={"NODE_ENV": "production"},
        built=(("/service/node_modules", "node_modules"), ("/service/dist", "dist")),
        files=("db", "openapi.json", "package.json"),
        start=("node", "--enable-source-maps", "dist/main.js"),
        migrate=("node", "dist/migrate.js"),
        api_key=("node", "dist/api-key.js"),
        setup=Action(
            "actions/setup-node", "6044e13b5dc448c55e2357c09f80417699197238", "v6.2.0",
            {"node-version": "24", "cache": "npm"},
        ),
        ignored=("dist", "node_modules"),
        tls="no-verify",
    ),
)  # fmt: skip
