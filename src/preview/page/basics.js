// ---- What the other parts share.

const $ = (id) => document.getElementById(id);
const meta = (name) => document.querySelector(`meta[name=${name}]`).content;

/// An element with classes, text and children. Text is only ever set as text.
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

/// Seconds as m:ss or h:mm:ss, whole ones, rounded up.
function clock(seconds) {
  const whole = Math.ceil(Math.min(seconds, 8640000));
  const two = (value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/// Remembers choices as long as the tab is open, over reloads.
const memory = {
  get(key, otherwise) {
    try { return JSON.parse(sessionStorage.getItem(key)) ?? otherwise; } catch { return otherwise; }
  },
  set(key, value) {
    try { sessionStorage.setItem(key, JSON.stringify(value)); } catch { /* A choice is forgotten, no more. */ }
  },
};

/// A colour for each prompt: hues as far apart as can be, the golden angle from one to the next.
function colour(index) {
  const style = getComputedStyle(document.documentElement);
  const hue = (62 + index * 137.508) % 360;
  return `oklch(${style.getPropertyValue("--lightness")} ${style.getPropertyValue("--chroma")} ${hue.toFixed(1)})`;
}

/// What is known of the render; the parts read it, only the connection writes it.
const known = {
  render: null, step: null, activity: "starting",
  /// Prompts of all targets in order: text, target, avoided, curve's colour.
  prompts: [],
  /// Where each target's prompts begin.
  offsets: [],
};

const promptOf = (target, position) => known.prompts[(known.offsets[target] ?? 0) + position];
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/// A canvas's context, its bitmap as fine as the screen; sizes are then in CSS pixels.
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

/// Calls once a screen's frame, however often it is asked to.
function calmly(draw) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    requestAnimationFrame(() => { due = false; draw(); });
  };
}

