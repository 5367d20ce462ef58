// Where the reader is, in the address, so that it can be shared and the back button works:
//
//     ?collection=Dog&target=title     a collection, one of its named vectors
//     &text=a+sleeping+cat             searched by words, or
//     &near=36ddd591-...               near a stored object
//     &by=weight&is=least&value=10     only what passes this filter (filter.js)
//     &object=10523cdd-...             with this object open
//
// A picture that the reader chose does not fit an address. It stays in this page, under a number that the history keeps.

const FILTER = ["by", "is", "value"];
const NAMES = ["collection", "target", "text", "near", ...FILTER, "object"];

const pictures = new Map();

export function here() {
  const query = new URLSearchParams(location.search);
  const place = Object.fromEntries(NAMES.filter((name) => query.get(name)).map((name) => [name, query.get(name)]));
  return history.state?.picture ? { ...place, picture: history.state.picture } : place;
}

// The part of a place that is its filter.
export const filterOf = (place) => Object.fromEntries(FILTER.filter((name) => place[name]).map((name) => [name, place[name]]));

export function link(place) {
  const query = new URLSearchParams(NAMES.filter((name) => place[name]).map((name) => [name, place[name]]));
  return String(query) ? `?${query}` : "./";
}

export const placeOf = (address) => Object.fromEntries(NAMES.map((name) => [name, new URL(address, location.href).searchParams.get(name) ?? undefined]));

// `opened` marks a step that only opened an object: closing it is going back.
export function go(place, { replace = false, opened = false } = {}) {
  history[replace ? "replaceState" : "pushState"]({ picture: place.picture, opened }, "", link(place));
}

export function keep(file) {
  const number = pictures.size + 1;
  pictures.set(`${performance.timeOrigin}-${number}`, file);
  return `${performance.timeOrigin}-${number}`;
}

// The picture kept under that name; undefined after the page was loaded anew.
export const kept = (name) => pictures.get(name);
