// What the page asks the server for. Every failure becomes an Error whose message a person can read.

export const PAGE_SIZE = 24;

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (wrong) {
    if (wrong.name === "AbortError") throw wrong;
    throw new Error("The server does not answer. Is it still running?");
  }
  const body = await response.json().catch(() => ({}));
  const gone = response.status === 404 ? "That is not there, or no longer." : undefined; // such an answer may come without words
  if (!response.ok) throw new Error(body.error?.[0]?.message ?? body.message ?? gone ?? `The server answered with status ${response.status}.`);
  return body;
}

const object = (collection, id) => `v1/objects/${encodeURIComponent(collection)}/${encodeURIComponent(id)}`;

// The collections as the page needs them: which property holds the picture, and what each named vector understands.
export async function collections() {
  const [{ classes }, modules] = await Promise.all([request("v1/schema"), request("v1/modules")]);
  const understands = (module) => modules[module]?.modalities ?? [];
  const target = (name, module) => ({ name, module, image: understands(module).includes("image"), text: understands(module).includes("text") });
  return classes.map((found) => ({
    name: found.class,
    properties: (found.properties ?? []).map(({ name, dataType }) => ({ name, type: dataType[0] })),
    picture: found.properties?.find(({ dataType }) => dataType[0] === "blob")?.name,
    targets: found.vectorConfig
      ? Object.entries(found.vectorConfig).map(([name, { vectorizer }]) => target(name, Object.keys(vectorizer)[0]))
      : [target(undefined, found.vectorizer)],
  }));
}

const search = (collection, kind, asked, signal) =>
  request(`v1/search/${encodeURIComponent(collection)}/${kind}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...asked, limit: PAGE_SIZE }),
    signal,
  });

// Objects in the order of their ids, those that pass a filter if there is one: {hits}.
export async function first(collection, where, offset, signal) {
  if (where) return search(collection, "objects", { where, offset }, signal);
  const query = new URLSearchParams({ class: collection, limit: PAGE_SIZE, offset, exclude: "blobs" });
  const { objects } = await request(`v1/objects?${query}`, { signal });
  return { hits: objects };
}

// Objects near something: {hits, took_ms}. `asked` is {image}, {text} or {id}, with {target, where, offset}.
export function near(collection, asked, signal) {
  const kind = asked.image ? "near-image" : asked.text ? "near-text" : "near-object";
  return search(collection, kind, asked, signal);
}

export const get = (collection, id) => request(`${object(collection, id)}?exclude=blobs`);

// The address of an object's picture: as it was stored, or at most so many pixels on its shorter side.
export const picture = (collection, id, property, shortSide) =>
  `${object(collection, id)}/pictures/${encodeURIComponent(property)}${shortSide ? `?short_side=${shortSide}` : ""}`;
