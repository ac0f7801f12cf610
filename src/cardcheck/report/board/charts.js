// Pictures of the models that are shown; those that are filtered out stay in grey. One path a colour draws thousands of dots at once.
const SVG = "http://www.w3.org/2000/svg";
const [WIDE, HIGH, LEFT, RIGHT, TOP, FOOT] = [400, 330, 46, 388, 14, 284];

function svg(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function linear(low, high, start, end) {
  const size = high - low || 1;
  const step = [0.05, 0.1, 0.2, 0.25, 0.5, 1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000, 2000, 5000].find((one) => size / one <= 6) || size / 5;
  const ticks = [];
  for (let at = Math.ceil(low / step - 1e-9) * step; at <= high + 1e-9; at += step) ticks.push(Math.round(at * 1000) / 1000);
  return { of: (value) => start + ((value - low) / size) * (end - start), ticks, said: String };
}

function logarithmic(low, high, start, end) {
  const line = linear(Math.log10(low), Math.log10(high), start, end);
  const ticks = [16, 128, 1024, 8192, 65536].filter((tick) => tick >= low && tick <= high);
  return { of: (value) => line.of(Math.log10(value)), ticks, said: (tick) => (tick < 1024 ? `${tick} MB` : `${tick / 1024} GB`) };
}

function chart(figure, given) {
  const { dots, across, up, names } = given;
  const picture = svg("svg", { class: "chart", role: "img", viewBox: `0 0 ${WIDE} ${HIGH}`, "aria-label": `${figure.querySelector("h3").textContent}: ${names.join(" against ")}; the table has the figures` });
  for (const tick of up.ticks) {
    picture.append(svg("line", { class: "grid", x1: LEFT, x2: RIGHT, y1: up.of(tick), y2: up.of(tick) }));
    picture.append(svg("text", { x: LEFT - 6, y: up.of(tick) + 4, "text-anchor": "end" }, up.said(tick)));
  }
  for (const tick of across.ticks) {
    picture.append(svg("line", { class: "grid", x1: across.of(tick), x2: across.of(tick), y1: TOP, y2: FOOT }));
    picture.append(svg("text", { x: across.of(tick), y: FOOT + 17, "text-anchor": "middle" }, across.said(tick)));
  }
  picture.append(svg("text", { x: RIGHT, y: HIGH - 8, "text-anchor": "end" }, `${names[0]} →`));
  picture.append(svg("text", { x: LEFT - 6, y: HIGH - 8 }, `↑ ${names[1]}`));
  if (given.even) picture.append(svg("line", { class: "even", x1: across.of(given.even[0]), y1: up.of(given.even[0]), x2: across.of(given.even[1]), y2: up.of(given.even[1]) }));
  const layers = Object.fromEntries(["off", "clear", ...GRAVE].map((name) => [name, svg("path", { class: name })]));
  const front = svg("path", { class: "front" });
  const here = svg("circle", { class: "here", r: 6, cx: -99, cy: -99 });
  picture.append(...Object.values(layers), front, here);
  for (const dot of dots) [dot.px, dot.py] = [Math.round(across.of(dot.x) * 10) / 10, Math.round(up.of(dot.y) * 10) / 10];
  figure.querySelector("figcaption").before(picture);
  let near = null;
  const find = (event) => {
    const box = picture.getBoundingClientRect();
    const [x, y] = [((event.clientX - box.left) / box.width) * WIDE, ((event.clientY - box.top) / box.height) * HIGH];
    let best = 400; // no farther than twenty units
    near = null;
    for (const dot of dots) {
      const away = dot.on ? (dot.px - x) ** 2 + (dot.py - y) ** 2 : Infinity;
      if (away < best) [best, near] = [away, dot];
    }
    here.setAttribute("cx", near ? near.px : -99);
    here.setAttribute("cy", near ? near.py : -99);
    picture.style.cursor = near ? "pointer" : "";
    if (near) $("tip").textContent = near.text();
  };
  picture.addEventListener("pointermove", find);
  picture.addEventListener("click", (event) => { find(event); if (near) location.hash = address(near.at); });
  return (kept) => {
    const paths = Object.fromEntries(Object.keys(layers).map((name) => [name, []]));
    for (const dot of dots) {
      dot.on = kept.has(dot.at);
      paths[dot.on ? (dot.grave < 0 ? "clear" : GRAVE[dot.grave]) : "off"].push(`M${dot.px} ${dot.py}h0`);
    }
    for (const [name, path] of Object.entries(paths)) layers[name].setAttribute("d", path.join(""));
    if (given.front) front.setAttribute("d", frontier(dots.filter((dot) => dot.on)));
  };
}

function frontier(dots) { // the models than which no smaller one has a higher score
  let [high, path] = [-1, ""];
  for (const dot of [...dots].sort((a, b) => a.x - b.x || b.y - a.y)) {
    if (dot.y <= high) continue;
    path += path ? `H${dot.px}V${dot.py}` : `M${dot.px} ${dot.py}`;
    high = dot.y;
  }
  return path;
}

function about(model, task) { // the gravest finding about this task
  const found = model.findings.filter((finding) => finding[3] !== null && (finding[3] === task || task.startsWith(`${finding[3]} (`)));
  return Math.max(-1, ...found.map((finding) => GRAVE.indexOf(data.rules[finding[0]][2])));
}

function charts() {
  const made = [];
  const both = models.filter((model) => model.shift !== null);
  if (both.length > 1) {
    const dots = both.map((m) => ({ at: m.at, grave: m.grave, x: m.official_both, y: m.official_both - m.shift, text: () => `${m.model}: official ${m.official_both}, credible ${m.official_both - m.shift}` }));
    made.push(chart($("chart-places"), { dots, names: ["official place", "credible place"], even: [1, both.length],
      across: linear(1, both.length, LEFT, RIGHT), up: linear(1, both.length, TOP, FOOT) }));
  } else $("chart-places").hidden = true;
  const sized = models.filter((model) => model.memory > 0 && model.score !== null);
  if (sized.length > 1) {
    const dots = sized.map((m) => ({ at: m.at, grave: m.grave, x: m.memory, y: 100 * m.score, text: () => `${m.model}: ${size(m.memory)}, credible score ${points(m.score)}` }));
    const [low, high] = [Math.min(...dots.map((dot) => dot.x)), Math.max(...dots.map((dot) => dot.x))];
    made.push(chart($("chart-memory"), { dots, names: ["memory", "credible score"], front: true,
      across: logarithmic(low / 1.3, high * 1.3, LEFT, RIGHT), up: linear(0, 100, FOOT, TOP) }));
  } else $("chart-memory").hidden = true;
  const cells = models.flatMap((m) => m.cells.map(([task, published, expected, , , standard]) => ({ at: m.at, grave: about(m, data.tasks[task]), x: 100 * expected, y: 100 * published,
    text: () => `${m.model}, ${data.tasks[task]}: published ${points(published)}, expected ${points(expected)} (${standard > 0 ? "+" : "−"}${Math.abs(standard).toFixed(1)} standard errors)` })));
  if (cells.length > 1) made.push(chart($("chart-cells"), { dots: cells, names: ["expected", "published"], even: [0, 100], across: linear(0, 100, LEFT, RIGHT), up: linear(0, 100, FOOT, TOP) }));
  else $("chart-cells").hidden = true;
  return made;
}

function size(memory) {
  return memory < 1024 ? `${Math.round(memory)} MB` : `${(memory / 1024).toFixed(1)} GB`;
}

let drawings = null;
function draw() {
  if (!$("charts").open || $("list").hidden) return;
  drawings = drawings || charts();
  const kept = new Set(shown);
  for (const drawing of drawings) drawing(kept);
}
$("charts").addEventListener("toggle", draw);
