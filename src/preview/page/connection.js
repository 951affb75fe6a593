// ---- Events in, pictures in, wishes out. A hidden page requests nothing.

const connection = (() => {
  const token = meta("token"), linked = new URLSearchParams(location.search).get("token");
  let events = null, timer = null, noticed = false;

  /// A page opened from another machine needs the link's token to see anything.
  function url(path, query = {}) {
    const parameters = new URLSearchParams(linked ? { ...query, token: linked } : query);
    return parameters.size ? `${path}?${parameters}` : path;
  }

  async function wish(what) {
    try {
      const answer = await fetch(`/${what}`, { method: "POST", headers: { "Recipe-Render-Token": token } });
      if (!answer.ok) controls.notice(await answer.text(), { wrong: true });
    } catch {
      controls.notice("The program does not answer", { wrong: true });
    }
  }

  /// Requests pictures of one kind, each after the last one has been shown: a slow screen gets fewer.
  function pictures(path, wanted, show) {
    let number = 0, asking = false, due = false;
    async function ask() {
      due = true;
      if (asking) return;
      asking = true;
      while (due && events && !document.hidden && wanted()) {
        due = false;
        try {
          const answer = await fetch(url(path, { after: number }));
          if (answer.status !== 200) { if (!answer.ok) break; continue; }
          const facts = JSON.parse(answer.headers.get("Picture-Facts"));
          const next = Number(answer.headers.get("Picture-Number"));
          show(await createImageBitmap(await answer.blob()), facts);
          number = next;
        } catch {
          // The events tell when the program is back.
          break;
        }
      }
      asking = false;
    }
    return { ask, forget() { number = 0; } };
  }
  const frames = pictures("/frame", () => true, (bitmap, facts) => stage.show(bitmap, facts.windows));
  const views = pictures("/views", () => strip.shown && known.activity !== "finished", (bitmap, facts) => strip.show(bitmap, facts));
  function look() {
    frames.ask();
    views.ask();
  }

  function rendering(render) {
    if (!render) return;
    known.render = render;
    known.offsets = [];
    known.prompts = render.targets.flatMap((target, t) => {
      known.offsets[t] = t ? known.offsets[t - 1] + render.targets[t - 1].prompts.length : 0;
      return target.prompts.map((prompt) => ({ ...prompt, target: t }));
    });
    paint();
    document.title = `${render.title ?? render.recipe} · recipe-render`;
    $("title").textContent = render.title ?? render.recipe;
    $("about").textContent = [render.output, render.size.join(" × "), render.model, render.device].join("  ·  ");
    stage.sized(...render.size);
    strip.clear();
    prompts.build();
    timeline.build();
    curves.draw();
  }

  /// Sets the colours, which depend on the light or dark scheme.
  function paint() {
    known.prompts.forEach((prompt, index) => {
      prompt.colour = colour(index);
      // Outlines on the picture are always light, over a dark line.
      prompt.light = `oklch(80% .14 ${((62 + index * 137.508) % 360).toFixed(1)})`;
    });
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    paint();
    prompts.paint();
    curves.draw();
    stage.draw();
  });

  const heard = {
    hello({ instance }) {
      // Another process has another page and another token.
      if (instance !== meta("instance")) location.reload();
    },
    recipe(value) { if (value) recipe.show(value); },
    render: rendering,
    activity(value) {
      known.activity = value;
      controls.update();
      look();
    },
    step(value) {
      known.step = value;
      timeline.update();
      if (value) prompts.tally(value.tally);
      look();
    },
    curves(value) { curves.add(value); },
    notice(value) {
      if (!value) return;
      const [number, what] = value, told = `told ${meta("instance")}`;
      controls.happened(what, number > memory.get(told, 0));
      memory.set(told, number);
    },
    end() {
      close();
      controls.update("ended");
      // The program may be started again.
      timer = setTimeout(open, 3000);
    },
  };

  function open() {
    if (events || document.hidden) return;
    clearTimeout(timer);
    events = new EventSource(url("/events"));
    for (const [name, act] of Object.entries(heard)) {
      events.addEventListener(name, (event) => act(JSON.parse(event.data)));
    }
    events.addEventListener("open", () => { noticed = false; });
    events.addEventListener("error", () => {
      const refused = events?.readyState === EventSource.CLOSED;
      if ($("activity").dataset.activity !== "ended") controls.update("lost");
      if (!refused) return;
      close();
      if (linked && !noticed) {
        noticed = true;
        controls.notice("The program was restarted or refuses this page: open the link it prints", { wrong: true });
      }
      timer = setTimeout(open, 3000);
    });
  }
  function close() {
    events?.close();
    events = null;
    clearTimeout(timer);
  }
  document.addEventListener("visibilitychange", () => document.hidden ? close() : open());
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);

  return { open, url, wish, look };
})();

connection.open();
