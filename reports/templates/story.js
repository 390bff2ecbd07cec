(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");
  const get = (id) => document.getElementById(id);

  const asked = { "#dark": "dark", "#light": "light" }[location.hash];
  const show = (theme) => {
    root.dataset.theme = theme;
    get("theme").textContent = theme === "dark" ? "Light" : "Dark";
  };
  show(asked || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
  get("theme").addEventListener("click", () => show(root.dataset.theme === "dark" ? "light" : "dark"));
  get("copy").addEventListener("click", () => {
    const select = () => getSelection().selectAllChildren(get("command"));
    if (!navigator.clipboard) return select();
    navigator.clipboard.writeText(get("command").textContent).catch(select);
  });

  const story = JSON.parse(get("story").textContent);
  const ROWS = 60;
  const ROW = 24;
  const TOP = 54;
  const LEFT = 96;
  const hidden = new Set();
  let page = null;

  for (const [index, name] of story.nodes.entries()) {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.addEventListener("change", () => {
      if (box.checked) hidden.delete(index);
      else hidden.add(index);
      draw();
    });
    label.append(box, " " + name);
    get("who").append(label);
  }

  const make = (parent, name, attributes, text) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text !== undefined) element.textContent = text;
    parent.append(element);
    return element;
  };
  const seconds = (ns) => (ns < 1e9 ? (ns / 1e6).toFixed(3) + " ms" : (ns / 1e9).toFixed(6) + " s");
  const short = (text, most) => (text.length > most ? text.slice(0, most - 1) + "…" : text);

  function draw() {
    const only = get("only").checked;
    const told = get("told").checked;
    const nodes = [...story.nodes.keys()].filter((node) => !hidden.has(node));
    const column = new Map(nodes.map((node, place) => [node, place]));
    const chosen = [];
    for (const [index, event] of story.events.entries()) {
      const speaks = event.facts.length > 0 || event.kind === "message" || event.violates;
      if (column.has(event.node) && (!only || event.slice) && (!told || speaks)) chosen.push(index);
    }
    const pages = Math.max(1, Math.ceil(chosen.length / ROWS));
    page = page === null ? pages - 1 : Math.min(page, pages - 1);
    // Pages count from the end: the last one, which has the violation, is full.
    const end = chosen.length - (pages - 1 - page) * ROWS;
    const rows = chosen.slice(Math.max(0, end - ROWS), end);
    const left = story.events.length - chosen.length;
    const aside = left > 0 ? `, ${left} filtered out` : "";
    get("page").textContent = `page ${page + 1} of ${pages}, ${chosen.length} events${aside}`;
    get("back").disabled = page === 0;
    get("on").disabled = page === pages - 1;

    const gap = Math.max(120, Math.min(210, Math.floor(900 / Math.max(1, nodes.length))));
    const x = (node) => LEFT + 30 + column.get(node) * gap;
    const place = new Map(rows.map((index, row) => [index, TOP + row * ROW]));
    const width = LEFT + 30 + nodes.length * gap + 180;
    const height = TOP + rows.length * ROW + 20;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("class", "space");
    svg.setAttribute("width", width);
    svg.setAttribute("height", height);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", `space-time diagram, page ${page + 1} of ${pages}`);

    // Where an instant lies between the rows of this page.
    const yOf = (ns) => {
      const after = rows.findIndex((index) => story.events[index].at_ns >= ns);
      return after < 0 ? height - 14 : TOP + after * ROW - ROW / 2;
    };
    const first = rows.length ? story.events[rows[0]].at_ns : 0;
    const last = rows.length ? story.events[rows[rows.length - 1]].at_ns : 0;
    for (const fault of story.faults) {
      if (fault.from_ns > last || (fault.to_ns !== null && fault.to_ns < first)) continue;
      const from = yOf(fault.from_ns);
      const to = fault.to_ns === null ? height - 10 : Math.max(from + 6, yOf(fault.to_ns));
      let named = false;
      for (const node of fault.nodes.filter((node) => column.has(node))) {
        make(svg, "rect", { class: "fault", x: x(node) - 14, y: from, width: 28, height: to - from });
        if (!named) make(svg, "text", { class: "fault-name", x: x(node) + 18, y: from + 11 }, short(fault.what, 46));
        named = true;
      }
    }
    for (const node of nodes) {
      make(svg, "text", { class: "node", x: x(node), y: 24 }, story.nodes[node]);
      make(svg, "line", { class: "life", x1: x(node), y1: 32, x2: x(node), y2: height - 10 });
    }
    for (const message of story.messages) {
      if (!column.has(message.from) || !column.has(message.to)) continue;
      const sent = message.sent === null ? undefined : place.get(message.sent);
      const received = message.received === null ? undefined : place.get(message.received);
      if (sent === undefined && received === undefined) continue;
      if (message.received !== null && received === undefined) continue;
      if (message.received === null && !message.lost) continue;
      const [x1, x2] = [x(message.from), x(message.to)];
      const y1 = sent === undefined ? 36 : sent;
      const way = Math.sign(x2 - x1);
      if (message.lost) {
        const [cx, cy] = [x1 + way * Math.min(60, Math.abs(x2 - x1) * 0.6), y1 + 10];
        make(svg, "line", { class: "arrow lost", x1, y1, x2: cx, y2: cy });
        make(svg, "path", { class: "cross", d: `M${cx - 4} ${cy - 4}l8 8m0 -8l-8 8` });
        continue;
      }
      const y2 = received;
      const line = make(svg, "line", { class: "arrow", x1: x1 + way * 4, y1, x2: x2 - way * 5, y2 });
      make(line, "title", {}, `${message.what}: ${story.nodes[message.from]} to ${story.nodes[message.to]}`);
      const angle = (Math.atan2(y2 - y1, x2 - x1) * 180) / Math.PI;
      make(svg, "path", { class: "head", d: "M0 0L-8 -3.5L-8 3.5Z", transform: `translate(${x2 - way * 5} ${y2}) rotate(${angle})` });
    }
    let before = null;
    for (const index of rows) {
      const event = story.events[index];
      const y = place.get(index);
      if (event.at_ns !== before) make(svg, "text", { class: "time", x: LEFT - 8, y: y + 4 }, seconds(event.at_ns));
      before = event.at_ns;
      const kind = event.violates ? "dot bad" : event.slice ? "dot" : "dot out";
      const dot = make(svg, "circle", { class: kind, cx: x(event.node), cy: y, r: event.violates ? 6 : 4 });
      const words = [event.what, ...event.facts].join("; ");
      make(dot, "title", {}, `event ${event.number}: ${words}`);
      const said = event.facts.length > 0;
      const text = event.violates ? "violated: " + event.facts.join("; ") : said ? event.facts.join("; ") : event.what;
      const style = event.violates ? "bad-text" : said ? "said" : "what";
      make(svg, "text", { class: style, x: x(event.node) + 9, y: y + 4 }, event.violates ? text : short(text, Math.floor(gap / 6)));
    }
    get("diagram").replaceChildren(svg);
  }
  const turn = (by) => {
    page = Math.max(0, page + by);
    draw();
  };
  get("back").addEventListener("click", () => turn(-1));
  get("on").addEventListener("click", () => turn(1));
  for (const id of ["only", "told"]) {
    get(id).addEventListener("change", () => {
      page = null;
      draw();
    });
  }
  draw();
})();
