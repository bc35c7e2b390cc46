"use strict";
// Makes the table of areas searchable and sortable. It holds no data: it works on the rows of the page.
(() => {
  const tools = document.getElementById("tools");
  const box = document.getElementById("search");
  const status = document.getElementById("shown");
  const table = document.querySelector("#areas table");
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const headings = Array.from(table.tHead.rows[0].cells);
  const plain = text => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const words = rows.map(row => plain(
    Array.from(row.cells).filter((_, i) => !headings[i].classList.contains("n")).map(cell => cell.textContent).join(" ")));
  let order = "";

  function tell() {
    const shown = rows.filter(row => !row.hidden).length;
    status.textContent = `Showing ${shown} of ${rows.length} areas${order}.`;
  }

  function search() {
    const wanted = plain(box.value).split(/\s+/).filter(Boolean);
    rows.forEach((row, i) => { row.hidden = !wanted.every(word => words[i].includes(word)); });
    tell();
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
    body.append(...rows.slice().sort((a, b) => (up ? compare(a, b) : compare(b, a))));
    order = `, sorted by ${heading.textContent.trim()}, ${up ? "ascending" : "descending"}`;
    tell();
  }

  headings.forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => sort(column));
  });
  headings[0].setAttribute("aria-sort", "ascending");
  box.addEventListener("input", search);
  tools.hidden = false;
  search();
})();
