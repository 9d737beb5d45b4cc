/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Drawing for the pages that tools/ writes. A page defines D (its data; D.start_ms: what its times
 * count from, in ms since 1970) before it, and T0 and T1 (first and last second drawn).
 */
const $ = id => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const STATES = ["BIRTH", "ATTACHED", "VOLATILE", "RECOVERING", "DEGRADED", "TERMINATED"];
const stateColor = state => `var(--${state.toLowerCase()})`;

function el(parent, name, attributes, text) {
	const svg = parent.namespaceURI === SVG || name === "svg";
	const node = svg ? document.createElementNS(SVG, name) : document.createElement(name);
	for (const key in attributes || {})
		if (attributes[key] !== null && attributes[key] !== undefined)
			node.setAttribute(key, attributes[key]);
	if (text !== undefined)
		node.textContent = text;
	parent.appendChild(node);
	return node;
}

const ms = value => value === null || value === undefined ? "endless" : `${Math.round(value)} ms`;
const seconds = value => `${value.toFixed(3)} s`;

function intervals(transitions, key, end) {
	const list = [];
	transitions.forEach((t, i) => {
		const from = (t.ts_ms - D.start_ms) / 1000;
		const next = transitions[i + 1];
		const to = next ? (next.ts_ms - D.start_ms) / 1000 : end;
		if (to >= T0)
			list.push({ from: Math.max(from, T0), to: Math.min(to, end), value: key(t), t, length: to - from });
	});
	return list;
}

function chip(good, yes, no) {
	el($("chips"), "span", { class: good ? "chip" : "chip bad" }, (good ? "\u2713 " : "\u2717 ") + (good ? yes : no));
}

/* Short states would vanish: they get a few pixels, drawn last. */
function band(svg, x, y, height, list, color, label, tip) {
	const wide = list.filter(i => x(i.to) - x(i.from) >= 5), thin = list.filter(i => !wide.includes(i));
	for (const i of [...wide, ...thin]) {
		if (i.value === null)
			continue;
		const width = Math.max(x(i.to) - x(i.from), 5);
		const left = wide.includes(i) ? x(i.from) : x((i.from + i.to) / 2) - width / 2;
		el(svg, "rect", { x: left, y, width, height, rx: 3, fill: color(i), "data-tip": tip(i) });
		const text = label(i, width);
		if (text)
			el(svg, "text", { class: "inside", x: left + 8, y: y + height / 2 + 4, style: "pointer-events:none" }, text);
	}
}

const fit = (text, width) => text.length * 6.9 + 14 < width ? text : "";

function rowHead(svg, y, text, note) {
	const node = el(svg, "text", { class: "head", x: 0, y }, text);
	if (note)
		el(node, "tspan", { style: "fill:var(--soft);font-weight:400", dx: 8 }, note);
}

function scaleLines(svg, x, values) {
	for (const [value, at] of values) {
		el(svg, "line", { x1: x(T0), x2: x(T1), y1: at, y2: at, stroke: "var(--grid)" });
		el(svg, "text", { class: "soft", x: x(T1) + 6, y: at + 4, style: "font-size:11px" }, value);
	}
}

function axis(svg, x, y, narrow) {
	const most = narrow ? 7 : 14;
	const step = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 7200].find(s => (T1 - T0) / s <= most) || 14400;
	const words = t => T1 - T0 < 600 ? `${t} s` : t % 3600 === 0 ? `${t / 3600} h` : `${t / 60} min`;
	el(svg, "line", { x1: x(T0), x2: x(T1), y1: y, y2: y, stroke: "var(--line)" });
	for (let t = Math.ceil(T0 / step) * step; t <= T1; t += step)
		el(svg, "text", { class: "soft", x: x(t), y: y + 16, "text-anchor": t - T0 < step / 2 ? "start" : T1 - t < step / 2 ? "end" : "middle" }, words(t));
}

function tips() {
	const tip = $("tip");
	const show = e => {
		const text = e.target.closest && e.target.closest("[data-tip]");
		if (!text) {
			tip.style.display = "none";
			return;
		}
		tip.textContent = text.getAttribute("data-tip");
		tip.style.display = "block";
		tip.style.left = Math.max(6, Math.min(e.clientX + 12, innerWidth - tip.offsetWidth - 6)) + "px";
		tip.style.top = (e.clientY + 18 + tip.offsetHeight > innerHeight ? e.clientY - tip.offsetHeight - 12 : e.clientY + 18) + "px";
	};
	addEventListener("pointermove", show);
	addEventListener("pointerdown", show);
	addEventListener("scroll", () => { tip.style.display = "none"; }, { passive: true });
}
