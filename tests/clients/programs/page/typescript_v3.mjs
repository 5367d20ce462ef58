// Weaviate's page "Image search", tab "js" of today: each section's question through the TypeScript client v3; prints what it finds, by section.
//
//     node typescript_v3.mjs CLIENT PORT GRPC_PORT FOLDER ONLINE
//
// CLIENT is the folder of the package; FOLDER holds red.png, crimson.png, green.png, blue.png; ONLINE is the address of blue.png. It speaks REST and gRPC.
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folderOfClient, port, grpcPort, folder, online] = process.argv.slice(2);
const found = createRequire(join(folderOfClient, "package.json")).resolve("weaviate-client");
const { default: module, toBase64FromMedia } = await import(pathToFileURL(found).href);
const weaviate = module.default ?? module;
const toBase64 = toBase64FromMedia ?? module.toBase64FromMedia;
const { configure } = weaviate;
const client = await weaviate.connectToLocal({ host: "127.0.0.1", port: Number(port), grpcPort: Number(grpcPort) });
const colours = { red: "warm", crimson: "warm", green: "cold", blue: "cold" };
const wines = { "sweet wine": "France", sheepdog: "Wales", volcano: "Iceland" };
const path = (colour) => join(folder, `${colour}.png`);
const base64 = (colour) => toBase64(path(colour));
const texts = (...names) => names.map((name) => ({ name, dataType: "text" }));
const blobs = (...names) => names.map((name) => ({ name, dataType: "blob" }));

async function prepare() {
  const dogs = await client.collections.create({
    name: "DogTs3",
    properties: [...texts("breed", "kind"), { name: "weight", dataType: "int" }, ...blobs("image")],
    vectorizers: configure.vectors.img2VecNeural({ imageFields: ["image"] }),
  });
  const pairs = await client.collections.create({
    name: "PairTs3",
    properties: [...texts("breed"), ...blobs("front", "back")],
    vectorizers: ["front", "back"].map((name) => configure.vectors.img2VecNeural({ name, imageFields: [name] })),
  });
  const bottles = await client.collections.create({
    name: "WineTs3",
    properties: texts("title", "country"),
    vectorizers: ["title", "country"].map((name) => configure.vectors.multi2VecClip({ name, textFields: [name] })),
  });
  const objects = [];
  for (const [n, [colour, kind]] of Object.entries(colours).entries()) {
    objects.push({ breed: colour, kind, weight: n + 1, image: await base64(colour) });
  }
  await dogs.data.insertMany(objects);
  const [red, blue] = [await base64("red"), await base64("blue")];
  await pairs.data.insertMany([
    { breed: "red", front: red, back: blue },
    { breed: "blue", front: blue, back: red },
  ]);
  await bottles.data.insertMany(Object.entries(wines).map(([title, country]) => ({ title, country })));
  return { dogs, pairs, bottles };
}

const names = (answer, name = "breed") => answer.objects.map((one) => one.properties[name]);

async function ask({ dogs, pairs, bottles }) {
  const red = path("red");
  const near = await dogs.query.nearImage(red, { distance: 0.000001, returnMetadata: ["distance"] });
  const groupBy = { property: "kind", numberOfGroups: 2, objectsPerGroup: 2 };
  const grouped = await dogs.query.nearImage(red, { limit: 9, groupBy });
  const metrics = dogs.metrics.aggregate("weight").integer(["sum"]);
  const figures = await dogs.aggregate.nearImage(red, { objectLimit: 2, returnMetrics: metrics });
  const byWords = { targetVector: "title", limit: 1, returnMetadata: ["distance"] };
  return {
    "named vectors": names(await bottles.query.nearText("a sweet German white wine", byWords), "title"),
    "by local image path": names(await dogs.query.nearImage(red, { returnProperties: ["breed"], limit: 1 })),
    "by the base64 representation": names(await dogs.query.nearImage(await readFile(path("green")), { limit: 1 })),
    "an online image as base64": names(await dogs.query.nearImage(await base64Of(online), { limit: 1 })),
    distance: near.objects.map((one) => [one.properties.breed, one.metadata.distance]),
    "target vector": names(await pairs.query.nearImage(red, { targetVector: "back", limit: 1 })),
    filter: names(await dogs.query.nearImage(red, { filters: dogs.filter.byProperty("weight").greaterThan(2) })),
    "limit and offset": names(await dogs.query.nearImage(red, { limit: 1, offset: 1 })),
    "group by": Object.fromEntries(Object.entries(grouped.groups).map(([name, group]) => [name, group.numberOfObjects])),
    autocut: names(await dogs.query.nearImage(red, { autoLimit: 1 })),
    aggregate: [figures.totalCount, figures.properties.weight.sum],
    "no picture": await dogs.query.nearImage(Buffer.from("a text")).catch((error) => error.message), // the client takes the placeholder for a path
  };
}

// The page's own helper; the client has one too, which `toBase64` is.
async function base64Of(address) {
  const reply = await fetch(address);
  return Buffer.from(await reply.arrayBuffer());
}

try {
  process.stdout.write(JSON.stringify(await ask(await prepare())));
} finally {
  for (const name of ["DogTs3", "PairTs3", "WineTs3"]) await client.collections.delete(name);
  await client.close();
}
