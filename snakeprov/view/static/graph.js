// The lineage of the page as a graph: what came from what, how far it is, and what belongs together. Nodes are numbers,
// their places in the list. Knows nothing of what is shown.

const lineageGraph = (data) => {
  "use strict";

  const { nodes, flows, direction } = data;
  const CHAIN_MAX = 100; // What belongs to a node is no more than this,
  const FEW = 12; // and neighbours of one group belong to it if they are no more than this.

  const origins = nodes.map(() => []);
  const results = nodes.map(() => []);
  for (const [source, target, kind] of flows) {
    origins[target].push([source, kind]);
    results[source].push([target, kind]);
  }
  const onwards = direction === "upstream" ? origins : results;
  const isDrawn = (place) => !nodes[place].common;
  const beyond = (place) => onwards[place].map(([other]) => other).filter(isDrawn);

  const isLink = (kind) => ["again", "revisionOf", "sameContent", "inside", "contains"].includes(kind);

  // How many steps lie between a node and each that can be reached from it: activities, and links between versions.
  function distances(start) {
    const far = new Map([[start, 0]]);
    for (let near = [start], farther; near.length; near = farther) {
      farther = [];
      for (const place of near) {
        for (const [other, kind] of onwards[place]) {
          if (!isDrawn(other) || far.has(other)) continue;
          const step = nodes[place].kind === "activity" || isLink(kind) ? 1 : 0;
          far.set(other, far.get(place) + step);
          (step ? farther : near).push(other);
        }
      }
    }
    return far;
  }

  // What one step more shows of a node: from a file the activities and their files, and linked files; from an activity
  // its files.
  function hop(place) {
    const next = beyond(place);
    const activities = next.filter((other) => nodes[other].kind === "activity");
    return nodes[place].kind === "activity" ? next : [...next, ...activities.flatMap(beyond)];
  }

  // The nodes on a shortest way, without its end.
  function way(start, end) {
    const from = new Map([[start, null]]);
    const queue = [start];
    for (const place of queue) {
      for (const other of beyond(place)) {
        if (!from.has(other)) {
          from.set(other, place);
          queue.push(other);
        }
      }
    }
    const found = [];
    for (let place = from.get(end) ?? null; place !== null; place = from.get(place)) found.push(place);
    return found;
  }

  // A node of a group and what in other groups it came from or led to: the story of one sample.
  function chain(place) {
    const found = [place];
    for (const one of found) {
      for (const links of [origins, results]) {
        const alike = new Map();
        for (const [other] of links[one]) {
          const { group } = nodes[other];
          if (group !== null) alike.set(group, [...(alike.get(group) ?? []), other]);
        }
        for (const others of alike.values()) {
          const fresh = others.length <= FEW ? others.filter((other) => !found.includes(other)) : [];
          found.push(...fresh.slice(0, CHAIN_MAX - found.length));
        }
      }
    }
    return found;
  }

  return { origins, results, isDrawn, beyond, distances, hop, way, chain };
};
