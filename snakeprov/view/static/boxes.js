// What a box of the drawing says and looks like, whether it is one node or a folded group of them. Nodes are numbers, their
// places in the list. Knows nothing of which boxes are shown.

const lineageBoxes = (data) => {
  "use strict";

  const COUNT_WIDTH = 7.3;
  const TITLE_CHARS = 26;

  const { element, outline } = shapes;
  const { nodes, groups, widths } = data;
  const upstream = data.direction === "upstream";

  // What the box of some nodes says, and how wide it is.
  function face(members) {
    const node = nodes[members[0]];
    if (members.length === 1) return { ...node, wide: node.width, count: 1 };
    const [title, second] = groups[node.group];
    const times = ` \u00d7${members.length.toLocaleString("en")}`;
    const room = Math.max(TITLE_CHARS - times.length, 1);
    const cut = [...title].length > room ? `\u2026${[...title].slice(1 - room).join("")}` : title;
    const wide = Math.max(widths[node.group], ([...cut].length + times.length) * COUNT_WIDTH + 30);
    const whole = title + times + (second ? ` (${second})` : "");
    return { ...node, title: cut + times, note: second, whole, wide, count: members.length };
  }

  // The element of a box; `start` is the node at which the drawing starts.
  function paintBox(box, number, [x, y], start) {
    const kinds = ["box", box.kind];
    if (box.members[0] === start) kinds.push("root");
    if (box.bad) kinds.push("bad");
    const told = `${box.kind}: ${box.whole}`;
    const made = element("g", {
      class: kinds.join(" "), transform: `translate(${x} ${y})`, tabindex: "-1", role: "button", "aria-label": told,
      "data-box": number,
    });
    const path = outline(box.kind, box.wide);
    made.append(element("title", {}, box.whole));
    if (box.count > 1) made.append(element("path", { transform: "translate(5 -5)", d: path }));
    made.append(element("path", { class: "face", d: path }));
    made.append(element("text", { class: "title", x: 15, y: box.note ? 17 : 24 }, box.title));
    if (box.note) made.append(element("text", { class: "note", x: 15, y: 31 }, box.note));
    const edge = upstream ? -13 : box.wide + 13;
    if (box.hidden) {
      made.append(element("g", { class: "opener", "data-open": number, transform: `translate(${edge} 20)` },
        element("circle", { r: 9 }), element("text", { y: 4.5 }, "+"), element("title", {}, "Show one step more")));
    } else if (box.members.some((place) => nodes[place].unexplored)) {
      made.append(element("text", { class: "more", x: upstream ? -17 : box.wide + 5, y: 24 }, "\u2026"));
    }
    return made;
  }

  return { face, paintBox };
};
