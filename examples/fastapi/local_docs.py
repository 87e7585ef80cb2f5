"""Swagger UI from this machine: FastAPI's own /docs page loads its script and style from a public CDN.

`npm ci` puts the files into node_modules. Nothing here has to do with sign-in.
"""

from pathlib import Path

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html, get_swagger_ui_oauth2_redirect_html
from fastapi.staticfiles import StaticFiles

FILES = Path(__file__).parent / "node_modules" / "swagger-ui-dist"


def serve(app: FastAPI):
    """Adds /docs to an app that was made with `docs_url=None`."""
    app.mount("/swagger-ui", StaticFiles(directory=FILES), name="swagger-ui")

    @app.get("/docs", include_in_schema=False)
    def docs():
        return get_swagger_ui_html(
            openapi_url=app.openapi_url,
            title=app.title,
            oauth2_redirect_url="/docs/oauth2-redirect",
            swagger_js_url="/swagger-ui/swagger-ui-bundle.js",
            swagger_css_url="/swagger-ui/swagger-ui.css",
            swagger_favicon_url="/swagger-ui/favicon-32x32.png",
        )

    @app.get("/docs/oauth2-redirect", include_in_schema=False)
    def oauth2_redirect():
        return get_swagger_ui_oauth2_redirect_html()
