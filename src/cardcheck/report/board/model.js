// One model's section, made when it is asked for by its address, so that links and the browser's back button work.
function item(into, term, ...what) {
  into.append(el("dt", {}, term), el("dd", {}, ...what));
}

function card(title, ...children) {
  return el("section", { class: "card" }, el("h3", {}, title), ...children);
}

function bullets(texts, kind) {
  return el("ul", { class: kind }, ...texts.map((text) => el("li", {}, text)));
}

function bar(low, high, marks) { // intervals and marks from 0 to 1
  const picture = svg("svg", { class: "iv", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" });
  picture.append(svg("rect", { x: 100 * low, y: 0, width: Math.max(0.5, 100 * (high - low)), height: 8 }));
  for (const [name, value] of marks) picture.append(svg("rect", { class: name, x: 100 * value - 0.75, y: 0, width: 1.5, height: 8 }));
  return picture;
}

function places(model) {
  const about = el("dl", { class: "about" });
  const tied = models.filter((other) => other.group === model.group && other.place !== null);
  if (model.place === null) item(about, "official place", "not ranked by the benchmark");
  else {
    const [first, last] = [Math.min(...tied.map((m) => m.place)), Math.max(...tied.map((m) => m.place))];
    item(about, "official place", model.mean === null ? `${model.place}, without a mean: it has ${model.tasks} of ${data.tasks_of_board} tasks` : `${model.place}, mean ${points(model.mean, 2)}`,
      el("small", {}, tied.length > 1 ? `group ${model.group}, places ${first} to ${last}: ${tied.length} models, of which the first is not shown to be better than the others`
        : `group ${model.group}, alone in it`));
  }
  if (model.score === null) item(about, "credible score", "none: too few results say something of it");
  else item(about, "credible score", `${points(model.score)} (90 % interval ${points(model.low)} to ${points(model.high)})`, bar(model.low, model.high, [["at", model.score]]));
  item(about, "credible place", model.credible_place === null ? "none: the interval is too wide, or there is no score" : String(model.credible_place));
  item(about, "rests on", `${model.results} results, ${model.retrieval} of retrieval, ${model.private} of private tasks`,
    ...(model.strongest.length ? [el("small", {}, `most is said by ${model.strongest.join(", ")}`)] : []));
  if (model.why.length) item(about, "why", bullets(model.why, "plain"));
  return card("Places", about);
}

function facts(model) {
  const known = [
    ["revision", model.revision], ["memory", model.memory === null ? null : size(model.memory)],
    ["parameters", model.parameters === null ? null : `${(model.parameters / 1e6).toLocaleString("en")} M`],
    ["dimensions", model.dimension], ["tokens at most", model.max_tokens], ["licence", model.license],
  ];
  const about = el("dl", { class: "about" });
  for (const [name, value] of known) if (value !== null && value !== "") item(about, name, String(value));
  const missing = known.filter(([, value]) => value === null || value === "").map(([name]) => name);
  if (missing.length) item(about, "not known here", missing.join(", "));
  return card("The model", about);
}

function findings(model) {
  const list = el("ul", { class: "plain" });
  for (const [at, message, evidence, task] of model.findings) {
    const [rule, name, severity, confidence] = data.rules[at];
    list.append(el("li", {},
      el("p", {}, el("span", { class: `badge ${severity}` }, severity), ` ${rule} ${name}, ${confidence} confidence`, ...(task === null ? [] : [` · ${task}`])),
      el("p", {}, el("bdi", {}, message)), bullets(evidence, "evidence"),
      el("p", { class: "muted" }, el("code", {}, `cardcheck rules explain ${rule}`))));
  }
  const none = model.unknown.length ? "No finding in what could be checked." : "No finding.";
  return card(`Findings (${model.findings.length})`, model.findings.length ? list : el("p", {}, none));
}

function cells(model) {
  const table = el("table", { class: "cells" });
  const heads = [["task", ""], ["published", "f"], ["expected", "f"], ["90 % interval", "f x"], ["standard errors off", "f"], ["0 to 100", "x"]];
  table.append(el("thead", {}, el("tr", {}, ...heads.map(([head, name]) => el("th", { scope: "col", class: name }, head)))));
  table.append(el("tbody", {}, ...model.cells.map(([task, published, expected, low, high, standard]) => el("tr", {},
    el("th", { scope: "row" }, data.tasks[task]), el("td", { class: "f" }, points(published)), el("td", { class: "f" }, points(expected)),
    el("td", { class: "f x" }, `${points(low)} to ${points(high)}`), el("td", { class: "f" }, `${standard > 0 ? "+" : "−"}${Math.abs(standard).toFixed(1)}`),
    el("td", { class: "x" }, bar(low, high, [["mid", expected], ["pub", published]]))))));
  return card("Expected and published", el("p", { class: "muted" },
    "The results that lie furthest from what all other results lead one to expect. A result far off is a reason to look, not proof: a broken run looks like this too."), table);
}

function unchecked(model) {
  return card(`Not checked (${model.unknown.length})`, el("p", {}, "Unknown is not a pass: these rules could not be applied."),
    el("ul", { class: "plain" }, ...model.unknown.map(([rule, reason]) => el("li", {}, rule, el("small", {}, data.reasons[reason])))));
}

let place = 0; // where the list was scrolled to
let from = null;

function show(model) {
  if (!$("list").hidden) [place, from] = [scrollY, model.at];
  const here = shown.indexOf(model.at);
  const [before, after] = [shown[here - 1], shown[here + 1]];
  const ways = el("ul", { class: "inline" }, el("li", {}, el("a", { href: "#" }, "← All models")));
  if (here >= 0 && before !== undefined) ways.append(el("li", {}, "before: ", el("a", { href: address(before) }, models[before].model)));
  if (here >= 0 && after !== undefined) ways.append(el("li", {}, "after: ", el("a", { href: address(after) }, models[after].model)));
  const title = el("h2", { tabindex: "-1" }, el("bdi", {}, model.model));
  $("model").replaceChildren(el("nav", { "aria-label": "Models" }, ways), title, places(model), findings(model),
    ...(model.cells.length ? [cells(model)] : []), ...(model.unknown.length ? [unchecked(model)] : []), facts(model));
  $("model").hidden = false;
  $("list").hidden = true;
  document.title = `${model.model} – ${data.title}`;
  scrollTo(0, 0);
  title.focus({ preventScroll: true });
}

function list() {
  if ($("list").hidden) {
    $("model").hidden = true;
    $("list").hidden = false;
    document.title = data.title;
    draw();
    scrollTo(0, place);
    if (from !== null && !rows[from].hidden) rows[from].querySelector("a").focus({ preventScroll: true });
  }
}

const byName = new Map(models.map((model) => [model.model, model]));
function route() {
  let name = null;
  try { name = location.hash.startsWith("#model=") ? decodeURIComponent(location.hash.slice(7)) : null; } catch { name = null; }
  if (byName.has(name)) show(byName.get(name));
  else list();
}
history.scrollRestoration = "manual";
addEventListener("hashchange", route);
$("choose").hidden = false;
if (matchMedia("(max-width: 48rem)").matches) $("charts").open = false;
$("charts").hidden = false;
sort("credible", false);
route();
