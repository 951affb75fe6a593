// ---- The prompts: colour, similarity, and the tally as bars. Also the curves' legend.

const prompts = (() => {
  const box = $("prompts");
  let rows = [];

  /// Rebuilds the list for another render.
  function build() {
    rows = [];
    box.replaceChildren(...known.render.targets.map((target, t) => {
      const list = make("ul");
      const total = make("span");
      const section = make("section", "target", "", make("h3", "", "", make("span", "", target.name), total), list);
      for (let position = 0; position < target.prompts.length; position++) {
        const index = known.offsets[t] + position, prompt = known.prompts[index];
        const row = {
          value: make("span", "value"), won: make("span", "won"), fill: make("span", "bar-fill"), total,
          element: make("li", prompt.avoided ? "prompt avoided" : "prompt"),
        };
        const text = make("span", "text", prompt.text);
        text.title = prompt.text;
        const track = make("span", "bar-track", "", row.fill);
        row.fill.style.display = track.style.display = "block";
        row.element.append(make("span", "dot"), text, row.value, row.won, ...(prompt.avoided ? [] : [track]));
        row.element.addEventListener("pointerenter", () => curves.light(index));
        row.element.addEventListener("pointerleave", () => curves.light(null));
        if (prompt.avoided) row.won.textContent = "avoided";
        rows.push(row);
        list.append(row.element);
      }
      return section;
    }));
    paint();
  }

  function paint() {
    rows.forEach((row, index) => row.element.style.setProperty("--colour", known.prompts[index].colour));
  }

  return {
    build, paint,
    /// Shows the similarities of a point of the curves.
    values(point) {
      rows.forEach((row, index) => {
        const value = point?.[index + 1];
        row.value.textContent = typeof value === "number" ? value.toFixed(3) : "";
      });
    },
    tally(tally) {
      let index = 0;
      for (const [t, target] of tally.entries()) {
        const sum = target.reduce((a, b) => a + b, 0), most = Math.max(1, ...target);
        for (const won of target) {
          const row = rows[index++];
          if (!row || known.prompts[index - 1].avoided) continue;
          row.won.textContent = `${format.format(won)} · ${sum ? (won * 100 / sum).toFixed(0) : 0} %`;
          row.fill.style.transform = `scaleX(${won / most})`;
        }
        const total = rows[known.offsets[t]]?.total;
        if (total) total.textContent = sum ? `${format.format(sum)} won` : "";
      }
    },
  };
})();

