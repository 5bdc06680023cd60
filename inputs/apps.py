from importlib import import_module

from django.apps import AppConfig


class InputsConfig(AppConfig):
    name = "inputs"
    label = "inputs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        import_module("inputs.services.deleting")  # it hears of apps that other rooms delete
