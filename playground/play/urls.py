"""Addresses of the model pages and of runs. A model's page has the address that programs use for the model."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from playground.play import compute_views, views

app_name = "play"
MODEL = "<str:user_id>/<str:app_id>/models/<str:model_id>"
DEPLOYMENT = "compute/deployments/<str:user_id>/<str:deployment_id>"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="play:models"), name="home"),
    path("models/", views.models, name="models"),
    path("runs/", views.runs, name="runs"),
    path("runs/running", views.running, name="running"),
    path("runs/<uuid:run_id>", views.run, name="run"),
    path("deployments/<int:pk>/state", views.deployment_state, name="deployment_state"),
    path("deployments/<int:pk>/retry", views.retry, name="retry"),
    path("compute/", compute_views.compute, name="compute"),
    path("compute/deployments", compute_views.compute_deployments, name="compute_deployments"),
    path(DEPLOYMENT, compute_views.deployment, name="compute_deployment"),
    path(f"{DEPLOYMENT}/live", compute_views.deployment_live, name="compute_live"),
    path(f"{DEPLOYMENT}/log", compute_views.deployment_log, name="compute_log"),
    path(f"{DEPLOYMENT}/retry", compute_views.retry, name="compute_retry"),
    path(f"{DEPLOYMENT}/enable", compute_views.enable, name="compute_enable"),
    path(f"{DEPLOYMENT}/scale", compute_views.scale, name="compute_scale"),
    path(f"{DEPLOYMENT}/delete", compute_views.delete, name="compute_delete"),
    path(MODEL, views.model, name="model"),
    path(f"{MODEL}/versions/<str:version_id>", views.model, name="model_version"),
    path(f"{MODEL}/runs", views.model_runs, name="model_runs"),
    path(f"{MODEL}/runs/recent", views.recent, name="recent"),
]
