"use strict";
// The page reads without this: tables sort by a click on a heading, long ones are filtered by what is typed, and a link opens
// the section it leads to.
const LONG_TABLE = 12;
function valueOf(row, column) {
  const text = row.cells[column].textContent.trim();
  const number = parseFloat(text.replace("\u2212", "-"));
  return [text, number];
}
function sortBy(heading) {
  const table = heading.closest("table"), body = table.tBodies[0], column = heading.cellIndex;
  const sign = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
  const rows = Array.from(body.rows);
  const numeric = rows.every(function (row) { const [text, number] = valueOf(row, column); return text === "\u2013" || text === "" || !isNaN(number); });
  rows.sort(function (one, other) {
    const [a, x] = valueOf(one, column), [b, y] = valueOf(other, column);
    if (!numeric) return sign * a.localeCompare(b);
    if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
    return sign * (x - y);
  });
  body.append(...rows);
}
for (const heading of document.querySelectorAll("thead th")) {
  heading.classList.add("sortable");
  heading.tabIndex = 0;
  heading.title = "sort";
  heading.addEventListener("click", function () { sortBy(heading); });
  heading.addEventListener("keydown", function (event) { if (event.key === "Enter") sortBy(heading); });
}
function filter(table, words) {
  const wanted = words.toLowerCase().split(/\s+/);
  for (const row of table.tBodies[0].rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !wanted.every(function (word) { return text.includes(word); });
  }
}
for (const table of document.querySelectorAll("table")) {
  if (table.tBodies[0].rows.length < LONG_TABLE) continue;
  const label = document.createElement("label"), input = document.createElement("input");
  label.className = "filter";
  label.style.display = "block";
  input.type = "search";
  label.append("Show rows with", input);
  input.addEventListener("input", function () { filter(table, input.value); });
  table.parentElement.before(label);
}
function show() {
  const place = document.getElementById(location.hash.slice(1));
  if (!place) return;
  let open = place.closest("details");
  while (open) { open.open = true; open = open.parentElement.closest("details"); }
  place.scrollIntoView();
}
addEventListener("hashchange", show);
addEventListener("beforeprint", function () { for (const own of document.querySelectorAll("details")) own.open = true; });
if (location.hash) show();
