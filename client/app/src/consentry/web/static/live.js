// New blocks are announced, and the parts of a page that ask for it are fetched again; nothing else happens here.
(() => {
  const place = document.querySelector("[data-live]");
  if (!place || !window.EventSource) return;
  let first = null;
  const source = new EventSource(place.dataset.live);
  source.addEventListener("block", (event) => {
    const number = Number(event.data);
    if (first === null) { first = number; return; }
    const count = number - first;
    if (count <= 0) return;
    const link = document.createElement("a");
    link.href = window.location.href;
    link.textContent = (count === 1 ? place.dataset.one : place.dataset.new).replace("#", String(count));
    place.replaceChildren(link);
    document.body.dispatchEvent(new CustomEvent("ledger-block", { detail: number }));
  });
  source.addEventListener("end", () => { source.close(); });
  window.addEventListener("pagehide", () => { source.close(); });
})();
