"""Addresses of the model pages and of runs. A model's page has the address that programs use for the model."""

from __future__ import annotations

from django.urls import path
from django.views.generic import RedirectView

from playground.play.views import (
    acts,
    api,
    chooser,
    compute,
    deployments,
    kept_runs,
    keys,
    markdown,
    models,
    new_deployment,
    overview,
    picker,
    runs,
    starts,
    versions,
)

app_name = "play"
MODEL = "<str:user_id>/<str:app_id>/models/<str:model_id>"
DEPLOYMENT = "compute/deployments/<str:user_id>/<str:deployment_id>"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="play:models"), name="home"),
    path("models/", models.models, name="models"),
    path("models/switch", models.model_switch, name="model_switch"),
    path("choose/", chooser.chooser, name="chooser"),
    path("keys/", keys.keys, name="keys"),
    path("runs/", runs.runs, name="runs"),
    path("runs/running", runs.running, name="running"),
    path("runs/table", runs.table, name="runs_table"),
    path("runs/delete", runs.delete, name="runs_delete"),
    path("runs/restore", runs.restore, name="runs_restore"),
    path("runs/<uuid:run_id>", overview.run, name="run"),
    path("runs/<uuid:run_id>/share", kept_runs.share_dialog, name="run_share"),
    path("runs/<uuid:run_id>/shared", kept_runs.share, name="run_shared"),
    path("runs/<uuid:run_id>/export", kept_runs.download, name="run_export"),
    path("runs/<uuid:run_id>/media/<str:media_id>", kept_runs.run_media, name="run_media"),
    path("deployments/<int:pk>/state", starts.deployment_state, name="deployment_state"),
    path("deployments/<int:pk>/retry", starts.retry, name="retry"),
    path("deployments/<int:pk>/start", new_deployment.start, name="new_deployment_start"),
    path("markdown", markdown.markdown, name="markdown"),
    path("compute/", compute.compute, name="compute"),
    path("compute/deployments", compute.compute_deployments, name="compute_deployments"),
    path("compute/deployments/new", new_deployment.new_deployment, name="new_deployment"),
    path(DEPLOYMENT, compute.deployment, name="compute_deployment"),
    path(f"{DEPLOYMENT}/cancel", new_deployment.cancel, name="cancel_deployment"),
    path(f"{DEPLOYMENT}/live", compute.deployment_live, name="compute_live"),
    path(f"{DEPLOYMENT}/log", compute.deployment_log, name="compute_log"),
    path(f"{DEPLOYMENT}/retry", compute.retry, name="compute_retry"),
    path(f"{DEPLOYMENT}/enable", compute.enable, name="compute_enable"),
    path(f"{DEPLOYMENT}/scale", compute.scale, name="compute_scale"),
    path(f"{DEPLOYMENT}/delete", compute.delete, name="compute_delete"),
    path(f"{DEPLOYMENT}/acts/<str:act>", acts.dialog, name="compute_act"),
    path(f"{DEPLOYMENT}/edit", acts.edit, name="compute_edit"),
    path(f"{DEPLOYMENT}/log/download", acts.download_log, name="compute_log_download"),
    path(MODEL, overview.model, name="model"),
    path(f"{MODEL}/about", models.model_about, name="model_about"),
    path(f"{MODEL}/versions", versions.model_versions, name="model_versions"),
    path(f"{MODEL}/versions/<str:version_id>", overview.model, name="model_version"),
    path(f"{MODEL}/versions/<str:version_id>/log", versions.build_log, name="version_log"),
    path(f"{MODEL}/deployments", deployments.deployments, name="model_deployments"),
    path(f"{MODEL}/deployments/table", deployments.table, name="model_deployments_table"),
    path(f"{MODEL}/deployments/csv", deployments.as_csv, name="model_deployments_csv"),
    path(f"{MODEL}/target", chooser.target, name="target"),
    path(f"{MODEL}/place", picker.place, name="place"),
    path(f"{MODEL}/places", picker.places, name="places"),
    path(f"{MODEL}/api", api.model_api, name="model_api"),
    path(f"{MODEL}/api/code", api.model_code, name="model_code"),
    path(f"{MODEL}/runs", runs.model_runs, name="model_runs"),
    path(f"{MODEL}/runs/table", runs.model_table, name="model_runs_table"),
    path(f"{MODEL}/runs/recent", overview.recent, name="recent"),
]
