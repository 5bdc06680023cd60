"""Acts on workflows: add, edit, delete; and a workflow as its user may run it, with the signatures of its models."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction

from playground.catalog.access import Role, require_role
from playground.catalog.edits import DESCRIPTION_LENGTH
from playground.catalog.ids import validate_id
from playground.catalog.models import (
    PRIVATE,
    App,
    Model,
    ModelVersion,
    User,
    Workflow,
    WorkflowVersion,
    latest_version,
    note_change,
)
from playground.catalog.sharing import check_visibility
from playground.protocol.errors import InputError, NotFoundError
from playground.sdk.graphs import (
    GraphError,
    Plan,
    Problem,
    make_plan,
    read_yaml,
    to_plain,
    with_id,
    with_lines,
    write_yaml,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from playground.protocol.signatures import Signature
    from playground.sdk.graphs import Graph, Node, NodeModel

NODE_CHECKS: list[Callable[[User, Sequence[Node]], Sequence[Problem]]] = []
"""What rooms above find wrong with the nodes of a workflow that is about to be kept: they add theirs as they begin."""


def add_workflow(
    user: User,
    app: App,
    text: str,
    *,
    workflow_id: str = "",
    description: str | None = None,
    visibility: int | None = None,
) -> WorkflowVersion:
    """The workflow that the YAML ``text`` is: new in ``app``, or a new version of the one with its id there.

    Raises GraphError with every problem and its line, AccessError, InputError.
    """
    require_role(user, app, Role.MEMBER)
    graph = read_yaml(text)
    check(user, app, text, workflow_id=workflow_id)
    slug = workflow_id or graph.id
    return _store(user, app, graph, with_id(graph, text, slug), slug, description, visibility)


def check(user: User, app: App, text: str, *, workflow_id: str = "") -> Plan:
    """The plan of a workflow that ``text`` would be in ``app``, under ``workflow_id`` or the id that it tells. Raises
    GraphError with every problem and its line."""
    graph = read_yaml(text)
    problems = [*_head_problems(graph, workflow_id or graph.id), *_node_problems(user, _within(graph, app))]
    try:
        plan = plan_graph(user, _within(graph, app))
    except GraphError as error:
        raise with_lines(GraphError([*problems, *error.problems]), text) from None
    if problems:
        raise with_lines(GraphError(problems), text)
    return plan


def _node_problems(user: User, graph: Graph) -> list[Problem]:
    return [problem for find in NODE_CHECKS for problem in find(user, graph.nodes)]


def _head_problems(graph: Graph, slug: str) -> list[Problem]:
    found = []
    if message := _id_problem(slug):
        found.append(Problem(message if slug else f"A workflow needs an id: {message}", key="id"))
    if len(graph.description) > DESCRIPTION_LENGTH:
        words = f"A description is a text of at most {DESCRIPTION_LENGTH:,} characters."
        found.append(Problem(words, key="description"))
    return found


def _id_problem(slug: str) -> str:
    try:
        validate_id(slug)
    except ValidationError as error:
        return str(error.messages[0])
    return ""


def check_new(app: App, text: str) -> None:
    """Raises GraphError where ``app`` has a workflow of this id already: it is edited, not made anew."""
    slug = read_yaml(text).id
    if slug and app.workflows.filter(slug=slug).exists():
        raise with_lines(GraphError([Problem(f"{app} has a workflow {slug} already: edit that one.", key="id")]), text)


def check_same(workflow: Workflow, text: str) -> None:
    """Raises GraphError where the text tells another id than the workflow's, which stays."""
    slug = read_yaml(text).id
    if slug and slug != workflow.slug:
        words = f"This is {workflow.slug}, and its id stays: write that here, or make a new workflow of this text."
        raise with_lines(GraphError([Problem(words, key="id")]), text)


def add_graph(
    user: User, app: App, graph: Graph, *, description: str | None = None, visibility: int | None = None
) -> WorkflowVersion:
    """The same of a graph that was not written as YAML."""
    require_role(user, app, Role.MEMBER)
    whole = _within(graph, app)
    plan_graph(user, whole)
    if problems := _node_problems(user, whole):
        raise GraphError(problems)
    return _store(user, app, graph, write_yaml(graph), graph.id, description, visibility)


@transaction.atomic
def _store(
    user: User, app: App, graph: Graph, text: str, slug: str, description: str | None, visibility: int | None
) -> WorkflowVersion:
    if message := _id_problem(slug):
        raise InputError(message, argument="id")
    told = graph.description if description is None else description
    if len(told) > DESCRIPTION_LENGTH or "\0" in told:
        raise InputError(f"A description is a text of at most {DESCRIPTION_LENGTH} characters.", argument="description")
    workflow, created = Workflow.objects.get_or_create(app=app, slug=slug, defaults={"description": told})
    if visibility is not None and visibility != workflow.visibility:
        set_visibility(user, workflow, visibility)
    latest = None if created else workflow.latest
    if description is None and not told and latest is not None and not latest.graph["workflow"].get("description"):
        told = workflow.description  # it never stood in the text
    if latest is not None and latest.yaml == text and workflow.description == told:
        return latest
    if workflow.description != told:
        workflow.description = told
        workflow.save(update_fields=["description", "modified_at"])
    if latest is not None and latest.yaml == text:
        return latest
    version = WorkflowVersion.objects.create(
        workflow=workflow, graph=to_plain(replace(graph, id=slug)), yaml=text.replace("\0", "")
    )
    note_change("workflow", workflow.pk)
    return version


