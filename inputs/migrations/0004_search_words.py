"""The words of the index, each as often as it stands there: what begins as somebody typed. See ``inputs/search.py``."""

from django.db import migrations


def make(apps, editor):
    if editor.connection.vendor == "sqlite":
        editor.execute("CREATE VIRTUAL TABLE inputs_search_words USING fts5vocab(inputs_search, instance)")


def take_away(apps, editor):
    if editor.connection.vendor == "sqlite":
        editor.execute("DROP TABLE inputs_search_words")


class Migration(migrations.Migration):
    dependencies = [("inputs", "0003_prediction_nodes")]
    operations = [migrations.RunPython(make, take_away, elidable=False)]
