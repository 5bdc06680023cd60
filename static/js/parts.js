/* Elements that only some pages have, loaded where they stand. The paths are literals: they become hashed names. */
const PARTS = {
  "api-link": () => import("./elements/api-link.js"),
  "array-input": () => import("./elements/array-input.js"),
  "code-samples": () => import("./elements/code-samples.js"),
  "choice-list": () => import("./elements/choice-list.js"),
  "compare-link": () => import("./elements/compare-link.js"),
  "deployment-picker": () => import("./elements/deployment-picker.js"),
  "field-group": () => import("./elements/field-group.js"),
  "field-list": () => import("./elements/field-list.js"),
  "json-editor": () => import("./elements/json-editor.js"),
  "keys-sheet": () => import("./elements/keys-sheet.js"),
  "media-input": () => import("./elements/media-input.js"),
  "new-deployment": () => import("./elements/new-deployment.js"),
  "number-row": () => import("./elements/number-row.js"),
  "run-acts": () => import("./elements/run-acts.js"),
  "run-view": () => import("./elements/run-view.js"),
  "start-timeline": () => import("./elements/start-timeline.js"),
  "stream-composer": () => import("./elements/stream-composer.js"),
  "variable-rows": () => import("./elements/variable-rows.js"),
};

// A field asks its control for its value the moment it stands.
const FIELDS = {
  "play-field": () => import("./elements/play-field.js"),
};

/** Define what stands under a root, and in the templates of its parts; not in those of forms that wait. */
export async function bring(root) {
  for (const kinds of [PARTS, FIELDS]) await Promise.all(find(root, kinds).map((load) => load()));
}

function find(root, kinds) {
  const found = Object.keys(kinds).filter((tag) => root.querySelector(tag)).map((tag) => kinds[tag]);
  for (const template of root.querySelectorAll("template:not([data-form-of])")) found.push(...find(template.content, kinds));
  return found;
}
