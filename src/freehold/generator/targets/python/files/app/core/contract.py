"""The contract, as a document and as a page. The page is served from here: it works where no other host is reached."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles

from app.core.web import Route

DOCUMENT = Path(__file__).parents[2] / "openapi.json"
VIEWER = "/docs/viewer"

router = APIRouter(route_class=Route)


@router.get("/openapi.json")
async def document() -> FileResponse:
    return FileResponse(DOCUMENT, media_type="application/json")


@router.get("/docs")
async def page() -> HTMLResponse:
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="API reference",
        swagger_js_url=f"{VIEWER}/swagger-ui-bundle.js",
        swagger_css_url=f"{VIEWER}/swagger-ui.css",
        swagger_favicon_url=f"{VIEWER}/favicon.png",
    )


def viewer() -> StaticFiles:
    """Swagger UI, from a package that brings its files."""
    return StaticFiles(packages=[("fastapi_offline", "static")])
