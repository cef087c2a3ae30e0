// Where the boxes of a layered drawing lie and where its lines run: view/layout.py is the same for SVG, and says how
// it works. A test keeps the two equal.

const drawingLayout = (() => {
  "use strict";

  const BOX_HEIGHT = 40, ROW_GAP = 16, LANE_HEIGHT = 6, COLUMN_GAP = 64;
  const LANES_MAX = 20000, ORDER_SWEEPS = 12, HEIGHT_SWEEPS = 6, VISITS = 60000, LANE_WEIGHT = 8;

  function layout(widths, edges, pull) {
    const count = widths.length;
    const layers = layered(count, edges, pull);
    const lanes = makeLanes(layers, edges);
    const [unordered, links] = makeRows(layers, lanes);
    const rows = ordered(unordered, links);
    const middles = settle(rows, links, count);
    const [lefts, columns] = makeColumns(rows, widths);
    const boxes = widths.map((_, box) => box);
    return {
      layers,
      places: boxes.map((box) => [lefts[box], middles[box] - BOX_HEIGHT / 2]),
      routes: edges.map((edge) => route(edge, { layers, lanes, middles, columns, lefts, widths })),
      width: columns.length ? columns[columns.length - 1][1] : 0,
      height: boxes.reduce((most, box) => Math.max(most, middles[box]), -BOX_HEIGHT / 2) + BOX_HEIGHT / 2,
    };
  }

  function layered(count, edges, pull) {
    const after = lists(count);
    const waits = new Array(count).fill(0);
    for (const [source, target] of acyclic(count, edges)) {
      const [from, to] = pull === "right" ? [target, source] : [source, target];
      after[from].push(to);
      waits[to] += 1;
    }
    const layers = new Array(count).fill(0);
    const ready = [];
    for (let box = 0; box < count; box += 1) if (!waits[box]) ready.push(box);
    for (const box of ready) {
      for (const other of after[box]) {
        layers[other] = Math.max(layers[other], layers[box] + 1);
        waits[other] -= 1;
        if (!waits[other]) ready.push(other);
      }
    }
    const last = layers.reduce((most, layer) => Math.max(most, layer), 0);
    return pull === "right" ? layers.map((layer) => last - layer) : layers;
  }

  function acyclic(count, edges) {
    const after = lists(count);
    const hasSource = new Array(count).fill(false);
    for (const [source, target] of edges) {
      if (source !== target) {
        after[source].push(target);
        hasSource[target] = true;
      }
    }
    const boxes = after.map((_, box) => box);
    const starts = [...boxes.filter((box) => !hasSource[box]), ...boxes.filter((box) => hasSource[box])];
    const state = new Array(count).fill(0); // 1: on the path that is being followed, 2: done
    const result = [];
    for (const start of starts) {
      if (state[start]) continue;
      state[start] = 1;
      const stack = [[start, 0]];
      while (stack.length) {
        const top = stack[stack.length - 1];
        const box = top[0];
        if (top[1] === after[box].length) {
          state[box] = 2;
          stack.pop();
          continue;
        }
        const other = after[box][top[1]];
        top[1] += 1;
        result.push(state[other] === 1 ? [other, box] : [box, other]);
        if (!state[other]) {
          state[other] = 1;
          stack.push([other, 0]);
        }
      }
    }
    return result;
  }

  function makeLanes(layers, edges) {
    const count = layers.length;
    const reach = new Map();
    const pairs = edges.filter(([a, b]) => a !== b).map(([a, b]) => (layers[a] < layers[b] ? [a, b] : [b, a]));
    for (const [left, right] of pairs) reach.set(left, Math.max(reach.get(left) ?? 0, layers[right]));
    const lanes = { first: new Map(), layers: [], links: [] };
    for (const [box, far] of reach) {
      const wanted = far - layers[box] - 1;
      if (wanted <= 0 || lanes.layers.length + wanted > LANES_MAX) continue;
      const first = count + lanes.layers.length;
      lanes.first.set(box, first);
      for (let step = 0; step < wanted; step += 1) {
        lanes.layers.push(layers[box] + 1 + step);
        lanes.links.push([step ? first + step - 1 : box, first + step]);
      }
    }
    const seen = new Set();
    for (const [left, right] of pairs) {
      const key = left * count + right;
      if (seen.has(key)) continue;
      seen.add(key);
      const skipped = layers[right] - layers[left] - 1;
      if (!skipped) lanes.links.push([left, right]);
      else if (lanes.first.has(left)) lanes.links.push([lanes.first.get(left) + skipped - 1, right]);
    }
    return lanes;
  }

  function makeRows(layers, lanes) {
    const every = [...layers, ...lanes.layers];
    const rows = lists(every.reduce((most, layer) => Math.max(most, layer), -1) + 1);
    every.forEach((layer, item) => rows[layer].push(item));
    const links = { before: lists(every.length), after: lists(every.length) };
    for (const [left, right] of lanes.links) {
      links.after[left].push(right);
      links.before[right].push(left);
    }
    return [rows, links];
  }

  function ordered(rows, links) {
    let best = rows;
    let fewest = crossings(rows, links);
    for (let sweep = 0; fewest && sweep < sweeps(links.before.length, ORDER_SWEEPS); sweep += 1) {
      rows = swept(rows, links.before);
      rows = swept([...rows].reverse(), links.after).reverse();
      const found = crossings(rows, links);
      if (found >= fewest) break;
      best = rows;
      fewest = found;
    }
    return best;
  }

  function swept(rows, linked) {
    const place = new Map();
    for (const row of rows) row.forEach((item, number) => place.set(item, number));
    return rows.map((row, number) => {
      if (!number) return row;
      const means = new Map(row.map((item) => [item, mean(linked[item], (one) => place.get(one), place.get(item))]));
      const sorted = [...row].sort((a, b) => means.get(a) - means.get(b));
      sorted.forEach((item, at) => place.set(item, at));
      return sorted;
    });
  }

  function crossings(rows, links) {
    let count = 0;
    for (let number = 0; number + 1 < rows.length; number += 1) {
      const place = new Map(rows[number + 1].map((item, at) => [item, at]));
      const size = rows[number + 1].length;
      const tree = new Array(size + 1).fill(0); // Fenwick's: how many ends lie before a place
      let seen = 0;
      for (const item of rows[number]) {
        const targets = links.after[item].map((one) => place.get(one));
        for (const target of targets) {
          count += seen;
          for (let at = target + 1; at > 0; at -= at & -at) count -= tree[at];
        }
        for (const target of targets) {
          for (let at = target + 1; at <= size; at += at & -at) tree[at] += 1;
        }
        seen += targets.length;
      }
    }
    return count;
  }

  function settle(rows, links, boxes) {
    const middles = new Array(links.before.length).fill(0);
    const half = (item) => (item < boxes ? BOX_HEIGHT : LANE_HEIGHT) / 2;
    const gaps = rows.map((row) => row.slice(1).map((item, at) => half(row[at]) + half(item) + ROW_GAP));
    rows.forEach((row, number) => {
      let at = 0;
      row.forEach((item, index) => {
        middles[item] = at;
        at += gaps[number][index] ?? 0;
      });
    });
    const both = links.before.map((before, item) => [...before, ...links.after[item]]);
    const forth = rows.map((_, number) => number);
    const back = [...forth].reverse();
    const passes = [];
    for (let sweep = 0; sweep < sweeps(middles.length, HEIGHT_SWEEPS); sweep += 1) {
      passes.push([forth, links.before], [back, links.after]);
    }
    passes.push([forth, both], [back, both]);
    for (const [order, linked] of passes) {
      for (const number of order) {
        const row = rows[number];
        const wanted = row.map((item) => mean(linked[item], (one) => middles[one], middles[item]));
        const weights = row.map((item) => (item < boxes ? 1 : LANE_WEIGHT));
        spread(wanted, gaps[number], weights).forEach((middle, at) => { middles[row[at]] = middle; });
      }
    }
    let top = boxes ? Infinity : 0;
    for (let box = 0; box < boxes; box += 1) top = Math.min(top, middles[box]);
    return middles.map((middle) => middle - (top - BOX_HEIGHT / 2));
  }

  function sweeps(items, most) {
    return Math.max(1, Math.min(most, Math.floor(VISITS / (2 * Math.max(items, 1)))));
  }

  function mean(items, value, own) {
    if (!items.length) return own;
    let sum = 0;
    for (const item of items) sum += value(item);
    return sum / items.length;
  }

  function spread(wanted, gaps, weights) {
    const offsets = [0];
    for (const gap of gaps) offsets.push(offsets[offsets.length - 1] + gap);
    const blocks = [];
    wanted.forEach((height, at) => {
      let [middle, total, size] = [height - offsets[at], weights[at], 1];
      while (blocks.length && blocks[blocks.length - 1][0] >= middle) {
        const [other, weighs, length] = blocks.pop();
        middle = (middle * total + other * weighs) / (total + weighs);
        total += weighs;
        size += length;
      }
      blocks.push([middle, total, size]);
    });
    const means = blocks.flatMap(([middle, , size]) => new Array(size).fill(middle));
    return means.map((middle, at) => middle + offsets[at]);
  }

  function makeColumns(rows, widths) {
    const lefts = new Array(widths.length).fill(0);
    const columns = [];
    let at = 0;
    for (const row of rows) {
      const boxes = row.filter((item) => item < widths.length);
      const wide = boxes.reduce((most, box) => Math.max(most, widths[box]), 0);
      for (const box of boxes) lefts[box] = at + (wide - widths[box]) / 2;
      columns.push([at, at + wide]);
      at += wide + COLUMN_GAP;
    }
    return [lefts, columns];
  }

  function route(edge, { layers, lanes, middles, columns, lefts, widths }) {
    if (edge[0] === edge[1]) return [];
    const backwards = layers[edge[0]] > layers[edge[1]];
    const [left, right] = backwards ? [edge[1], edge[0]] : edge;
    const points = [[lefts[left] + widths[left], middles[left]]];
    if (lanes.first.has(left)) {
      for (let layer = layers[left] + 1; layer < layers[right]; layer += 1) {
        const middle = middles[lanes.first.get(left) + layer - layers[left] - 1];
        points.push([columns[layer][0], middle], [columns[layer][1], middle]);
      }
    }
    points.push([lefts[right], middles[right]]);
    return backwards ? points.reverse() : points;
  }

  function lists(count) {
    return Array.from({ length: count }, () => []);
  }

  return layout;
})();
