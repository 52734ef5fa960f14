// Airflow keeps the theme of its UI here; the page is in a frame of the same origin.
function applyTheme() {
  let theme = null;
  try { theme = localStorage.getItem("theme"); } catch { /* the system's theme, then */ }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}
applyTheme();
addEventListener("storage", applyTheme);

addEventListener("DOMContentLoaded", () => {
  // A frame may not navigate the window around it; the window may, when one of its own links is followed.
  for (const link of document.querySelectorAll("a[data-airflow]")) {
    link.target = "_top";
    link.addEventListener("click", (event) => {
      if (parent === window || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const around = parent.document.createElement("a");
      around.href = link.href;
      if (link.origin !== location.origin) Object.assign(around, { target: "_blank", rel: "noreferrer" });
      around.click();
    });
  }
  const filter = document.querySelector("[data-filter]");
  if (!filter) return;
  const input = filter.querySelector("input");
  const output = filter.querySelector("output");
  const rows = [...document.querySelectorAll("[data-row]")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const apply = () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, n) => {
      row.hidden = !words.every((word) => texts[n].includes(word));
      shown += row.hidden ? 0 : 1;
    });
    output.textContent = words.length ? `${shown} of ${rows.length}` : "";
  };
  input.addEventListener("input", apply);
  filter.addEventListener("submit", (event) => event.preventDefault());
});
