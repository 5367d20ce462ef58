// The search page: what the reader does becomes a place (place.js); a place becomes a search (server.js); its hits become tiles (hits.js).

import { filterInWords, listenToFilter, showFilter, whereOf } from "./filter.js";
import { openObject, tile, titleOf } from "./hits.js";
import { filterOf, go, here, keep, kept, link, placeOf } from "./place.js";
import { PAGE_SIZE, collections, first, near, picture } from "./server.js";

const byId = (id) => document.getElementById(id);

const state = { collections: [], shown: "", hits: [], running: new AbortController(), queryUrl: "" };

// --- where we are -----------------------------------------------------------------------------------------------------------------------------------

function collectionOf(place) {
  const [named] = state.collections.filter(({ name }) => name === place.collection);
  if (place.collection) return named;
  return state.collections.find(({ targets }) => targets.some(({ image }) => image)) ?? state.collections[0];
}

// The named vector that is searched: the one chosen, or the first that understands what is asked.
function targetOf(place, { targets }) {
  return targets.find(({ name }) => name && name === place.target) ?? able({ targets }, undefined, place.text ? "text" : "image") ?? targets[0];
}

// The named vector to ask by "text" or by "image": the one chosen if it understands that, else the first that does.
const able = ({ targets }, chosen, kind) => (chosen?.[kind] ? chosen : targets.find((target) => target[kind]));

const readAsDataUrl = (file) =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => reject(new Error(`${file.name || "The picture"} cannot be read.`));
    reader.readAsDataURL(file);
  });

// What a place asks for; undefined where it asks for nothing and the first objects are shown.
async function question(place) {
  if (place.picture) {
    if (!kept(place.picture)) throw new Error("The picture you searched by is gone, because the page was loaded anew. Choose it again.");
    return { image: await readAsDataUrl(kept(place.picture)) };
  }
  if (place.near) return { id: place.near };
  return place.text ? { text: place.text } : undefined;
}

// --- showing it -------------------------------------------------------------------------------------------------------------------------------------

async function show() {
  const place = here();
  const { object, ...search } = place;
  const collection = collectionOf(place);
  if (JSON.stringify(search) !== state.shown) {
    state.shown = JSON.stringify(search);
    await showSearch(search, collection);
  }
  if (!object || !collection) byId("object").close();
  else {
    const known = state.hits.find(({ id }) => id === object);
    await openObject(collection, { ...place, target: targetOf(place, collection)?.name }, known).catch(fail);
  }
}

async function showSearch(place, collection) {
  state.hits = [];
  byId("hits").replaceChildren();
  byId("more").hidden = byId("error").hidden = true;
  byId("empty").hidden = state.collections.length > 0;
  byId("search").hidden = state.collections.length === 0;
  if (!state.collections.length) return say("");
  showForm(place, collection);
  if (!collection) return fail(new Error(`There is no collection ${place.collection}. Choose another.`));
  document.title = [place.text, collection.name, "nearimage"].filter(Boolean).join(" · ");
  await load(place, collection);
}

function showForm(place, collection) {
  const targets = collection?.targets ?? [];
  const target = collection && targetOf(place, collection);
  fill(byId("collection"), state.collections.map(({ name }) => [name, name]), collection?.name);
  fill(byId("target"), targets.map(({ name, module }) => [name ?? "", `${name} (${module})`]), target?.name);
  byId("target-choice").hidden = targets.length < 2;
  byId("words").value = place.text ?? "";
  const [text, image] = ["text", "image"].map((kind) => collection && able(collection, target, kind));
  byId("words").disabled = byId("find").disabled = !text;
  byId("choose").disabled = !image;
  byId("words").placeholder = text ? "What are you looking for?" : image ? "Drop, paste or choose a picture" : "Open something and ask for more like it";
  byId("hint").textContent = collection ? hintFor(text, image) : "";
  showFilter(place, collection);
  showQuery(place, collection);
}

function hintFor(text, image) {
  if (text && image) return "";
  if (image) return `${image.module} does not understand words: search by a picture. Collections made with multi2vec-clip can be searched by words too.`;
  if (text) return `${text.module} does not understand pictures: search by words.`;
  return "No module makes these vectors, so there is nothing to turn words or pictures into them: search with “more like this”.";
}

