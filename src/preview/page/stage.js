// ---- The picture: zoom, pan, the windows of its step.

const stage = (() => {
  const box = $("stage"), canvas = $("canvas"), label = $("label");
  let picture = null, windows = [], size = [1, 1];
  /// The canvas's centre in fractions of the picture, and screen pixels per picture pixel; a null zoom means fit.
  let view = memory.get("view", { x: 0.5, y: 0.5, zoom: null });
  let shown = memory.get("windows", true);
  let pointed = null;

  const fitting = () => Math.min(box.clientWidth / size[0], box.clientHeight / size[1]);
  const zoom = () => view.zoom ?? fitting();
  const left = () => box.clientWidth / 2 - view.x * size[0] * zoom();
  const top = () => box.clientHeight / 2 - view.y * size[1] * zoom();

  const draw = calmly(() => {
    const { context, width, height } = sharp(canvas);
    const scale = zoom();
    const [x, y] = [left(), top()];
    if (picture) {
      context.imageSmoothingEnabled = scale * window.devicePixelRatio < 3;
      context.imageSmoothingQuality = "high";
      context.drawImage(picture, x, y, size[0] * scale, size[1] * scale);
    }
    if (picture && shown) outlines(context, x, y, scale, width, height);
    $("zoom-level").textContent = view.zoom === null ? "fit" : `${Math.round(scale * 100)} %`;
  });

  function outlines(context, x, y, scale) {
    const point = (corner) => [x + corner[0] * size[0] * scale, y + corner[1] * size[1] * scale];
    context.lineJoin = "round";
    windows.forEach(([corners, target, position], index) => {
      context.beginPath();
      corners.map(point).forEach(([px, py], i) => i ? context.lineTo(px, py) : context.moveTo(px, py));
      context.closePath();
      const lit = index === pointed;
      // A dark line under the coloured one makes it visible on any picture.
      context.strokeStyle = "rgb(0 0 0 / .45)";
      context.lineWidth = lit ? 4.5 : 3;
      context.stroke();
      context.strokeStyle = promptOf(target, position)?.light ?? "white";
      context.lineWidth = lit ? 2.5 : 1.4;
      context.stroke();
    });
  }

  /// Returns the smallest window at a point of the stage.
  function windowAt(px, py) {
    const at = [(px - left()) / (size[0] * zoom()), (py - top()) / (size[1] * zoom())];
    const inside = (corners) => {
      let crossings = 0;
      for (let i = 0; i < 4; i++) {
        const [a, b] = [corners[i], corners[(i + 1) % 4]];
        if ((a[1] > at[1]) !== (b[1] > at[1]) && at[0] < a[0] + (b[0] - a[0]) * (at[1] - a[1]) / (b[1] - a[1])) crossings++;
      }
      return crossings % 2 === 1;
    };
    const area = (c) => Math.abs((c[2][0] - c[0][0]) * (c[3][1] - c[1][1]) - (c[3][0] - c[1][0]) * (c[2][1] - c[0][1]));
    let best = null;
    windows.forEach((window, index) => {
      if (inside(window[0]) && (best === null || area(window[0]) < area(windows[best][0]))) best = index;
    });
    return best;
  }

  function point(px, py) {
    pointed = shown && picture && px !== null ? windowAt(px, py) : null;
    const window = pointed === null ? null : windows[pointed];
    const prompt = window && promptOf(window[1], window[2]);
    label.hidden = !prompt;
    if (prompt) {
      label.textContent = `${prompt.text}  ${window[3].toFixed(3)}`;
      label.style.left = `${clamp(px + 14, 4, box.clientWidth - label.offsetWidth - 4)}px`;
      label.style.top = `${clamp(py + 16, 4, box.clientHeight - label.offsetHeight - 4)}px`;
    }
    draw();
  }

  function keep() {
    // Part of the picture always stays visible.
    const reach = (length, own) => Math.max(0.5, 0.5 + 0.5 * (1 - Math.min(1, 80 / (own * length))));
    view.x = clamp(view.x, 1 - reach(size[0], zoom()), reach(size[0], zoom()));
    view.y = clamp(view.y, 1 - reach(size[1], zoom()), reach(size[1], zoom()));
    memory.set("view", view);
    draw();
  }

  /// Zooms about a point of the stage, which stays in place.
  function zoomTo(scale, px = box.clientWidth / 2, py = box.clientHeight / 2) {
    const next = clamp(scale, Math.min(fitting(), 1) / 4, 64);
    const at = [(px - left()) / zoom(), (py - top()) / zoom()];
    view = {
      x: (at[0] - (px - box.clientWidth / 2) / next) / size[0],
      y: (at[1] - (py - box.clientHeight / 2) / next) / size[1],
      zoom: next,
    };
    keep();
  }
  const zoomBy = (factor, px, py) => zoomTo(zoom() * factor, px, py);
  function fit() {
    view = { x: 0.5, y: 0.5, zoom: null };
    keep();
  }
  function move(dx, dy) {
    view = { x: view.x - dx / (size[0] * zoom()), y: view.y - dy / (size[1] * zoom()), zoom: zoom() };
    keep();
  }

  // One pointer drags, two pinch.
  const pointers = new Map();
  let tapped = 0;
  const place = (event) => {
    const rect = box.getBoundingClientRect();
    return [event.clientX - rect.left, event.clientY - rect.top];
  };
  box.addEventListener("pointerdown", (event) => {
    if (event.target.closest("button") || event.button > 0) return;
    box.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, place(event));
    box.classList.add("held");
    box.dataset.moved = "";
  });
  box.addEventListener("pointermove", (event) => {
    const now = place(event), before = pointers.get(event.pointerId);
    if (!before) { if (event.pointerType === "mouse") point(...now); return; }
    const others = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
    if (others.length === 1) {
      const [other] = others;
      const spread = (at) => Math.hypot(at[0] - other[0], at[1] - other[1]);
      move((now[0] - before[0]) / 2, (now[1] - before[1]) / 2);
      zoomBy(spread(now) / Math.max(1, spread(before)), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    } else if (others.length === 0) {
      if (Math.hypot(now[0] - before[0], now[1] - before[1]) < 2 && !box.dataset.moved) return;
      box.dataset.moved = "yes";
      move(now[0] - before[0], now[1] - before[1]);
    }
    pointers.set(event.pointerId, now);
  });
  const release = (event) => {
    pointers.delete(event.pointerId);
    if (pointers.size === 0) box.classList.remove("held");
    // Touch has no double-click event here, so a double tap is detected.
    if (event.type === "pointerup" && event.pointerType === "touch" && !box.dataset.moved) {
      if (event.timeStamp - tapped < 320) { fitOrWhole(...place(event)); tapped = 0; } else {
        tapped = event.timeStamp;
        point(...place(event));
      }
    }
  };
  box.addEventListener("pointerup", release);
  box.addEventListener("pointercancel", release);
  box.addEventListener("pointerleave", () => point(null, null));
  box.addEventListener("wheel", (event) => {
    event.preventDefault();
    const pixels = event.deltaY * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1);
    zoomBy(Math.exp(-clamp(pixels, -240, 240) * (event.ctrlKey ? 0.01 : 0.002)), ...place(event));
  }, { passive: false });
  box.addEventListener("dblclick", (event) => { if (!event.target.closest("button")) fitOrWhole(...place(event)); });

  /// Toggles between fit and one screen pixel per picture pixel.
  function fitOrWhole(px, py) {
    if (view.zoom !== null) fit(); else zoomTo(Math.max(1, fitting() * 2), px, py);
  }

  new ResizeObserver(draw).observe(box);
  $("zoom-in").addEventListener("click", () => zoomBy(1.4));
  $("zoom-out").addEventListener("click", () => zoomBy(1 / 1.4));
  $("zoom-fit").addEventListener("click", fit);

  return {
    draw, fit, zoomTo, zoomBy, move,
    /// Sets the canvas's size; a picture may be smaller.
    sized(width, height) {
      if (size[0] !== width || size[1] !== height) { size = [width, height]; draw(); }
    },
    show(bitmap, outlines) {
      picture?.close?.();
      picture = bitmap;
      windows = outlines;
      pointed = null;
      label.hidden = true;
      $("empty").hidden = true;
      draw();
    },
    windows(on) {
      shown = on;
      memory.set("windows", on);
      draw();
    },
    get windowsShown() { return shown; },
    get hasPicture() { return picture !== null; },
  };
})();

