// ---- Buttons, keys, notices.

const controls = (() => {
  const help = $("help");
  const activities = {
    starting: "starting", running: "running", pausing: "pausing", paused: "paused", finished: "finished",
    stopped: "stopped", failed: "not rendered", connecting: "connecting", lost: "no connection", ended: "program ended",
  };
  let chosenTab = memory.get("tab", "prompts"), saved = null;

  function notice(words, { wrong = false, link = null, stays = wrong } = {}) {
    const element = make("div", wrong ? "notice wrong" : "notice", "", make("span", "", words));
    if (link) element.append(link);
    const close = make("button", "", "×");
    close.type = "button";
    close.setAttribute("aria-label", "Close");
    close.addEventListener("click", () => element.remove());
    element.append(close);
    $("notices").append(element);
    while ($("notices").children.length > 3) $("notices").firstChild.remove();
    setTimeout(() => element.remove(), stays ? 20000 : 8000);
  }

  /// `shown`: the activity to display if it differs from the known one, as without a connection.
  function update(shown = known.activity) {
    const pill = $("activity");
    pill.dataset.activity = shown;
    if (pill.textContent !== activities[shown]) pill.textContent = activities[shown];
    const connected = shown === known.activity;
    const held = ["paused", "pausing"].includes(known.activity);
    const renders = connected && (held || known.activity === "running");
    $("pause").disabled = $("step").disabled = !renders;
    $("pause").classList.toggle("paused", held);
    $("pause-text").textContent = held ? "Resume" : "Pause";
    $("pause").title = held ? "Resume (Space)" : "Pause after the step (Space)";
    $("save").disabled = !renders && !(connected && saved);
    const again = connected && !renders && saved;
    $("save").lastElementChild.textContent = again ? "Download" : "Save";
    $("save").title = again ? `Download ${saved}` : "Save the picture beside the output (s)";
    timeline.update();
  }

  function download() {
    const link = make("a");
    link.href = connection.url("/saved");
    link.download = saved ?? "";
    document.body.append(link);
    link.click();
    link.remove();
  }

  const pause = () => connection.wish(["paused", "pausing"].includes(known.activity) ? "resume" : "pause");
  const step = () => connection.wish("step");
  const save = () => ["running", "paused", "pausing"].includes(known.activity) ? connection.wish("save") : saved && download();

  function tab(name, focus = false) {
    for (const other of ["prompts", "recipe"]) {
      const button = $(`tab-${other}`), chosen = other === name;
      button.setAttribute("aria-selected", chosen);
      button.tabIndex = chosen ? 0 : -1;
      $(`panel-${other}`).hidden = !chosen;
      if (chosen && focus) button.focus();
    }
    curves.draw();
  }
  function choose(name, focus) {
    chosenTab = name;
    memory.set("tab", name);
    tab(name, focus);
  }

  function windows(on = !stage.windowsShown) {
    stage.windows(on);
    $("show-windows").setAttribute("aria-pressed", on);
  }
  function views(on = !strip.shown) {
    strip.toggle(on);
    $("show-views").setAttribute("aria-pressed", on);
    connection.look();
  }

  $("pause").addEventListener("click", pause);
  $("step").addEventListener("click", step);
  $("save").addEventListener("click", save);
  $("show-windows").addEventListener("click", () => windows());
  $("show-views").addEventListener("click", () => views());
  $("help-open").addEventListener("click", () => help.showModal());
  for (const name of ["prompts", "recipe"]) {
    $(`tab-${name}`).addEventListener("click", () => choose(name));
    $(`tab-${name}`).addEventListener("keydown", (event) => {
      if (["ArrowLeft", "ArrowRight"].includes(event.key)) {
        choose(name === "prompts" ? "recipe" : "prompts", true);
        event.stopPropagation();
      }
    });
  }

  const keys = {
    " ": () => $("pause").disabled || pause(), n: () => $("step").disabled || step(), s: () => $("save").disabled || save(),
    w: () => windows(), v: () => views(), "?": () => help.showModal(), p: () => choose("prompts"), r: () => choose("recipe"),
    "+": () => stage.zoomBy(1.25), "=": () => stage.zoomBy(1.25), "-": () => stage.zoomBy(0.8), "−": () => stage.zoomBy(0.8),
    0: () => stage.fit(), 1: () => stage.zoomTo(1),
    ArrowLeft: () => stage.move(60, 0), ArrowRight: () => stage.move(-60, 0),
    ArrowUp: () => stage.move(0, 60), ArrowDown: () => stage.move(0, -60),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    // A focused button handles its own keys; scrollable text uses the arrows.
    if (event.key === " " && event.target.closest("button, a")) return;
    if (event.key.startsWith("Arrow") && !event.target.closest("#stage") && event.target !== document.body) return;
    if (event.key.startsWith("Arrow") && event.target === document.body && document.documentElement.scrollHeight > innerHeight) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  tab(chosenTab);
  $("show-windows").setAttribute("aria-pressed", stage.windowsShown);
  $("show-views").setAttribute("aria-pressed", strip.shown);

  return {
    update, notice, tab,
    get chosenTab() { return chosenTab; },
    /// `fresh`: not reported before.
    happened(what, fresh) {
      if (what.kind === "trouble") {
        if (fresh) notice(what.hint ? `${what.message} (hint: ${what.hint})` : what.message, { wrong: true });
        return;
      }
      saved = what.name;
      const link = make("a", "", "Download");
      link.href = connection.url("/saved");
      link.download = what.name;
      if (fresh) notice(`Saved ${what.name}`, { link });
      update();
    },
  };
})();

