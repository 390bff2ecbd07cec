(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  // Theme: what the address says, else what the system says, until the button is pressed.
  const asked = { "#dark": "dark", "#light": "light" }[location.hash];
  const system = matchMedia("(prefers-color-scheme: dark)");
  const button = document.getElementById("theme");
  const show = (theme) => {
    root.dataset.theme = theme;
    button.textContent = theme === "dark" ? "Light" : "Dark";
  };
  let pinned = Boolean(asked);
  show(asked || (system.matches ? "dark" : "light"));
  system.addEventListener("change", () => pinned || show(system.matches ? "dark" : "light"));
  button.addEventListener("click", () => {
    pinned = true;
    show(root.dataset.theme === "dark" ? "light" : "dark");
  });

  // Copy the command; where the clipboard is closed, select it.
  const copy = document.getElementById("copy");
  const command = document.getElementById("command");
  const select = () => getSelection().selectAllChildren(command);
  copy.addEventListener("click", () => {
    const said = (text) => {
      copy.textContent = text;
      setTimeout(() => (copy.textContent = "Copy"), 1500);
    };
    if (!navigator.clipboard) return select();
    navigator.clipboard.writeText(command.textContent).then(() => said("Copied"), select);
  });

  // Sort a table by the column whose head is pressed.
  for (const table of document.querySelectorAll("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.firstElementChild.addEventListener("click", () => {
        const up = head.getAttribute("aria-sort") !== "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", up ? "ascending" : "descending");
        const body = table.tBodies[0];
        const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent;
        const compare = (a, b) => {
          const [x, y] = [key(a), key(b)];
          const numbers = x !== "" && y !== "" && !isNaN(x) && !isNaN(y);
          // What has no value comes last, whichever way the rest goes.
          if ((x === "") !== (y === "")) return x === "" ? 1 : -1;
          const order = numbers ? x - y : x.localeCompare(y);
          return up ? order : -order;
        };
        body.append(...[...body.rows].sort(compare));
      });
    });
  }

  // Crosshair: the charts of one group move together; their words are the rows of their tables.
  const { plots, faults } = JSON.parse(document.getElementById("plots").textContent);
  const make = (name, parent) => {
    const element = document.createElement("div");
    element.className = name;
    element.hidden = true;
    parent.append(element);
    return element;
  };
  const live = document.getElementById("live");
  const charts = plots.map((plot) => {
    const figure = document.getElementById(plot.id);
    const stage = figure.querySelector(".stage");
    const dots = plot.series.map((series) => {
      const dot = make("dot", stage);
      dot.style.background = `var(--line${series.ink})`;
      return dot;
    });
    return { ...plot, stage, dots, hair: make("hair", stage), tip: make("tip", stage), at: -1,
      rows: figure.querySelector("table").tBodies[0].rows,
      heads: figure.querySelector("table").tHead.rows[0].cells };
  });
  const frame = (chart) => {
    const svg = [...chart.stage.querySelectorAll("svg")].find((one) => one.clientWidth || one.getBoundingClientRect().width);
    if (!svg) return null;
    const name = ["wide", "medium", "narrow"].find((size) => svg.classList.contains(size));
    const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    return { ...chart.frames[name], scale };
  };
  const share = (value, [low, high]) => Math.min(1, Math.max(0, (value - low) / (high - low)));
  const place = (value, log) => (log ? Math.log10(value) : value);
  const hide = (chart) => [chart.hair, chart.tip, ...chart.dots].forEach((part) => (part.hidden = true));

  const point = (chart, index, speak) => {
    const f = frame(chart);
    if (!f) return;
    chart.at = index;
    const x = chart.x[index];
    const left = (f.x[0] + share(place(x, chart.x_log), f.x_values) * (f.x[1] - f.x[0])) * f.scale;
    const top = f.y[0] * f.scale;
    const height = (f.y[1] - f.y[0]) * f.scale;
    Object.assign(chart.hair.style, { left: `${left}px`, top: `${top}px`, height: `${height}px` });
    chart.hair.hidden = false;
    const cells = chart.rows[index].cells;
    const lines = [[chart.heads[0].textContent, cells[0].textContent]];
    chart.series.forEach((series, number) => {
      const value = series.y[index];
      const dot = chart.dots[number];
      dot.hidden = value === null || (chart.y_log && value <= 0);
      if (!dot.hidden) {
        const up = share(place(value, chart.y_log), f.y_values);
        Object.assign(dot.style, { left: `${left}px`, top: `${top + (1 - up) * height}px` });
      }
      lines.push([series.name, cells[number + 1].textContent]);
    });
    for (const fault of faults[chart.group]) {
      if (fault.start <= x && (fault.end === null || x < fault.end)) lines.push(["fault", fault.name]);
    }
    chart.tip.replaceChildren(...lines.flatMap(([name, value], line) => {
      const strong = document.createElement("b");
      strong.textContent = value;
      return [...(line ? [document.createElement("br")] : []), `${name} `, strong];
    }));
    chart.tip.hidden = false;
    const room = chart.stage.clientWidth - chart.tip.offsetWidth;
    const right = left + 12;
    chart.tip.style.left = `${Math.max(0, right <= room ? right : left - 12 - chart.tip.offsetWidth)}px`;
    chart.tip.style.top = `${top + 4}px`;
    if (speak) live.textContent = lines.map((line) => line.join(" ")).join(", ");
  };
  const move = (chart, index, speak) => {
    for (const other of charts) {
      if (other === chart || (other.group === chart.group && other.x.length === chart.x.length)) {
        point(other, index, speak && other === chart);
      }
    }
  };
  addEventListener("resize", () => charts.forEach((chart) => chart.tip.hidden || point(chart, chart.at, false)));
  const leave = (chart) => charts.filter((other) => other.group === chart.group).forEach(hide);

  for (const chart of charts) {
    if (!chart.x.length) continue;
    const last = chart.x.length - 1;
    chart.stage.addEventListener("pointermove", (event) => {
      const f = frame(chart);
      if (!f) return;
      const across = (event.clientX - chart.stage.getBoundingClientRect().left) / f.scale;
      const value = f.x_values[0] + ((across - f.x[0]) / (f.x[1] - f.x[0])) * (f.x_values[1] - f.x_values[0]);
      let best = 0;
      const far = (index) => Math.abs(place(chart.x[index], chart.x_log) - value);
      for (let index = 1; index <= last; index++) if (far(index) < far(best)) best = index;
      move(chart, best, false);
    });
    chart.stage.addEventListener("pointerleave", () => leave(chart));
    chart.stage.addEventListener("blur", () => leave(chart));
    chart.stage.addEventListener("focus", () => move(chart, chart.at < 0 ? 0 : chart.at, true));
    chart.stage.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -last - 1, End: last + 1 };
      if (event.key === "Escape") return leave(chart);
      if (!(event.key in steps)) return;
      event.preventDefault();
      move(chart, Math.min(last, Math.max(0, chart.at + steps[event.key])), true);
    });
  }
})();
