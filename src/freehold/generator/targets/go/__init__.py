"""net/http, pgx and plain SQL."""

from freehold.generator import own_routes
from freehold.generator.deploy import Action, Container
from freehold.generator.target import Commands, Target
from freehold.generator.targets.go.emit import emit
from freehold.generator.targets.go.format import formatter
from freehold.generator.targets.go.parse import parse

GO = Target(
    name="go",
    title="Go: net/http, pgx and plain SQL",
    emit=emit,
    formatter=formatter,
    parsers={".go": parse},
    commands=Commands(
        locks=("go.mod", "go.sum"),
        setup=(("go", "mod", "download"),),
        build=(("go", "build", "-trimpath", "-o", "bin/", "./cmd/..."),),
        migrate=("bin/migrate", "up"),
        start=("bin/api",),
        api_key=("bin/api-key",),
        environment={"GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"},
    ),
    container=Container(
        build_image=(
            "golang:1.26.8-trixie@sha256:bdca99a00bc16590cb1a0bb4e698f5fc5d6a64e4d5eef13d9f18a0ee08e5fa65"
        ),
        locks=("go.mod", "go.sum"),
        install=("go mod download",),
        sources=("cmd", "internal", "db", "assets.go", "openapi.json"),
        build=('CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w" -o bin/ ./cmd/...',),
        image=(
            "gcr.io/distroless/static-debian13:nonroot"
            "@sha256:f7f8f729987ad0fdf6b05eeeae94b26e6a0f613bdf46feea7fc40f7bd72953e6"
        ),
        built=(("/service/bin/api", "/api"), ("/service/bin/migrate", "/migrate")),
        built_for_keys=(("/service/bin/api-key", "/api-key"),),
        start=("/api",),
        migrate=("/migrate",),
        api_key=("/api-key",),
        setup=Action(
            "actions/setup-go",
            "44694675825211faa026b3c33043df3e48a5fa00",
            "v6.0.0",
            {"go-version-file": "go.mod", "cache-dependency-path": "go.sum"},
        ),
        ignored=("bin",),
        memory_mb=128,
    ),
    once=("internal/*/hooks.go", "internal/server/extra.go", own_routes.FILE),
)
