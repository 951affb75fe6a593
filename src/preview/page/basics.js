// ---- What the other parts share.

const $ = (id) => document.getElementById(id);
const meta = (name) => document.querySelector(`meta[name=${name}]`).content;

/// Creates an element with classes, text and children. Text is only ever set as text.
function make(tag, classes = "", text = "", ...children) {
  const element = document.createElement(tag);
  if (classes) element.className = classes;
  if (text) element.textContent = text;
  element.append(...children);
  return element;
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const format = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const three = (value) => value >= 100 ? format.format(value) : value.toPrecision(3);

/// Formats seconds as m:ss or h:mm:ss, rounded up to whole seconds.
function clock(seconds) {
  const whole = Math.ceil(Math.min(seconds, 8640000));
  const two = (value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/// Remembers choices across reloads for as long as the tab is open.
const memory = {
  get(key, otherwise) {
    try { return JSON.parse(sessionStorage.getItem(key)) ?? otherwise; } catch { return otherwise; }
  },
  set(key, value) {
    try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* A choice is forgotten, no more. */ }
  },
};

/// Returns a colour for each prompt. Hues are as far apart as possible: successive ones differ by the golden angle.
function colour(index) {
  const style = getComputedStyle(document.documentElement);
  const hue = (62 + index * 137.508) % 360;
  return `oklch(${style.getPropertyValue("--lightness")} ${style.getPropertyValue("--chroma")} ${hue.toFixed(1)})`;
}

/// The state of the render. All parts read it; only the connection writes it.
const known = {
  render: null, step: null, activity: "starting",
  /// The prompts of all targets in order: text, target, avoided, curve's colour.
  prompts: [],
  /// The index of each target's first prompt.
  offsets: [],
};

const promptOf = (target, position) => known.prompts[(known.offsets[target] ?? 0) + position];
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/// Returns a canvas's context with a bitmap at screen resolution; sizes are then in CSS pixels.
function sharp(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) { canvas.width = wide; canvas.height = high; }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/// Calls `draw` once per screen frame, however often it is requested.
function calmly(draw) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; draw(); });
  };
}

