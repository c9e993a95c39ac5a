// Finds operations in the contents as one types, and marks the one that is being read.
const menu = document.querySelector("details.menu");
const filter = document.getElementById("filter");
const groups = [...document.querySelectorAll("details.group")];
const nothing = document.querySelector(".nothing");
const narrow = matchMedia("(max-width: 60rem)");

const fold = () => { menu.open = !narrow.matches; };
narrow.addEventListener("change", fold);
fold();

filter.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let any = false;
  groups.forEach((group, index) => {
    let found = false;
    for (const item of group.querySelectorAll("li")) {
      const fits = words.every((word) => item.firstElementChild.dataset.words.includes(word));
      item.hidden = !fits;
      found ||= fits;
    }
    group.hidden = !found;
    group.open = words.length ? found : index === 0;
    any ||= found;
  });
  nothing.hidden = any;
});

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== filter) {
    event.preventDefault();
    menu.open = true;
    filter.focus();
  }
});

menu.addEventListener("click", (event) => {
  if (narrow.matches && event.target.closest("a")) menu.open = false;
});

const links = new Map([...menu.querySelectorAll("li a")].map((link) => [link.hash.slice(1), link]));
const read = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const link = links.get(entry.target.id);
    if (!link || !entry.isIntersecting) continue;
    menu.querySelector("[aria-current]")?.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    if (!narrow.matches) {
      link.closest("details").open = true;
      const box = link.getBoundingClientRect();
      if (box.top < 120 || box.bottom > innerHeight) link.scrollIntoView({ block: "center" });
    }
  }
}, { rootMargin: "-15% 0px -75% 0px" });
for (const article of document.querySelectorAll("section.service > article[id]")) read.observe(article);
