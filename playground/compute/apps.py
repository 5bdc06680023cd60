from importlib import import_module

from django.apps import AppConfig


class ComputeConfig(AppConfig):
    name = "playground.compute"
    label = "compute"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        workflows, nodes = import_module("playground.catalog.workflows"), import_module("playground.compute.nodes")
        workflows.NODE_CHECKS.append(nodes.deployment_problems)