@transaction.atomic
def set_visibility(user: User, workflow: Workflow, visibility: int) -> None:
    """Private, or public to everybody who is signed in. Raises AccessError, InputError."""
    check_visibility(visibility)
    if visibility != PRIVATE or workflow.visibility != PRIVATE:
        require_role(user, workflow.app, Role.OWNER)
    workflow.visibility = visibility
    workflow.save(update_fields=["visibility", "modified_at"])
    note_change("workflow", workflow.pk)


@transaction.atomic
def delete_workflow(user: User, workflow: Workflow) -> None:
    """With its versions and its runs. Raises AccessError."""
    require_role(user, workflow.app, Role.OWNER)
    note_change("workflow", workflow.pk)
    workflow.delete()


def find_workflow(user: User, user_id: str, app_id: str, workflow_id: str) -> Workflow:
    """Raises NotFoundError, in the same words for what is not there and what is not shared."""
    found = Workflow.objects.visible_to(user).select_related("app__owner").at(user_id, app_id, workflow_id).first()
    if found is None:
        address = f"{user_id}/{app_id}/workflows/{workflow_id}"
        raise NotFoundError(f"No workflow {address} for you. It does not exist, or is not shared with you.")
    return found


def find_version(workflow: Workflow, version_id: str = "") -> WorkflowVersion:
    """The version of this id, else the newest. Raises NotFoundError."""
    found = workflow.versions.filter(slug=version_id).first() if version_id else workflow.latest
    if found is None:
        raise NotFoundError(f"The workflow {workflow} has no version {version_id or 'yet'}.")
    return found


def plan_of(user: User, version: WorkflowVersion) -> Plan:
    """How ``user`` would run it, now. Raises GraphError where a model is gone, or is not one they see."""
    return plan_graph(user, version.read())


def plans_of(user: User, versions: Iterable[WorkflowVersion]) -> dict[int, Plan | GraphError]:
    """The plans of many versions by their keys, looked up together; an error where there is none."""
    graphs = {version.pk: _read(version) for version in versions}
    readable = [graph for graph in graphs.values() if not isinstance(graph, GraphError)]
    known = _Known(user, [node.model for graph in readable for node in graph.nodes if node.model is not None])
    return {pk: _plan(graph, known) for pk, graph in graphs.items()}


def _read(version: WorkflowVersion) -> Graph | GraphError:
    try:
        return version.read()
    except GraphError as error:
        return error


def _plan(graph: Graph | GraphError, known: _Known) -> Plan | GraphError:
    if isinstance(graph, GraphError):
        return graph
    try:
        return make_plan(graph, known.of(graph))
    except GraphError as error:
        return error


def plan_graph(user: User, graph: Graph) -> Plan:
    """The plan of a graph whose models' addresses are complete. Raises GraphError."""
    return make_plan(graph, _Known(user, [node.model for node in graph.nodes if node.model is not None]).of(graph))


class _Known:
    """The signatures of models as a user sees them, each version read once."""

    def __init__(self, user: User, wanted: Iterable[NodeModel]) -> None:
        wanted = set(wanted)
        named = Model.objects.visible_to(user).filter(slug__in={model.model_id for model in wanted})
        rows = named.annotate(newest=latest_version("pk")).values_list(
            "app__owner__username", "app__slug", "slug", "pk", "newest"
        )
        self._models = {(owner, app, slug): (pk, newest) for owner, app, slug, pk, newest in rows}
        pks = {newest for _, newest in self._models.values() if newest is not None}
        named_versions = {model.version_id for model in wanted if model.version_id}
        found = ModelVersion.objects.filter(pk__in=pks) | ModelVersion.objects.filter(
            model__in=[pk for pk, _ in self._models.values()], slug__in=named_versions
        )
        versions = list(found.only("model_id", "slug", "signatures_proto"))
        self._by_pk = {version.pk: version for version in versions}
        self._by_slug = {(version.model_id, version.slug): version for version in versions}

    def of(self, graph: Graph) -> dict[str, Sequence[Signature] | None]:
        """By node: None where there is no such model, none while they are not known yet."""
        return {node.id: self._of(node.model) for node in graph.nodes if node.model is not None}

    def _of(self, model: NodeModel) -> Sequence[Signature] | None:
        pk, newest = self._models.get((model.user_id, model.app_id, model.model_id), (None, None))
        if pk is None:
            return None
        if model.version_id:
            version = self._by_slug.get((pk, model.version_id))
            return None if version is None else version.signatures
        return self._by_pk[newest].signatures if newest in self._by_pk else []


def _within(graph: Graph, app: App) -> Graph:
    owner = app.owner.username
    nodes = tuple(
        replace(node, model=node.model.within(owner, app.slug)) if node.model is not None else node
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes)