function fill(select, entries, chosen) {
  select.replaceChildren(...entries.map(([value, text]) => new Option(text, value)));
  select.value = chosen ?? "";
}

// The picture that is searched by, small, in the search box.
function showQuery(place, collection) {
  URL.revokeObjectURL(state.queryUrl);
  const image = byId("query-picture");
  const file = kept(place.picture);
  byId("words").hidden = byId("find").hidden = Boolean(place.near || file);
  byId("query").hidden = !byId("words").hidden;
  image.hidden = false;
  image.onerror = () => (image.hidden = true);
  byId("query-clear").href = link({ collection: collection?.name, target: place.target, ...filterOf(place) });
  if (file) image.src = state.queryUrl = URL.createObjectURL(file);
  else if (place.near && collection?.picture) image.src = picture(collection.name, place.near, collection.picture, 64);
  else image.removeAttribute("src");
  byId("query-name").textContent = file ? file.name || "pasted picture" : "like this one";
}

async function load(place, collection) {
  state.running.abort();
  state.running = new AbortController();
  const { signal } = state.running;
  const offset = state.hits.length;
  const target = targetOf(place, collection)?.name;
  document.body.classList.add("busy");
  const slow = setTimeout(() => say("Searching …"), 400); // the first search of a server loads the model
  try {
    const asked = await question(place);
    const where = whereOf(place, collection);
    const found = asked ? near(collection.name, { ...asked, target, where, offset }, signal) : first(collection.name, where, offset, signal);
    const { hits, took_ms } = await found;
    if (signal.aborted) return;
    state.hits.push(...hits);
    byId("hits").append(...hits.map((hit) => tile(collection, { ...place, target }, hit)));
    byId("more").hidden = hits.length < PAGE_SIZE;
    say(summary(place, collection, took_ms));
  } catch (wrong) {
    if (wrong.name !== "AbortError") fail(wrong);
  } finally {
    clearTimeout(slow);
    if (!signal.aborted) document.body.classList.remove("busy");
  }
}

function summary(place, collection, took) {
  const count = state.hits.length;
  const searched = place.text || place.near || place.picture;
  const filter = filterInWords(place, collection);
  if (!count && filter) return `Nothing in ${collection.name}${filter}.`;
  if (!count) return searched ? "Nothing found: no object of this collection has a vector to compare." : `${collection.name} is empty. Index some pictures into it.`;
  const objects = `${count} ${count === 1 ? "object" : "objects"}${filter}`;
  if (!searched) return byId("more").hidden ? objects : `The first ${objects}`;
  const what = place.text ? `“${place.text}”` : place.picture ? "your picture" : nearTitle(place, collection);
  return `${objects}, nearest to ${what} first, in ${took < 10 ? took.toFixed(1) : Math.round(took)} ms`;
}

function nearTitle(place, collection) {
  const itself = state.hits.find(({ id }) => id === place.near);
  return itself ? `“${titleOf(collection, itself)}”` : "the object";
}

function say(text) {
  byId("status").textContent = text;
  if (state.hits.length && document.activeElement === document.body) byId("status").focus({ preventScroll: true }); // what had the focus was replaced
}

function fail(wrong) {
  say("");
  byId("error").textContent = wrong.message;
  byId("error").hidden = false;
}

// --- what the reader does ---------------------------------------------------------------------------------------------------------------------------

function move(place, options) {
  go(place, options);
  if (!options) scrollTo(0, 0);
  return show();
}

function searchBy(file) {
  const collection = collectionOf(here());
  if (!collection || !file) return;
  const target = able(collection, targetOf(here(), collection), "image");
  if (!target) return fail(new Error(byId("hint").textContent));
  move({ collection: collection.name, target: target.name, picture: keep(file), ...filterOf(here()) });
}

// The search stays, and what it may find changes.
function filterBy(filter) {
  const { object, by, is, value, ...place } = here();
  move({ ...place, collection: collectionOf(place).name, ...filter });
}

