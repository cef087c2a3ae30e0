// What is seen of the drawing: zooming and moving it, by wheel, by dragging and by name. Knows nothing of what is drawn;
// lengths are those of the drawing.

const drawingViewport = (svg, canvas) => {
  "use strict";

  const ZOOM_MIN = 0.03, ZOOM_MAX = 3;
  const READABLE_MIN = 0.5, READABLE = 0.8;
  const DRAG_MIN = 3; // Pixels: less is a click.

  let view = { x: 0, y: 0, zoom: 1 };
  let drag = null;
  let moved = false;

  function look() {
    canvas.setAttribute("transform", `translate(${view.x} ${view.y}) scale(${view.zoom})`);
  }

  function zoom(by, x = svg.clientWidth / 2, y = svg.clientHeight / 2) {
    const next = Math.min(Math.max(view.zoom * by, ZOOM_MIN), ZOOM_MAX);
    view = { x: x - ((x - view.x) * next) / view.zoom, y: y - ((y - view.y) * next) / view.zoom, zoom: next };
    look();
  }

  // The drawing as a whole. Where that is too small to read and something else is to be done then, do that.
  function fit(width, height, tooSmall = null) {
    const [roomX, roomY] = [svg.clientWidth, svg.clientHeight];
    const next = Math.min((roomX - 80) / Math.max(width, 1), (roomY - 80) / Math.max(height, 1), 1.15);
    view.zoom = Math.max(next, ZOOM_MIN);
    if (tooSmall && view.zoom < READABLE_MIN) {
      view.zoom = READABLE;
      tooSmall();
      return;
    }
    view.x = (roomX - width * view.zoom) / 2;
    view.y = (roomY - height * view.zoom) / 2;
    look();
  }

  // A point of the drawing, so far from the left (0 to 1) and in the middle of the height.
  function centre(x, y, aside) {
    view.x = svg.clientWidth * aside - x * view.zoom;
    view.y = svg.clientHeight / 2 - y * view.zoom;
    look();
  }

  // What was at one point is at another now: keep it where it is on the screen.
  function follow(before, after) {
    view.x += (before[0] - after[0]) * view.zoom;
    view.y += (before[1] - after[1]) * view.zoom;
    look();
  }

  // Whether a box whose corner is there can be seen.
  function sees([left, top]) {
    const [x, y] = [left * view.zoom + view.x, top * view.zoom + view.y];
    return x >= 10 && y >= 10 && x <= svg.clientWidth - 140 && y <= svg.clientHeight - 50;
  }

  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    const frame = svg.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - frame.left, event.clientY - frame.top);
  }, { passive: false });
  svg.addEventListener("pointerdown", (event) => {
    moved = false;
    if (event.target.closest(".box")) return;
    drag = { x: event.clientX - view.x, y: event.clientY - view.y };
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!drag) return;
    moved ||= Math.hypot(event.clientX - drag.x - view.x, event.clientY - drag.y - view.y) > DRAG_MIN;
    if (!moved) return;
    view = { ...view, x: event.clientX - drag.x, y: event.clientY - drag.y };
    look();
  });
  svg.addEventListener("pointerup", () => { drag = null; });
  svg.addEventListener("pointercancel", () => { drag = null; });

  return { zoom, fit, centre, follow, sees, wasDragged: () => moved };
};
