"""How long a page of deployments takes with 1,000 in the catalog: ``python -m tests.benchmarks.listing``."""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time

MANY = 1000
ROUNDS = 30


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PLAYGROUND_DATA_DIR"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "playground.settings"
        import django

        django.setup()
        _measure()


def _measure() -> None:
    from clarifai_grpc.grpc.api import service_pb2
    from django.core.management import call_command

    from playground.gateway.families.deployments import list_deployments

    call_command("migrate", verbosity=0, interactive=False)
    owner = _fill()
    for per_page, page in ((16, 1), (128, 1), (128, 7)):
        request = service_pb2.ListDeploymentsRequest(per_page=per_page, page=page)
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            list_deployments(owner, request).SerializeToString()
            took.append((time.perf_counter() - began) * 1000)
        found = f"median {statistics.median(took):.1f} ms, worst {max(took):.1f} ms"
        sys.stdout.write(f"{per_page} of {MANY}, page {page}: {found}\n")


def _fill() -> object:
    from django.db import transaction

    from playground.catalog.models import Model, ModelVersion
    from playground.catalog.services import ensure_owner
    from playground.compute.services import create_deployment
    from playground.compute.setup import ensure_shared_nodepool

    owner, app = ensure_owner()
    nodepool = ensure_shared_nodepool(owner)
    with transaction.atomic():
        for number in range(MANY // 2):
            model = Model.objects.create(app=app, slug=f"m{number}")
            for _ in range(3):
                ModelVersion.objects.create(model=model, folder="/nowhere")
            for which in range(2):
                create_deployment(owner, f"d{number}-{which}", model, nodepools=[nodepool], min_replicas=0)
    return owner


if __name__ == "__main__":
    main()
