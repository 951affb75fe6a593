// ---- The encoder's input.

const strip = (() => {
  const box = $("strip");
  let shown = memory.get("views", true);
  box.hidden = !shown;

  function tile(count) {
    while (box.children.length > count) box.lastChild.remove();
    while (box.children.length < count) {
      const figure = make("figure", "", "", make("canvas"), make("figcaption"));
      figure.setAttribute("role", "listitem");
      box.append(figure);
    }
  }

  return {
    /// `bitmap`: the views side by side, `side` pixels each.
    show(bitmap, { side, tiles }) {
      tile(tiles.length);
      tiles.forEach(([target, position, similarity], index) => {
        const figure = box.children[index], canvas = figure.firstChild;
        const prompt = promptOf(target, position);
        if (canvas.width !== side) canvas.width = canvas.height = side;
        canvas.getContext("2d").drawImage(bitmap, index * side, 0, side, side, 0, 0, side, side);
        figure.style.setProperty("--colour", prompt?.colour ?? "gray");
        figure.lastChild.textContent = prompt?.text ?? "";
        figure.title = `${prompt?.text ?? ""}  ${similarity.toFixed(3)}`;
      });
      bitmap.close();
    },
    clear() { tile(0); },
    toggle(on) {
      shown = on;
      memory.set("views", on);
      box.hidden = !on;
    },
    get shown() { return shown; },
  };
})();

