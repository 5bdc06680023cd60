"""The index that inputs are found by: FTS5 on SQLite, tsvector on Postgres. See ``inputs/search.py``."""

from django.db import migrations

SQLITE = (
    "CREATE VIRTUAL TABLE inputs_search USING fts5("
    "words, marks, detail = full, prefix = '1 2 3 4', tokenize = 'unicode61 remove_diacritics 2')"
)
POSTGRES = (
    "CREATE TABLE inputs_search ("
    "rowid bigint PRIMARY KEY REFERENCES inputs_input (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, "
    "words tsvector NOT NULL)",
    "CREATE INDEX inputs_search_words ON inputs_search USING gin (words)",
)


def make(apps, editor):
    for statement in POSTGRES if editor.connection.vendor == "postgresql" else (SQLITE,):
        editor.execute(statement)


def take_away(apps, editor):
    editor.execute("DROP TABLE inputs_search")


class Migration(migrations.Migration):
    dependencies = [("inputs", "0001_initial")]
    operations = [migrations.RunPython(make, take_away, elidable=False)]
