// The elements that the page is made of: outlines of boxes and curves of lines, as view/shapes.py has them for SVG.
// Whatever text is given to them stays text.

const shapes = (() => {
  "use strict";

  const BOX_HEIGHT = 40;

  function element(name, attributes = {}, ...children) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function html(name, properties = {}, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function outline(kind, wide) {
    const high = BOX_HEIGHT;
    if (kind === "activity") return `M10 0H${wide - 10}L${wide} ${high / 2}L${wide - 10} ${high}H10L0 ${high / 2}Z`;
    if (kind === "code") return `M0 0H${wide - 11}L${wide} 11V${high}H0ZM${wide - 11} 0V11H${wide}`;
    const [right, low] = [wide - 9, high - 9];
    return `M9 0H${right}Q${wide} 0 ${wide} 9V${low}Q${wide} ${high} ${right} ${high}H9Q0 ${high} 0 ${low}V9Q0 0 9 0Z`;
  }

  function curve(points) {
    let path = `M${points[0][0]} ${points[0][1]}`;
    for (let at = 1; at < points.length; at += 1) {
      const [[x, y], [toX, toY]] = [points[at - 1], points[at]];
      const middle = (x + toX) / 2;
      path += `C${middle} ${y} ${middle} ${toY} ${toX} ${toY}`;
    }
    return path;
  }

  return { BOX_HEIGHT, element, html, outline, curve };
})();
