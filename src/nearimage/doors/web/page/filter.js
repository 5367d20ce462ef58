// The filter: one condition on one property, in words; more than that is for programs.

import { filterOf } from "./place.js";

const byId = (id) => document.getElementById(id);

const NUMBER = { least: ["at least", "GreaterThanEqual"], most: ["at most", "LessThanEqual"], is: ["is", "Equal"] };

// By type: how values can be compared, in words and in the server's; which value's name the server expects; how it is typed in and sent.
const KINDS = {
  text: { ways: { contains: ["contains", "Like"], is: ["is", "Equal"] }, name: "valueText", input: "text", read: (text) => text },
  int: { ways: NUMBER, name: "valueInt", input: "number", read: Number },
  number: { ways: NUMBER, name: "valueNumber", input: "number", step: "any", read: Number },
  date: { ways: { least: ["since", "GreaterThanEqual"], most: ["before", "LessThan"] }, name: "valueDate", input: "date", read: (day) => `${day}T00:00:00Z` },
  boolean: { ways: { yes: ["is true", "Equal"], no: ["is false", "Equal"] }, name: "valueBoolean" },
};

const kindOf = (collection, name) => KINDS[collection?.properties.find((property) => property.name === name)?.type.replace("[]", "")];

// The filter of a place as the server takes it; undefined where it has none, or one that is not finished.
export function whereOf(place, collection) {
  const kind = kindOf(collection, place.by);
  const way = kind?.ways[place.is];
  if (!way || (kind.read && !place.value)) return undefined;
  const value = kind.read ? kind.read(place.value) : place.is === "yes";
  return { path: [place.by], operator: way[1], [kind.name]: way[1] === "Like" ? `*${value}*` : value };
}

// The same for a reader.
export function filterInWords(place, collection) {
  if (!whereOf(place, collection)) return "";
  return ` where ${place.by} ${kindOf(collection, place.by).ways[place.is][0]} ${place.value ?? ""}`.trimEnd();
}

export function showFilter(place, collection) {
  const names = (collection?.properties ?? []).map(({ name }) => name).filter((name) => kindOf(collection, name));
  const kind = kindOf(collection, place.by);
  byId("filter").hidden = !names.length;
  byId("by").replaceChildren(new Option("everything", ""), ...names.map((name) => new Option(name, name)));
  byId("by").value = kind ? place.by : "";
  byId("is").hidden = !kind;
  byId("is").replaceChildren(...Object.entries(kind?.ways ?? {}).map(([way, [words]]) => new Option(words, way)));
  byId("is").value = kind?.ways[place.is] ? place.is : (Object.keys(kind?.ways ?? {})[0] ?? "");
  byId("value").hidden = !kind?.read;
  byId("value").type = kind?.input ?? "text";
  byId("value").step = kind?.step ?? "";
  byId("value").value = place.value ?? "";
}

// `changed` is told what is filtered by from now on.
export function listenToFilter(changed, collection) {
  const said = () => filterOf({ by: byId("by").value, is: byId("is").value, value: byId("value").hidden ? "" : byId("value").value.trim() });
  byId("by").addEventListener("change", () => {
    byId("value").value = "";
    const kind = kindOf(collection(), byId("by").value);
    changed(kind ? { by: byId("by").value, is: Object.keys(kind.ways)[0] } : {});
    if (kind?.read) byId("value").focus();
  });
  byId("is").addEventListener("change", () => changed(said()));
  byId("value").addEventListener("change", () => changed(said()));
}
