"""For Piccolo's commands (`piccolo migrations new graphmark`); the server itself does not read this.

Uses `GRAPHMARK_DATABASE_URL`, or else the embedded PostgreSQL that runs on the data folder.
"""

from piccolo.conf.apps import AppRegistry
from piccolo.engine.postgres import PostgresEngine

from kit.postgres import running_url
from kit.settings import load_settings

_settings = load_settings()

DB = PostgresEngine(config={"dsn": _settings.database_url or running_url(_settings.data_dir)})
APP_REGISTRY = AppRegistry(apps=["db.piccolo_app"])
