// ---- Phases and position; steps, speed, time left.

const timeline = (() => {
  const box = $("timeline");
  let phases = [];

  function build() {
    phases = known.render.phases.map((phase) => {
      const done = make("div", "done");
      const element = make("div", "phase", "", make("div", "track", "", done), make("div", "about", phase.name));
      element.style.flex = `${phase.steps} 1 0`;
      element.title = `${phase.name}: ${format.format(phase.steps)} steps`;
      return { element, done };
    });
    box.replaceChildren(...phases.map((phase) => phase.element));
    box.setAttribute("aria-valuemax", known.render.steps);
    update();
  }

  function update() {
    const { render, step } = known;
    if (!render) return;
    const at = step ?? { step: 0, phase: 0, phase_step: 0, rate: null, left: null };
    phases.forEach(({ element, done }, index) => {
      const share = index < at.phase ? 1 : index > at.phase ? 0 : at.phase_step / render.phases[index].steps;
      done.style.transform = `scaleX(${share})`;
      element.classList.toggle("now", index === at.phase);
    });
    const words = `step ${at.step} of ${render.steps}, ${render.phases[at.phase]?.name ?? ""}`;
    box.setAttribute("aria-valuenow", at.step);
    box.setAttribute("aria-valuetext", words);
    $("canvas").parentElement.setAttribute("aria-label", `The picture at ${words}: arrows move it, plus and minus zoom, 0 fits it`);
    const running = known.activity === "running";
    $("figure-step").textContent = `${format.format(at.step)} / ${format.format(render.steps)}`;
    $("figure-rate").textContent = running && at.rate ? three(at.rate) : "–";
    $("figure-left").textContent = running && at.left !== null && at.left !== undefined ? clock(at.left) : "–";
  }

  return { build, update };
})();

