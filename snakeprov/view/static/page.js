// The page of a lineage: what is shown of it, and what can be done with that. Names and commands are other people's
// text: they only ever become text nodes and attributes, never markup.

(() => {
  "use strict";

  const BOXES_MAX = 3000; // No more are drawn at once: the nearest to the start.
  const MATCHES_MAX = 50; // No more are listed at once, with a word on how many there are.
  const MEMBERS_MAX = 200;
  const UNFOLD_MAX = 500; // No more members of a group are unfolded at once.

  const { BOX_HEIGHT, element, html, outline, curve } = shapes;
  const data = JSON.parse(document.getElementById("lineage").textContent);
  const { nodes, groups } = data;
  const { origins, results, isDrawn, beyond, distances, hop, way, chain } = lineageGraph(data);
  const { face, paintBox } = lineageBoxes(data);
  const upstream = data.direction === "upstream";
  const svg = document.getElementById("drawing");
  const canvas = svg.querySelector("g");
  const viewport = drawingViewport(svg, canvas);
  const details = document.getElementById("details");
  const search = document.getElementById("search");
  const matches = document.getElementById("matches");
  const note = document.getElementById("note");

  // What the address holds: where it starts, what is selected, and all that was opened.
  let state = { start: 0, selected: null, open: new Set(), unfolded: new Set(), single: new Set() };
  let picture = null;

  function shownNodes() {
    const far = distances(state.start);
    const shown = new Set([state.start]);
    for (const [place, away] of far) {
      if (away < data.depth || (away === data.depth && nodes[place].kind !== "activity")) shown.add(place);
    }
    for (const place of state.open) {
      shown.add(place);
      for (const other of hop(place)) shown.add(other);
    }
    return { far, shown };
  }

  const isGrouped = (place) => {
    const group = nodes[place].group;
    return group !== null && !state.unfolded.has(group) && !state.single.has(place) && place !== state.start;
  };

  function boxes() {
    const { far, shown } = shownNodes();
    const order = [...shown].sort((a, b) => (far.get(a) ?? Infinity) - (far.get(b) ?? Infinity) || a - b);
    const found = new Map();
    for (const place of order) {
      const key = isGrouped(place) ? `group${nodes[place].group}` : `node${place}`;
      if (!found.has(key)) found.set(key, { key, members: [] });
      found.get(key).members.push(place);
    }
    const every = [...found.values()];
    return { every: every.slice(0, BOXES_MAX), leftOut: Math.max(every.length - BOXES_MAX, 0), shown };
  }

  function draw({ keep = null } = {}) {
    const before = keep && picture ? picture.at.get(keep) : null;
    const { every, leftOut, shown } = boxes();
    const boxOf = new Map();
    every.forEach((box, number) => box.members.forEach((place) => boxOf.set(place, number)));
    const edges = new Map();
    for (const [source, target, kind] of data.flows) {
      if (boxOf.has(source) && boxOf.has(target)) {
        const edge = [boxOf.get(source), boxOf.get(target), kind];
        edges.set(edge.join(), edge);
      }
    }
    every.forEach((box) => Object.assign(box, face(box.members), { hidden: hiddenBeyond(box.members, shown) }));
    const flows = [...edges.values()];
    const result = drawingLayout(every.map((box) => box.wide), flows, upstream ? "right" : "left");
    picture = { boxes: every, boxOf, flows, layers: result.layers, places: result.places, result, elements: [] };
    picture.at = new Map(every.map((box, number) => [box.key, result.places[number]]));
    paint(flows, result);
    const after = keep ? picture.at.get(keep) : null;
    if (before && after) viewport.follow(before, after);
    const unfit = leftOut ? [`${leftOut.toLocaleString("en")} more boxes are not drawn: fold some groups, or start at a file farther on.`] : [];
    note.textContent = [...data.remarks, ...unfit].join(" ");
    mark();
  }

  function hiddenBeyond(members, shown) {
    return members.some((place) => beyond(place).some((other) => !shown.has(other)));
  }

  function paint(flows, result) {
    const lines = element("g");
    flows.forEach(([source, target, kind], number) => {
      const points = result.routes[number];
      if (!points.length) return;
      const [x, y] = points[points.length - 1];
      const back = points[0][0] > x ? 7 : -7;
      const line = element("path", { class: `flow ${kind}`, d: curve(points) });
      picture.elements.push([line, source, target]);
      lines.append(line, element("path", { class: "head", d: `M${x} ${y}l${back} -3.5v7z` }));
    });
    picture.faces = picture.boxes.map((box, number) => paintBox(box, number, result.places[number], state.start));
    canvas.replaceChildren(lines, ...picture.faces);
  }

  // Selecting.

  const boxAt = (place) => picture.boxes[picture.boxOf.get(place)];

  function mark() {
    const number = state.selected === null ? undefined : picture.boxOf.get(state.selected);
    picture.faces.forEach((made, at) => {
      made.classList.toggle("selected", at === number);
      made.setAttribute("tabindex", at === (number ?? 0) ? "0" : "-1");
    });
    for (const [line, source, target] of picture.elements) {
      line.classList.toggle("near", number !== undefined && (source === number || target === number));
    }
  }

  function select(place, { focus = false } = {}) {
    state.selected = place;
    mark();
    describe();
    remember();
    if (focus) picture.faces[picture.boxOf.get(place)]?.focus({ preventScroll: true });
  }

  function describe() {
    if (state.selected === null) return details.replaceChildren(...help());
    const box = boxAt(state.selected);
    details.replaceChildren(...(box && box.count > 1 ? ofGroup(box) : ofNode(state.selected)));
    details.scrollTop = 0;
  }

  function button(label, act) {
    return html("button", { type: "button", textContent: label, onclick: act });
  }

  function heading(kind, whole, bad) {
    return [html("h2", { textContent: whole }), html("div", { className: bad ? "bad" : "kind", textContent: kind })];
  }

  function ofNode(place) {
    const node = nodes[place];
    const box = boxAt(place);
    const actions = html("div", { className: "actions" });
    if (box?.hidden) actions.append(button(upstream ? "Show what it came from" : "Show what came from it", () => open(box)));
    if (node.group !== null && box) actions.append(button("Fold with its like", () => foldBack(place)));
    if (place !== state.start && node.kind !== "activity") actions.append(button("Start here", () => startAt(place)));
    if (node.page) actions.append(html("a", { href: node.page, textContent: "Open its page" }));
    if (state.start !== 0) actions.append(button("Back to the first file", () => startAt(0)));
    const facts = html("dl");
    for (const [name, value] of node.facts) facts.append(html("dt", { textContent: name }), html("dd", { textContent: value }));
    const linked = node.kind === "activity"
      ? [["used", origins, "used"], ["executed", origins, "executed"], ["generated", results, "generatedBy"]]
      : [["generated by", origins, "generatedBy"], ["same bytes as", origins, "again"], ["edited after", origins, "revisionOf"],
        ["same content as", origins, "sameContent"], ["used by", results, "used"], ["executed by", results, "executed"],
        ["files in it", results, "inside"], ["is in", results, "contains"], ["its bytes again", results, "again"], ["edited versions of it", results, "revisionOf"],
        ["files with its content", results, "sameContent"]];
    const lists = linked.flatMap(([title, links, kind]) => {
      const places = links[place].filter(([, how]) => how === kind).map(([other]) => other);
      return places.length ? [html("h3", { textContent: title }), listOf(places, MATCHES_MAX)] : [];
    });
    const kind = node.kind === "activity" && node.bad ? node.note : node.kind;
    return [...heading(kind, node.whole, node.bad), actions, facts, ...lists];
  }

  function ofGroup(box) {
    const filter = html("input", { type: "search", placeholder: "Filter" });
    filter.setAttribute("aria-label", "Filter the members of the group");
    const list = html("div");
    const fill = () => list.replaceChildren(listOf(found(filter.value, box.members), MEMBERS_MAX, single));
    filter.oninput = fill;
    fill();
    const many = Math.min(box.count, UNFOLD_MAX);
    const actions = html("div", { className: "actions" },
      button(many < box.count ? `Unfold the first ${many}` : `Unfold all ${many}`, () => unfold(box)));
    if (box.hidden) actions.append(button(upstream ? "Show what they came from" : "Show what came from them", () => open(box)));
    return [...heading(`${box.kind}, folded: choose one to single it out`, box.whole), actions, filter, list];
  }

  function listOf(places, most, act = reveal) {
    const list = html("ul");
    for (const place of places.slice(0, most)) {
      list.append(html("li", {}, button(nodes[place].whole, () => act(place))));
    }
    if (places.length > most) {
      list.append(html("li", { className: "hint", textContent: `and ${(places.length - most).toLocaleString("en")} more` }));
    }
    if (!places.length) list.append(html("li", { className: "hint", textContent: "none" }));
    return list;
  }

  function help() {
    const samples = [["data", 0], ["activity", 66], ["code", 146]];
    const legend = element("svg", { class: "lineage", viewBox: "0 0 330 44", role: "img", "aria-label": "data, activity, code" });
    samples.forEach(([kind], number) => legend.append(element("g", { class: `box ${kind}`, transform: `translate(${2 + number * 110} 2)` },
      element("path", { d: outline(kind, 96) }), element("text", { x: 15, y: 24 }, kind))));
    const keys = [["click, Enter", "details"], ["+", "one step more, or unfold"], ["\u2190 \u2192 \u2191 \u2193", "go from box to box"],
      ["/", "search"], ["0", "fit"], ["wheel, drag", "zoom, move"], ["Esc", "close"]];
    const list = html("dl");
    for (const [key, what] of keys) list.append(html("dt", {}, html("kbd", { textContent: key })), html("dd", { textContent: what }));
    const common = nodes.map((_, place) => place).filter((place) => !isDrawn(place));
    const code = common.length ? [html("h3", { textContent: "code of many rules, not linked" }), listOf(common, MATCHES_MAX)] : [];
    return [html("div", { className: "legend" }, legend), list, ...code];
  }

  // Opening, unfolding, singling out.

  function open(box) {
    for (const place of box.members) state.open.add(place);
    changed(box.key);
  }

  function unfold(box) {
    if (box.count <= UNFOLD_MAX) state.unfolded.add(nodes[box.members[0]].group);
    else for (const place of box.members.slice(0, UNFOLD_MAX)) state.single.add(place);
    changed(null);
    select(box.members[0], { focus: true });
    centre(box.members[0]);
  }

  function foldBack(place) {
    const group = nodes[place].group;
    state.unfolded.delete(group);
    for (const other of [...state.single]) if (nodes[other].group === group) state.single.delete(other);
    changed(`node${place}`);
    describe();
    centre(place);
  }

  function single(place) {
    for (const one of chain(place)) state.single.add(one);
    changed(`node${place}`);
    select(place);
    centre(place);
  }

  function startAt(place) {
    state = { ...state, start: place, selected: place, open: new Set() };
    changed(null);
    describe();
    fit({ readable: true });
  }

  function changed(keep) {
    draw({ keep });
    describe();
    remember();
  }

  function reveal(place) {
    if (!isDrawn(place)) {
      select(place);
      return;
    }
    if (!picture.boxOf.has(place)) {
      if (!distances(state.start).has(place)) state.start = 0;
      for (const one of way(state.start, place)) state.open.add(one);
      draw();
    }
    if (isGrouped(place) && boxAt(place)?.count > 1) single(place);
    else {
      select(place);
      centre(place);
    }
  }

  // Searching.

  function found(text, among) {
    const wanted = text.trim().toLowerCase();
    return wanted ? among.filter((place) => nodes[place].index.includes(wanted)) : among;
  }

  function list() {
    const wanted = search.value.trim();
    const every = wanted ? found(wanted, nodes.map((_, place) => place)) : [];
    matches.replaceChildren(...(wanted ? listOf(every, MATCHES_MAX, choose).children : []));
  }

  function choose(place) {
    matches.replaceChildren();
    reveal(place);
    picture.faces[picture.boxOf.get(place)]?.focus({ preventScroll: true });
  }

  // Moving.

  function fit({ readable = false } = {}) {
    const { width, height } = picture.result;
    viewport.fit(width, height, readable ? () => centre(state.start) : null); // Too small to read: begin at the start.
  }

  function centre(place) {
    const number = picture.boxOf.get(place);
    if (number === undefined) return;
    const [x, y] = picture.places[number];
    const aside = place === state.start ? (upstream ? 0.95 : 0.05) : 0.5;
    viewport.centre(x + picture.boxes[number].wide * aside, y + BOX_HEIGHT / 2, aside);
  }

  // The address: entity and version of the start, and what was opened.

  function remember() {
    const start = nodes[state.start];
    const parts = new URLSearchParams();
    if (start.entity) parts.set("entity", start.entity);
    if (start.version) parts.set("version", start.version);
    if (state.selected !== null) parts.set("selected", state.selected);
    for (const name of ["open", "unfolded", "single"]) if (state[name].size) parts.set(name, [...state[name]].join("."));
    window.history.replaceState(null, "", `#${parts}`);
  }

  function recall() {
    const parts = new URLSearchParams(window.location.hash.slice(1));
    const numbers = (name, below) => (parts.get(name) ?? "").split(".").filter((text) => /^\d+$/.test(text)).map(Number)
      .filter((number) => number < below);
    const wanted = nodes.findIndex((node) => node.entity && node.entity === parts.get("entity")
      && String(node.version ?? "") === (parts.get("version") ?? ""));
    state = {
      start: Math.max(wanted, 0),
      selected: numbers("selected", nodes.length)[0] ?? null,
      open: new Set(numbers("open", nodes.length)),
      unfolded: new Set(numbers("unfolded", groups.length)),
      single: new Set(numbers("single", nodes.length)),
    };
  }

  // Events.

  function step(key) {
    const number = picture.boxOf.get(state.selected ?? state.start) ?? 0;
    const [x, y] = picture.places[number];
    const linked = new Set(picture.flows.flatMap(([a, b]) => (a === number ? [b] : b === number ? [a] : [])));
    const ahead = picture.places.map(([otherX, otherY], other) => ({
      other,
      along: { ArrowLeft: x - otherX, ArrowRight: otherX - x, ArrowUp: y - otherY, ArrowDown: otherY - y }[key],
      across: key === "ArrowLeft" || key === "ArrowRight" ? Math.abs(otherY - y) : 0,
      near: key === "ArrowLeft" || key === "ArrowRight" ? linked.has(other) : picture.layers[other] === picture.layers[number],
    })).filter(({ other, along, near }) => other !== number && near && along > 0);
    ahead.sort((a, b) => a.across - b.across || a.along - b.along);
    if (ahead.length) select(picture.boxes[ahead[0].other].members[0], { focus: true });
    const place = state.selected ?? state.start;
    if (!viewport.sees(picture.places[picture.boxOf.get(place) ?? 0])) centre(place);
  }

  svg.addEventListener("click", (event) => {
    if (viewport.wasDragged() || !window.getSelection().isCollapsed) return; // The end of a drag, or of selecting text.
    const opener = event.target.closest("[data-open]");
    const face = event.target.closest("[data-box]");
    if (opener) open(picture.boxes[opener.dataset.open]);
    else if (face) select(picture.boxes[face.dataset.box].members[0], { focus: true });
    else if (state.selected !== null) select(null);
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input")) {
      if (event.key === "Escape") { search.value = ""; matches.replaceChildren(); event.target.blur(); }
      if (event.target === search && event.key === "Enter") matches.querySelector("button")?.click();
      if (event.target === search && event.key === "ArrowDown") matches.querySelector("button")?.focus();
      return;
    }
    if (matches.contains(event.target) && event.key.startsWith("Arrow")) {
      const line = event.target.closest("li");
      const next = event.key === "ArrowDown" ? line.nextElementSibling : line.previousElementSibling;
      (next?.querySelector("button") ?? search).focus();
      event.preventDefault();
      return;
    }
    const face = event.target.closest?.("[data-box]");
    if (event.key === "/") { search.focus(); event.preventDefault(); }
    else if (event.key === "0") fit();
    else if (event.key === "Escape") { matches.replaceChildren(); select(null); }
    else if (event.key.startsWith("Arrow") && !details.contains(event.target)) { step(event.key); event.preventDefault(); }
    else if ((event.key === "Enter" || event.key === " ") && face) {
      select(picture.boxes[face.dataset.box].members[0], { focus: true });
      event.preventDefault();
    } else if (event.key === "+" && state.selected !== null && boxAt(state.selected)) {
      const box = boxAt(state.selected);
      if (box.hidden) open(box);
      else if (box.count > 1) unfold(box);
      picture.faces[picture.boxOf.get(state.selected)]?.focus({ preventScroll: true });
    }
  });
  search.addEventListener("input", list);
  document.getElementById("closer").addEventListener("click", () => viewport.zoom(1.25));
  document.getElementById("farther").addEventListener("click", () => viewport.zoom(0.8));
  document.getElementById("fit").addEventListener("click", () => fit());
  window.addEventListener("hashchange", () => {
    recall();
    draw();
    describe();
    centre(state.selected ?? state.start);
  });

  for (const node of nodes) {
    node.index = [node.whole, ...node.facts.map(([, value]) => value)].join("\n").toLowerCase();
  }
  recall();
  draw();
  describe();
  fit({ readable: true });
  if (state.selected !== null) centre(state.selected);
})();
