"""Tells Piccolo's commands where the migrations and the tables are."""

import pkgutil
from pathlib import Path

from piccolo.conf.apps import AppConfig, table_finder

import db.migrations
import db.tables
from db.migrate import APP_NAME

APP_CONFIG = AppConfig(
    app_name=APP_NAME,
    migrations_folder_path=str(Path(db.migrations.__file__).parent),
    table_classes=table_finder([f"db.tables.{module.name}" for module in pkgutil.iter_modules(db.tables.__path__)]),
    migration_dependencies=[],
)
