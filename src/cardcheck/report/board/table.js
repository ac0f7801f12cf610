// The table: it stands in the page already, a row a model; this searches, filters and sorts it. Texts go into the page as text only.
const data = JSON.parse(document.getElementById("data").textContent);
const models = data.models.map((values) => Object.fromEntries(data.fields.map((field, at) => [field, values[at]])));
const $ = (id) => document.getElementById(id);
const body = $("rows");
const rows = [...body.rows];
const GRAVE = ["note", "warning", "error"];

function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const points = (score, digits = 1) => (score === null ? "–" : (100 * score).toFixed(digits));
const address = (at) => `#model=${encodeURIComponent(models[at].model)}`;
const severities = (model) => model.findings.map((finding) => data.rules[finding[0]][2]);
const gravest = (model) => Math.max(-1, ...severities(model).map((severity) => GRAVE.indexOf(severity)));

models.forEach((model, at) => {
  model.at = at;
  model.grave = gravest(model);
  const rules = model.findings.map((finding) => `${data.rules[finding[0]].slice(0, 2).join(" ")} ${finding[1]}`);
  model.text = [model.model, ...rules].join(" ").toLowerCase();
  model.rules = new Set(model.findings.map((finding) => finding[0]));
  model.weight = severities(model).reduce((sum, severity) => sum + 1000 ** GRAVE.indexOf(severity), 0);
  rows[at].querySelector("a").href = address(at);
  const cell = rows[at].querySelector(".c-score");
  if (model.score !== null) for (const name of ["low", "score", "high"]) cell.style.setProperty(`--${name}`, `${100 * model[name]}%`);
});
for (const link of document.querySelectorAll("a[data-at]")) link.href = address(+link.dataset.at);

const KEYS = {
  credible: (m) => m.credible_place, model: (m) => m.model.toLowerCase(), score: (m) => m.score, official: (m) => m.place, group: (m) => m.group,
  shift: (m) => m.shift, mean: (m) => m.mean, tasks: (m) => m.tasks, findings: (m) => m.weight, memory: (m) => m.memory,
};
const HIGH_FIRST = new Set(["score", "mean", "tasks", "findings", "shift"]);
let order = models.map((_, at) => at);
let sorted = { key: "", down: false };
let placed = order; // the order in which the rows stand
let shown = order;

function compare(key, down) {
  const value = KEYS[key];
  return (a, b) => {
    const [x, y] = [value(models[a]), value(models[b])];
    if (x === null || y === null || x === y) return (x === null) - (y === null) || a - b; // what is missing stands last either way
    return (x < y ? -1 : 1) * (down ? -1 : 1);
  };
}

function sort(key, down) {
  sorted = { key, down };
  order = models.map((_, at) => at).sort(compare(key, down));
  for (const head of document.querySelectorAll("#table thead th")) {
    if (head.dataset.key === key) head.setAttribute("aria-sort", down ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  $("sort").value = key;
  if (order.some((at, index) => at !== placed[index])) {
    for (const row of rows) row.hidden = true; // what is not seen costs nothing to move
    body.append(...order.map((at) => rows[at]));
    placed = order;
  }
  filter();
}

const FINDINGS = {
  any: (m) => m.findings.length > 0,
  error: (m) => severities(m).includes("error"), warning: (m) => severities(m).includes("warning"), note: (m) => severities(m).includes("note"),
  none: (m) => !m.findings.length && !m.unknown.length,
  unchecked: (m) => m.unknown.length > 0,
};
const STANDING = {
  firm: (m) => m.credible_place !== null, loose: (m) => m.credible_place === null && m.score !== null, silent: (m) => m.score === null,
  ranked: (m) => m.place !== null,
};

function filter() {
  const words = $("query").value.toLowerCase().split(/\s+/).filter(Boolean);
  const tests = [(m) => words.every((word) => m.text.includes(word))];
  const [found, standing, memory] = [$("findings").value, $("standing").value, $("memory") ? $("memory").value : ""];
  if (found) tests.push(FINDINGS[found] || ((m) => m.rules.has(+found.slice(5))));
  if (standing) tests.push(STANDING[standing]);
  if (memory !== "") tests.push((m) => m.memory !== null && m.memory <= +memory);
  shown = order.filter((at) => tests.every((test) => test(models[at])));
  const kept = new Set(shown);
  rows.forEach((row, at) => { if (!kept.has(at)) row.hidden = true; });
  $("counted").textContent = `${shown.length} of ${models.length} models`;
  body.setAttribute("aria-busy", "true");
  clearTimeout(revealing);
  reveal(shown.filter((at, index) => index < AT_ONCE || rows[at].hidden));
}

const AT_ONCE = 100; // rows that are laid out before the next key is heard; more follow
let revealing = 0;
let waiting = 0;

function reveal(waits) { // the charts come last
  for (const at of waits.slice(0, AT_ONCE)) rows[at].hidden = false;
  if (waits.length > AT_ONCE) revealing = setTimeout(reveal, 0, waits.slice(AT_ONCE));
  else revealing = setTimeout(() => { body.removeAttribute("aria-busy"); draw(); });
}
function soon() {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(filter);
}

for (const head of document.querySelectorAll("#table thead th")) {
  const button = el("button", { type: "button", title: head.title }, head.textContent.trim());
  const key = head.dataset.key;
  button.addEventListener("click", () => sort(key, sorted.key === key ? !sorted.down : HIGH_FIRST.has(key)));
  head.replaceChildren(button);
  head.removeAttribute("title");
  $("sort").append(el("option", { value: key }, button.textContent));
}
data.rules.forEach(([rule, name], at) => {
  const many = models.filter((model) => model.rules.has(at)).length;
  $("findings").append(el("option", { value: `rule ${at}` }, `${rule} ${name} (${many})`));
});
addEventListener("beforeprint", () => { for (const at of shown) rows[at].hidden = false; });
$("choose").addEventListener("input", (event) => { if (event.target !== $("sort")) soon(); });
$("choose").addEventListener("submit", (event) => event.preventDefault());
$("choose").addEventListener("reset", () => setTimeout(() => sort("credible", false)));
$("sort").addEventListener("change", () => sort($("sort").value, HIGH_FIRST.has($("sort").value)));
body.addEventListener("keydown", (event) => { // up and down go from model to model
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const row = event.target.closest("tr");
  if (!step || !row) return;
  const next = shown[shown.indexOf(rows.indexOf(row)) + step];
  event.preventDefault();
  (next === undefined ? row : rows[next]).querySelector("a").focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || /INPUT|SELECT|TEXTAREA/.test(event.target.tagName)) return;
  event.preventDefault();
  $("query").focus();
});
