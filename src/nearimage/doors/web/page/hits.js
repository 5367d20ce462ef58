// Hits as tiles, and one of them large. Everything stored is set as text, never as HTML.

import { filterOf, link } from "./place.js";
import { get, picture } from "./server.js";

const THUMBNAIL_PX = 320; // tiles are up to 230 CSS pixels high; sharp on dense screens too
const LARGE_PX = 1080; // a screen's height; a thumbnail rather than the original, because browsers show neither HEIC nor TIFF

const byId = (id) => document.getElementById(id);

const TITLES = ["title", "caption", "name"];

// What an object is called: by a property that says so, or its first text, or the beginning of its id.
export function titleOf(collection, hit) {
  const names = collection.properties.filter(({ type }) => type === "text").map(({ name }) => name);
  const texts = [...TITLES.filter((name) => names.includes(name)), ...names].map((name) => hit.properties[name]);
  return texts.find((text) => text?.trim()) ?? `Object ${hit.id.slice(0, 8)}`;
}

const shown = (value) => (Array.isArray(value) ? value.join(", ") : String(value));

const distanceOf = (hit) => (hit.distance == null ? "" : Math.max(0, hit.distance).toFixed(3));

export function tile(collection, place, hit) {
  const item = byId("hit").content.firstElementChild.cloneNode(true);
  const [open, image, near] = [".open", "img", ".near"].map((selector) => item.querySelector(selector));
  const title = titleOf(collection, hit);
  item.dataset.id = hit.id;
  open.href = link({ ...place, object: hit.id });
  item.querySelector(".title").textContent = item.querySelector(".title").title = title;
  item.querySelector(".distance").textContent = distanceOf(hit);
  item.querySelector(".distance").title = "distance: smaller is nearer";
  near.href = link({ collection: collection.name, target: place.target, near: hit.id, ...filterOf(place) });
  near.setAttribute("aria-label", `More like ${title}`);
  const showText = () => asText(item, collection, hit);
  if (!collection.picture) showText();
  else {
    image.alt = title;
    image.onload = () => {
      item.style.setProperty("--ratio", Math.min(2.2, Math.max(0.6, image.naturalWidth / image.naturalHeight)));
      item.classList.add("loaded");
    };
    image.onerror = showText;
    image.src = picture(collection.name, hit.id, collection.picture, THUMBNAIL_PX);
  }
  return item;
}

// An object without a picture shows what it says instead.
function asText(item, collection, hit) {
  item.classList.add("textual", "loaded");
  item.querySelector("img").remove();
  const words = collection.properties.map(({ name }) => hit.properties[name]).filter((value) => value != null && value !== "");
  item.querySelector(".text").textContent = words.map(shown).join("\n") || "no properties";
}

// Open an object; hits that are on the page already need not be asked for.
export async function openObject(collection, place, known) {
  const hit = known ?? (await get(collection.name, place.object));
  const image = byId("object-picture");
  const title = titleOf(collection, hit);
  image.hidden = byId("object-original").hidden = !collection.picture;
  image.alt = title;
  image.onerror = () => (image.hidden = byId("object-original").hidden = true);
  if (collection.picture) {
    image.src = picture(collection.name, hit.id, collection.picture, LARGE_PX);
    byId("object-original").href = picture(collection.name, hit.id, collection.picture);
  }
  byId("object-title").textContent = title;
  byId("object-near").href = link({ collection: collection.name, target: place.target, near: hit.id, ...filterOf(place) });
  byId("object-properties").replaceChildren(...rows(collection, hit));
  if (!byId("object").open) byId("object").showModal();
}

function rows(collection, hit) {
  const named = collection.properties.filter(({ name }) => hit.properties[name] != null).map(({ name }) => [name, shown(hit.properties[name])]);
  const measured = hit.distance == null ? [] : [["distance", Number(hit.distance.toPrecision(6))]];
  return [...named, ...measured, ["id", hit.id]].flatMap(([name, value]) => {
    const [term, description] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    description.textContent = value;
    return [term, description];
  });
}
