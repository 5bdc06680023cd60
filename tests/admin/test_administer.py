"""Django's admin: for administrators alone, below our sign-in and policy; its changes go through the services."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from playground.admin import site
from playground.catalog.models import AccessToken, Change, Model, User, Workflow, WorkflowVersion
from playground.catalog.services import ensure_owner
from playground.catalog.tokens import create_token, digest
from playground.compute import services
from playground.compute.models import Cluster, Deployment, Nodepool
from playground.compute.setup import ensure_shared_nodepool
from playground.doors import static
from playground.middleware import POLICY

if TYPE_CHECKING:
    from pathlib import Path

    from django.http import HttpResponse
    from pytest_django.fixtures import SettingsWrapper

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    owner, _ = ensure_owner()
    ensure_shared_nodepool(owner)
    return owner


@pytest.fixture
def model(owner: User) -> Model:
    return Model.objects.create(app=ensure_owner()[1], slug="tiny")


@pytest.fixture
def admin(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def deployment_form(**given: object) -> dict[str, object]:
    plain = {
        "slug": "mine",
        "min_replicas": 1,
        "max_replicas": 2,
        "traffic_history_seconds": 60,
        "scale_up_delay_seconds": 5,
        "scale_down_delay_seconds": 60,
        "scale_to_zero_delay_seconds": 900,
        "queue_limit": 256,
        "scheduling_choice": 4,
        "visibility": 10,
        "is_enabled": "on",
        "nodepools": "owner/local/shared",
    }
    return plain | given


def said(response: HttpResponse) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def test_a_stranger_is_sent_to_our_sign_in() -> None:
    reply = Client().get("/admin/", follow=True)
    assert reply.redirect_chain[-1][0].startswith("/sign-in/?next=/admin/")
    assert reply.status_code == 200


def test_who_is_no_administrator_is_refused() -> None:
    client = Client()
    client.force_login(User.objects.create(username="ada"))
    assert client.get("/admin/", follow=True).status_code == 403


def test_each_page_opens_for_an_administrator_who_is_no_superuser(owner: User, model: Model) -> None:
    services.create_deployment(owner, "mine", model, nodepools=[Nodepool.objects.get()], secrets={"KEY": "hush"})
    create_token(owner)
    workflow = Workflow.objects.create(app=model.app, slug="chain")
    WorkflowVersion.objects.create(workflow=workflow, graph={"nodes": []}, yaml="workflow: {id: chain, nodes: []}")
    staff = Client()
    staff.force_login(User.objects.create(username="ada", is_staff=True))
    for row in site._registry:
        path = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        reply = staff.get(reverse(f"{path}_changelist"))
        assert reply.status_code == 200
        assert reply["Content-Security-Policy"] == POLICY
        for found in row.objects.all()[:1]:
            page = staff.get(reverse(f"{path}_change", args=[found.pk]))
            assert page.status_code == 200
            assert "hush" not in page.content.decode()


def test_pages_hold_nothing_that_our_policy_forbids(admin: Client, model: Model) -> None:
    for name in ("index", "compute_deployment_changelist", "compute_deployment_add"):
        text = admin.get(reverse(f"admin:{name}")).content.decode()
        scripts = [part.split(">")[0] for part in text.split("<script")[1:]]
        assert all("src=" in script for script in scripts)
        assert "<style" not in text
        assert " onclick=" not in text


def test_no_page_shows_what_a_token_is_kept_as(admin: Client, owner: User) -> None:
    token = create_token(owner)
    row = AccessToken.objects.get()
    for page in (
        reverse("admin:catalog_accesstoken_changelist"),
        reverse("admin:catalog_accesstoken_change", args=[row.pk]),
    ):
        text = admin.get(page).content.decode()
        assert row.prefix in text
        assert digest(token) not in text


def test_a_token_is_revoked(admin: Client, owner: User) -> None:
    create_token(owner)
    page = reverse("admin:catalog_accesstoken_changelist")
    admin.post(page, {"action": "revoke", "_selected_action": [AccessToken.objects.get().pk]})
    assert AccessToken.objects.get().revoked_at is not None


def test_a_cluster_is_made_changed_and_deleted(admin: Client) -> None:
    add = reverse("admin:compute_cluster_add")
    admin.post(add, {"slug": "lab", "visibility": 10, "region": "cellar"})
    lab = Cluster.objects.get(slug="lab")
    assert (lab.owner.username, lab.region) == ("owner", "cellar")
    admin.post(reverse("admin:compute_cluster_change", args=[lab.pk]), {"visibility": 50, "region": "attic"})
    lab.refresh_from_db()
    assert (lab.slug, lab.region, lab.visibility) == ("lab", "attic", 50)
    admin.post(reverse("admin:compute_cluster_delete", args=[lab.pk]), {"post": "yes"})
    assert not Cluster.objects.filter(slug="lab").exists()
    assert Change.objects.filter(kind="cluster", key=str(lab.pk)).count() == 3


def test_what_the_services_refuse_is_told(admin: Client, model: Model) -> None:
    add = reverse("admin:compute_deployment_add")
    reply = admin.post(add, deployment_form(model=model.pk, min_replicas=3), follow=True)
    assert said(reply) == ["min_replicas is 3, above max_replicas, which is 2."]
    assert not Deployment.objects.exists()


def test_a_deployment_is_made_and_changed_with_its_environment(admin: Client, model: Model) -> None:
    add = reverse("admin:compute_deployment_add")
    form = deployment_form(model=model.pk, environment="A=1\nB=2=3", secret_name="KEY", secret_value=" hush ")
    assert admin.post(add, form).status_code == 302
    row = Deployment.objects.get()
    assert services.environment_of(row) == {"A": "1", "B": "2=3", "KEY": " hush "}
    change = reverse("admin:compute_deployment_change", args=[row.pk])
    assert "hush" not in admin.get(change).content.decode()
    assert admin.post(change, deployment_form(environment="A=1", max_replicas=5)).status_code == 302
    row.refresh_from_db()
    assert row.max_replicas == 5
    assert row.generation == 2
    assert services.environment_of(row) == {"A": "1", "KEY": " hush "}


def test_nothing_changed_begins_no_generation(admin: Client, model: Model) -> None:
    admin.post(reverse("admin:compute_deployment_add"), deployment_form(model=model.pk, environment="A=1"))
    row = Deployment.objects.get()
    admin.post(reverse("admin:compute_deployment_change", args=[row.pk]), deployment_form(environment="A=1"))
    row.refresh_from_db()
    assert row.generation == 1


def test_a_shared_deployment_is_not_deleted(admin: Client, model: Model) -> None:
    row = services.ensure_shared_deployment(model)
    page = reverse("admin:compute_deployment_changelist")
    form = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    reply = admin.post(page, form, follow=True)
    assert "stays with it" in said(reply)[0]
    assert Deployment.objects.filter(pk=row.pk).exists()


def test_actions_go_through_the_services(admin: Client, model: Model) -> None:
    row = services.ensure_shared_deployment(model)
    page = reverse("admin:compute_deployment_changelist")
    for action, is_enabled in (("disable", False), ("enable", True)):
        admin.post(page, {"action": action, "_selected_action": [row.pk]})
        row.refresh_from_db()
        assert row.is_enabled is is_enabled


def test_a_nodepool_takes_lists_as_json(admin: Client, owner: User) -> None:
    cluster = services.create_cluster(owner, "lab")
    form = {
        "cluster": cluster.pk,
        "slug": "far",
        "engine": "remote",
        "addresses": '["10.0.0.5:8000"]',
        "instance_types": "",
        "capacity_types": "[2]",
        "min_instances": 0,
        "max_instances": 1,
        "visibility": 10,
    }
    assert admin.post(reverse("admin:compute_nodepool_add"), form).status_code == 302
    assert Nodepool.objects.get(slug="far").addresses == [{"address": "10.0.0.5:8000", "tls": False}]
    assert Nodepool.objects.get(slug="far").capacity_types == [2]


def test_it_lives_below_the_sub_path() -> None:
    assert get_resolver().namespace_dict["admin"][0] == "admin/"


def test_signing_out_there_is_signing_out(admin: Client) -> None:
    assert admin.post(reverse("admin:logout"))["Location"] == reverse("signin")
    assert admin.get("/admin/").status_code == 302


def test_all_files_that_its_pages_name_are_collected(
    admin: Client, model: Model, tmp_path: Path, settings: SettingsWrapper
) -> None:
    """Only part of the admin's files is collected: a page that names another one would fail here."""
    services.create_deployment(model.app.owner, "mine", model, nodepools=[Nodepool.objects.get()])
    create_token(model.app.owner)
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {**settings.STORAGES}  # so that the storage is made anew, there
    static.collect()
    settings.STORAGES = {**settings.STORAGES}
    for row in site._registry:
        path = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        pages = [reverse(f"{path}_changelist")]
        pages += [reverse(f"{path}_{page}", args=[found.pk]) for found in row.objects.all()[:1] for page in PAGES]
        for page in pages:
            reply = admin.get(page)
            assert reply.status_code in (200, 403), page  # a row of a kind that is only read is not deleted
    assert "/static/admin/css/base." in admin.get("/admin/").content.decode()


PAGES = ("change", "delete", "history")
