"use strict";
// Makes the table of areas searchable, filtered and sortable. It holds no data: it works on the rows of the page.
(() => {
  const most = 25; // rows at first: what is beyond them is a press away
  const find = id => document.getElementById(id);
  const box = find("search"), status = find("shown"), more = document.createElement("button");
  more.type = "button";
  more.id = "all";
  more.textContent = "Show all";
  status.parentNode.append(more);
  const region = find("region"), metric = find("metric"), result = find("result");
  const table = document.querySelector("#areas table");
  const body = table.tBodies[0];
  const headings = Array.from(table.tHead.rows[0].cells);
  const plain = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const words = new Map(Array.from(body.rows, row => [row, plain([
    row.querySelector("a")?.getAttribute("href") ?? "",
    ...Array.from(row.cells).filter((_, i) => !headings[i].classList.contains("n")).map(cell => cell.textContent),
  ].join(" "))]));
  let order = ", most to look at first", all = false;

  // A row has a sign for each metric and payment, a metric the places of its signs, a result its sign
  function fits(row) {
    const signs = row.dataset.o;
    const chosen = metric.value ? metric.value.split(" ").map(place => signs[place]) : Array.from(signs);
    return (!region.value || row.cells[1].textContent === region.value)
      && (result.value ? chosen.includes(result.value) : !metric.value || chosen.some(sign => sign !== "."));
  }

  function show() {
    const wanted = plain(box.value).split(/\s+/).filter(Boolean);
    let found = 0;
    for (const row of body.rows) {
      const match = wanted.every(word => words.get(row).includes(word)) && fits(row);
      found += match;
      row.hidden = !match || (!all && found > most);
    }
    more.hidden = all || found <= most;
    status.textContent = `${found} of ${words.size} areas${order}${more.hidden ? "" : `; the first ${most} are shown`}.`;
  }

  function sort(column) {
    const heading = headings[column];
    const numeric = heading.classList.contains("n");
    const was = heading.getAttribute("aria-sort");
    const up = was ? was === "descending" : !numeric;
    const text = row => row.cells[column].textContent.trim();
    const compare = (a, b) => numeric
      ? Number(text(a).replace(/,/g, "")) - Number(text(b).replace(/,/g, ""))
      : text(a).localeCompare(text(b), "en-GB", { numeric: true });
    headings.forEach(cell => cell.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...Array.from(body.rows).sort((a, b) => (up ? compare(a, b) : compare(b, a))));
    order = `, sorted by ${heading.textContent.trim()}, ${up ? "ascending" : "descending"}`;
    show();
  }

  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(column));
  });
  box.addEventListener("input", show);
  [region, metric, result].forEach(select => select.addEventListener("change", show));
  more.addEventListener("click", () => { all = true; show(); find("areas").focus(); });
  find("tools").hidden = false;
  show();
})();
