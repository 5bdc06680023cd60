"""Workflows in the catalog: added, changed as versions, shared, deleted; and read as each person may run them."""

from __future__ import annotations

import pytest

from playground.catalog import workflows
from playground.catalog.models import PRIVATE, PUBLIC, App, Change, Membership, Model, ModelVersion, User, Workflow
from playground.protocol.errors import AccessError, InputError, NotFoundError
from playground.sdk.graphs import GraphError, Plan, read_yaml
from tests.graphs.shelf import SHELF

pytestmark = pytest.mark.django_db
TEXT = """\
workflow:
  id: people
  description: People, named.
  nodes:
    - id: detect
      model: {model_id: nanodet}
    - id: name
      model: {model_id: efficientnet}
      crop: true
      node_inputs: [{node_id: detect}]
"""


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada")


@pytest.fixture
def app(ada: User) -> App:
    app = App.objects.create(owner=ada, slug="main")
    for name in ("nanodet", "efficientnet", "new"):
        version = ModelVersion(model=Model.objects.create(app=app, slug=name), folder="-")
        version.signatures = SHELF[name]
        version.save()
    return app


def person(app: App, name: str, role: str = "") -> User:
    made = User.objects.create_user(name)
    if role:
        Membership.objects.create(app=app, user=made, role=role)
    return made


def test_it_is_kept_as_it_was_written(ada: User, app: App) -> None:
    version = workflows.add_workflow(ada, app, TEXT)
    workflow = version.workflow
    assert (str(workflow), workflow.description, workflow.visibility) == (
        "ada/main/workflows/people",
        "People, named.",
        PRIVATE,
    )
    assert version.yaml == TEXT
    graph = version.read()
    assert [str(node.model) for node in graph.nodes] == ["ada/main/models/nanodet", "ada/main/models/efficientnet"]
    assert Change.objects.filter(kind="workflow", key=str(workflow.pk)).exists()


def test_other_text_is_a_new_version_and_the_same_is_none(ada: User, app: App) -> None:
    first = workflows.add_workflow(ada, app, TEXT)
    assert workflows.add_workflow(ada, app, TEXT) == first
    second = workflows.add_workflow(ada, app, TEXT.replace("People, named.", "Other."))
    assert (second.workflow, second.workflow.latest) == (first.workflow, second)
    assert Workflow.objects.get().description == "Other."
    assert workflows.find_version(second.workflow, first.slug) == first


def test_what_it_is_called_here_stands_in_its_text_and_a_description_goes_as_it_came(ada: User, app: App) -> None:
    version = workflows.add_workflow(ada, app, TEXT, workflow_id="crowd")
    assert version.yaml == TEXT.replace("id: people", "id: crowd")
    bare = version.yaml.replace("  description: People, named.\n", "")
    assert workflows.add_workflow(ada, app, bare).workflow.description == ""
    workflows.add_workflow(ada, app, bare, description="Said apart.")
    assert workflows.add_workflow(ada, app, bare).workflow.description == "Said apart."


def test_what_is_wrong_is_told_with_its_line_and_nothing_is_kept(ada: User, app: App) -> None:
    with pytest.raises(GraphError) as caught:
        workflows.add_workflow(ada, app, TEXT.replace("efficientnet", "effnet"))
    (problem,) = caught.value.problems
    assert str(problem) == (
        "line 8: No model ada/main/models/effnet for you. It does not exist, or is not shared with you."
    )
    assert not Workflow.objects.exists()


@pytest.mark.parametrize("slug", ["", "a b", "x" * 65, "../x"])
def test_a_bad_id_is_refused(ada: User, app: App, slug: str) -> None:
    with pytest.raises(InputError, match="cannot be an id"):
        workflows.add_workflow(ada, app, TEXT.replace("id: people", f'id: "{slug}"'))


def test_members_make_and_owners_share_and_delete(ada: User, app: App) -> None:
    member, viewer = person(app, "merle", "member"), person(app, "vera", "viewer")
    with pytest.raises(AccessError):
        workflows.add_workflow(viewer, app, TEXT)
    version = workflows.add_workflow(member, app, TEXT)
    for act in (
        lambda: workflows.delete_workflow(member, version.workflow),
        lambda: workflows.add_workflow(member, app, TEXT, visibility=PUBLIC),
    ):
        with pytest.raises(AccessError):
            act()
    workflows.add_workflow(ada, app, TEXT, visibility=PUBLIC)
    workflows.delete_workflow(ada, version.workflow)
    assert not Workflow.objects.exists()


def test_a_public_workflow_opens_no_closed_model(ada: User, app: App) -> None:
    version = workflows.add_workflow(ada, app, TEXT, visibility=PUBLIC)
    stranger = person(app, "stan")
    assert workflows.find_workflow(stranger, "ada", "main", "people") == version.workflow
    with pytest.raises(GraphError) as caught:
        workflows.plan_of(stranger, version)
    assert [problem.node for problem in caught.value.problems] == ["detect", "name"]
    Model.objects.update(visibility=PUBLIC)
    assert [step.node.id for step in workflows.plan_of(stranger, version).steps] == ["detect", "name"]


def test_a_private_one_reads_as_none(ada: User, app: App) -> None:
    workflows.add_workflow(ada, app, TEXT)
    with pytest.raises(NotFoundError, match="does not exist, or is not shared with you"):
        workflows.find_workflow(person(app, "stan"), "ada", "main", "people")


def test_a_model_that_goes_takes_the_plan_with_it(ada: User, app: App) -> None:
    version = workflows.add_workflow(ada, app, TEXT)
    Model.objects.filter(slug="nanodet").delete()
    found = workflows.plans_of(ada, [version])[version.pk]
    assert isinstance(found, GraphError)
    assert "No model ada/main/models/nanodet" in found.message


def test_many_are_planned_with_few_queries(ada: User, app: App, django_assert_max_num_queries: object) -> None:
    versions = [workflows.add_workflow(ada, app, TEXT, workflow_id=f"w{number}") for number in range(5)]
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        plans = workflows.plans_of(ada, versions)
    assert all(isinstance(plan, Plan) for plan in plans.values())


def test_a_version_that_is_named_is_the_one_that_counts(ada: User, app: App) -> None:
    model = Model.objects.get(slug="nanodet")
    old = model.latest
    assert old is not None
    ModelVersion.objects.create(model=model, folder="-")  # not loaded yet
    assert workflows.plan_graph(ada, _within(ada, TEXT)).unknown == ("detect",)
    fixed = TEXT.replace("{model_id: nanodet}", f"{{model_id: nanodet, model_version_id: {old.slug}}}")
    assert workflows.plan_graph(ada, _within(ada, fixed)).unknown == ()
    with pytest.raises(GraphError):
        workflows.plan_graph(ada, _within(ada, fixed.replace(old.slug, "0" * 32)))


def _within(ada: User, text: str) -> object:
    version = workflows._store(ada, ada.apps.get(), read_yaml(text), text, "x", None, None)
    return version.read()