const pictureIn = (transfer) => [...(transfer?.files ?? [])].find(({ type, name }) => type.startsWith("image/") || /\.(hei[cf]|avif)$/i.test(name));

function followLinks(event) {
  const anchor = event.target.closest?.("a[data-go]");
  if (!anchor || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return; // a new tab is the browser's business
  event.preventDefault();
  const place = placeOf(anchor.href);
  if (place.object) move({ ...place, picture: here().picture }, { opened: true });
  else move(place);
}

function closeObject() {
  if (!here().object) return;
  if (history.state?.opened) history.back();
  else move({ ...here(), object: undefined }, { replace: true });
}

// The arrow keys leaf through the hits while one is open.
function leaf(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const next = step && state.hits[state.hits.findIndex(({ id }) => id === here().object) + step];
  if (next) move({ ...here(), object: next.id }, { replace: true, opened: Boolean(history.state?.opened) });
}

function listenToSearch() {
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    const collection = collectionOf(here());
    const target = able(collection, targetOf(here(), collection), "text");
    move({ collection: collection.name, target: target.name, text: byId("words").value.trim(), ...filterOf(here()) });
  });
  listenToFilter(filterBy, () => collectionOf(here()));
  byId("collection").addEventListener("change", (event) => move({ collection: event.target.value }));
  byId("target").addEventListener("change", (event) => {
    const { object, ...place } = here();
    move({ ...place, collection: byId("collection").value, target: event.target.value });
  });
  byId("choose").addEventListener("click", () => byId("file").click());
  document.querySelector(".box").addEventListener("click", ({ target, currentTarget }) => {
    if (target === currentTarget && byId("words").disabled && !byId("choose").disabled) byId("file").click(); // "choose a picture", it says there
  });
  byId("file").addEventListener("change", ({ target }) => {
    searchBy(target.files[0]);
    target.value = ""; // so that choosing the same file again is a change
  });
  byId("more").addEventListener("click", () => {
    const { object, ...place } = here();
    load(place, collectionOf(place));
  });
}

function listenToDrops() {
  const carriesFile = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  addEventListener("dragover", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    byId("drop").hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) byId("drop").hidden = true; // it left the window, not just one element
  });
  addEventListener("drop", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    byId("drop").hidden = true;
    const file = pictureIn(event.dataTransfer);
    if (file) searchBy(file);
    else fail(new Error("That is not a picture."));
  });
  addEventListener("paste", (event) => searchBy(pictureIn(event.clipboardData)));
}

function listenToKeysAndHistory() {
  addEventListener("popstate", show);
  document.addEventListener("click", followLinks);
  byId("object").addEventListener("close", closeObject);
  byId("object").addEventListener("keydown", leaf);
  byId("object").addEventListener("click", (event) => event.target === byId("object") && byId("object").close()); // beside it
  byId("object-close").addEventListener("click", () => byId("object").close());
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.target.matches("input, select") || byId("object").open) return;
    event.preventDefault();
    (byId("words").disabled ? byId("choose") : byId("words")).focus();
  });
}

const SHELL = (origin) => `pip install nearimage
nearimage index FOLDER --url ${origin}
nearimage search PICTURE --url ${origin}`;

const PYTHON = (port) => `import base64, pathlib, weaviate
from weaviate.classes.config import Configure, DataType, Property

with weaviate.connect_to_local(port=${port}) as client:
    photos = client.collections.create(
        "Photos",
        properties=[
            Property(name="name", data_type=DataType.TEXT),
            Property(name="photo", data_type=DataType.BLOB),
        ],
        vector_config=Configure.Vectors.img2vec_neural(image_fields=["photo"]),
    )
    for file in pathlib.Path("FOLDER").glob("*.jpg"):
        photo = base64.b64encode(file.read_bytes()).decode()
        photos.data.insert({"name": file.name, "photo": photo})`;

async function start() {
  byId("shell").textContent = SHELL(location.origin);
  byId("python").textContent = PYTHON(location.port || 80);
  listenToSearch();
  listenToDrops();
  listenToKeysAndHistory();
  try {
    state.collections = await collections();
    await show();
  } catch (wrong) {
    fail(wrong);
  }
}

start();
