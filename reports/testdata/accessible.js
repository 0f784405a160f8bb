// Looks a page over for what keeps people from reading it, and lists what it
// finds. It knows the page's own elements, not all of HTML.
(() => {
  const found = [];
  const tell = (what, element) => found.push(what + ": " + (element.outerHTML || "").slice(0, 160));
  const all = (selector) => [...document.querySelectorAll(selector)];
  const words = (element) => (element ? element.textContent.trim() : "");
  const named = (element) => element.getAttribute("aria-label")
    || (element.getAttribute("aria-labelledby") || "").split(/\s+/).map((id) => id && words(document.getElementById(id))).join(" ").trim();

  if (document.documentElement.lang !== "en" || !document.title) tell("no language or title", document.documentElement);
  for (const [selector, count] of [["h1", 1], ["main", 1], ["body > header", 1], ["body > footer", 1], ["script, iframe, img, link, object", 0]]) {
    if (all(selector).length !== count) tell(all(selector).length + " of " + selector + ", not " + count, document.body);
  }
  const ids = all("[id]").map((e) => e.id);
  for (const id of ids.filter((id, i) => ids.indexOf(id) !== i)) tell("id twice, " + id, document.getElementById(id));
  let level = 0;
  for (const heading of all("h1, h2, h3, h4")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1 || !words(heading)) tell("heading after h" + level, heading);
    level = next;
  }
  const names = new Map();
  for (const region of all("section, article, [role=region], ol[aria-label]")) {
    const name = named(region);
    if (!name || names.has(name)) tell(name ? "name twice" : "no name", region);
    names.set(name, region);
  }
  for (const element of all("[aria-labelledby]")) {
    for (const id of element.getAttribute("aria-labelledby").split(/\s+/)) if (!document.getElementById(id)) tell("names " + id + ", which is not there", element);
  }
  for (const svg of all("svg")) {
    const hidden = svg.closest("[aria-hidden=true]") || svg.parentElement.closest("svg");
    if (!hidden && !(svg.getAttribute("role") === "img" && words(svg.querySelector("title")) && words(svg.querySelector("desc")))) tell("picture without words", svg);
  }
  for (const table of all("table")) {
    if (!words(table.caption) || !table.tHead || table.querySelector("th:not([scope])")) tell("table without caption or headers", table);
    for (const row of table.tBodies[0] ? [...table.tBodies].flatMap((b) => [...b.rows]) : []) {
      const cells = [...row.cells].reduce((sum, cell) => sum + cell.colSpan, 0);
      if (cells !== table.tHead.rows[0].cells.length) tell("row of " + cells + " cells under " + table.tHead.rows[0].cells.length, row);
    }
  }
  for (const list of all("ul, ol")) if ([...list.children].some((c) => c.tagName !== "LI")) tell("list of other things", list);
  for (const details of all("details")) if (!words(details.querySelector("summary"))) tell("no summary", details);

  const rgb = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => [r, g, b].map((c) => c / 255).map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const contrast = (a, b) => { const [x, y] = [luminance(rgb(a)), luminance(rgb(b))].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (rgb(colour).length === 3 || rgb(colour)[3] === 1) return colour;
    }
    return getComputedStyle(document.documentElement).backgroundColor;
  };
  for (const element of all("body *")) {
    const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    const style = getComputedStyle(element);
    if (!own || style.visibility === "hidden" || !element.checkVisibility() || element.closest("svg.bar, title, desc")) continue;
    const size = parseFloat(style.fontSize);
    const enough = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
    const ink = element.closest("svg") ? style.fill : style.color;
    const ratio = contrast(ink, behind(element));
    if (ratio < enough) tell("contrast of " + ratio.toFixed(2), element);
  }
  for (const element of all("a[href], summary, [tabindex='0']")) {
    if (!element.checkVisibility()) continue;
    element.focus({ focusVisible: true });
    const style = getComputedStyle(element);
    if (document.activeElement !== element) tell("takes no focus", element);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2 || contrast(style.outlineColor, behind(element)) < 3) tell("focus is not seen", element);
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) tell("wider than the window by " + (document.documentElement.scrollWidth - document.documentElement.clientWidth), document.documentElement);
  return found;
})()
