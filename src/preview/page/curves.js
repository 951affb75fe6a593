// ---- Similarities over time.

const curves = (() => {
  const canvas = $("chart"), readout = $("chart-readout");
  /// Each point: step, then a value or null for each prompt.
  let points = [], lit = null, pointed = null;
  const margin = { left: 34, right: 6, top: 8, bottom: 18 };

  /// Returns round numbers that divide a range into a few parts.
  function ticks(low, high, most) {
    const rough = (high - low) / most;
    const power = 10 ** Math.floor(Math.log10(rough));
    const unit = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
    const values = [];
    for (let value = Math.ceil(low / unit) * unit; value <= high + 1e-9; value += unit) values.push(value);
    return { values, digits: Math.max(0, -Math.floor(Math.log10(unit) + 1e-9)) };
  }

  const draw = calmly(() => {
    const { context, width, height } = sharp(canvas);
    if (!known.render || width === 0) return;
    const values = points.flatMap((point) => point.slice(1).filter((value) => value !== null));
    let [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 0.4];
    const pad = Math.max(0.02, (high - low) * 0.06);
    [low, high] = [low - pad, high + pad];
    const steps = Math.max(1, known.render.steps);
    const x = (step) => margin.left + (width - margin.left - margin.right) * step / steps;
    const y = (value) => margin.top + (height - margin.top - margin.bottom) * (high - value) / (high - low);

    context.font = "11px system-ui, sans-serif";
    context.fillStyle = css("--quiet");
    context.strokeStyle = css("--line");
    context.lineWidth = 1;
    context.textBaseline = "middle";
    context.textAlign = "right";
    const marks = ticks(low, high, 5);
    for (const value of marks.values) {
      const at = Math.round(y(value)) + 0.5;
      context.beginPath(); context.moveTo(margin.left, at); context.lineTo(width - margin.right, at); context.stroke();
      context.fillText(value.toFixed(marks.digits), margin.left - 6, at);
    }
    // The boundaries between phases.
    context.textBaseline = "alphabetic";
    context.setLineDash([2, 3]);
    let begun = 0;
    for (const phase of known.render.phases) {
      if (begun) {
        const at = Math.round(x(begun)) + 0.5;
        context.beginPath(); context.moveTo(at, margin.top); context.lineTo(at, height - margin.bottom); context.stroke();
      }
      begun += phase.steps;
    }
    context.setLineDash([]);
    context.textAlign = "left"; context.fillText("0", margin.left, height - 4);
    context.textAlign = "right"; context.fillText(format.format(steps), width - margin.right, height - 4);

    known.prompts.forEach((prompt, index) => { if (index !== lit) line(context, prompt, index, x, y); });
    if (lit !== null && known.prompts[lit]) line(context, known.prompts[lit], lit, x, y);
    if (pointed) {
      context.strokeStyle = css("--quiet");
      context.beginPath(); context.moveTo(x(pointed[0]), margin.top); context.lineTo(x(pointed[0]), height - margin.bottom); context.stroke();
    }
  });

  function line(context, prompt, index, x, y) {
    const clear = lit === null || lit === index ? 1 : 0.25;
    context.strokeStyle = prompt.colour;
    context.lineJoin = "round";
    // With few windows per step, values are noisy: they are drawn faintly behind their running mean.
    for (const [share, width, alpha] of [[1, 1, 0.28], [0.2, lit === index ? 2.8 : 1.8, 1]]) {
      context.globalAlpha = alpha * clear;
      context.lineWidth = width;
      context.setLineDash(prompt.avoided && share < 1 ? [5, 3] : []);
      context.beginPath();
      let mean = null;
      for (const point of points) {
        const value = point[index + 1];
        if (value === null) { mean = null; continue; }
        const begins = mean === null;
        mean = begins ? value : mean + share * (value - mean);
        if (begins) context.moveTo(x(point[0]), y(mean)); else context.lineTo(x(point[0]), y(mean));
      }
      context.stroke();
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  canvas.addEventListener("pointermove", (event) => {
    const rect = canvas.getBoundingClientRect();
    const share = (event.clientX - rect.left - margin.left) / (rect.width - margin.left - margin.right);
    const step = share * (known.render?.steps ?? 1);
    pointed = points.reduce((best, point) => !best || Math.abs(point[0] - step) < Math.abs(best[0] - step) ? point : best, null);
    readout.textContent = pointed ? `step ${format.format(pointed[0])}` : "";
    prompts.values(pointed);
    draw();
  });
  canvas.addEventListener("pointerleave", () => {
    pointed = null;
    readout.textContent = "";
    prompts.values(points.at(-1));
    draw();
  });
  new ResizeObserver(draw).observe(canvas);

  return {
    draw,
    /// Adds new points; `whole`: discard the earlier ones.
    add({ whole, points: fresh }) {
      points = whole ? fresh : points.concat(fresh);
      if (!pointed) prompts.values(points.at(-1));
      draw();
    },
    light(index) { lit = index; draw(); },
    get points() { return points; },
  };
})();

