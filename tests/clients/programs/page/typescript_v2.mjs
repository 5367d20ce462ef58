// Weaviate's page "Image search", tab "js" of its time: each section's question through the TypeScript client v2; prints the answers, by section.
//
//     node typescript_v2.mjs CLIENT PORT GRPC_PORT FOLDER ONLINE
//
// CLIENT is the folder of the package; FOLDER holds red.png, crimson.png, green.png, blue.png; ONLINE is the address of blue.png. It speaks REST and GraphQL.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folderOfClient, port, , folder, online] = process.argv.slice(2);
const weaviate = createRequire(join(folderOfClient, "package.json"))("weaviate-ts-client").default;
const client = weaviate.client({ scheme: "http", host: `127.0.0.1:${port}` });
const colours = { red: "warm", crimson: "warm", green: "cold", blue: "cold" };
const wines = { "sweet wine": "France", sheepdog: "Wales", volcano: "Iceland" };
const picture = (colour) => readFile(join(folder, `${colour}.png`), "base64");
const texts = (...names) => names.map((name) => ({ name, dataType: ["text"] }));
const blobs = (...names) => names.map((name) => ({ name, dataType: ["blob"] }));
const named = (module, fields, ...names) =>
  Object.fromEntries(names.map((name) => [name, { vectorizer: { [module]: { [fields]: [name] } }, vectorIndexType: "hnsw" }]));

async function prepare() {
  const classes = [
    {
      class: "DogTs2",
      vectorizer: "img2vec-neural",
      moduleConfig: { "img2vec-neural": { imageFields: ["image"] } },
      properties: [...texts("breed", "kind"), { name: "weight", dataType: ["int"] }, ...blobs("image")],
    },
    {
      class: "PairTs2",
      vectorConfig: named("img2vec-neural", "imageFields", "front", "back"),
      properties: [...texts("breed"), ...blobs("front", "back")],
    },
    { class: "WineTs2", vectorConfig: named("multi2vec-clip", "textFields", "title", "country"), properties: texts("title", "country") },
  ];
  for (const one of classes) await client.schema.classCreator().withClass(one).do();
  const batcher = client.batch.objectsBatcher();
  for (const [n, [colour, kind]] of Object.entries(colours).entries()) {
    batcher.withObject({ class: "DogTs2", id: `00000000-0000-0000-0000-00000000000${n + 1}`, properties: { breed: colour, kind, weight: n + 1, image: await picture(colour) } });
  }
  const [red, blue] = [await picture("red"), await picture("blue")];
  batcher.withObject({ class: "PairTs2", properties: { breed: "red", front: red, back: blue } });
  batcher.withObject({ class: "PairTs2", properties: { breed: "blue", front: blue, back: red } });
  for (const [title, country] of Object.entries(wines)) batcher.withObject({ class: "WineTs2", properties: { title, country } });
  await batcher.do();
}

const get = (name, fields = "breed") => client.graphql.get().withClassName(name).withFields(fields);

// The page's own helper.
async function base64Of(address) {
  const reply = await fetch(address);
  return Buffer.from(await reply.arrayBuffer()).toString("base64");
}

async function ask() {
  const image = await picture("red");
  const near = (fields) => get("DogTs2", fields).withNearImage({ image });
  const words = { concepts: ["a sweet German white wine"], targetVectors: ["title"] };
  const group = "_additional { group { count groupedBy { value } hits { breed } } }";
  const placeholder = { image: "SOME_BASE_64_REPRESENTATION" };
  return {
    "named vectors": await get("WineTs2", "title country").withNearText(words).withLimit(1).do(),
    "by local image path": await near().withLimit(1).do(),
    "by the base64 representation": await get("DogTs2")
      .withNearImage({ image: `data:image/png;base64,${await picture("green")}` })
      .withLimit(1)
      .do(),
    "an online image as base64": await get("DogTs2").withNearImage({ image: await base64Of(online) }).withLimit(1).do(),
    distance: await get("DogTs2", "breed _additional { distance }").withNearImage({ image, distance: 0.000001 }).do(),
    "target vector": await get("PairTs2").withNearImage({ image, targetVectors: ["back"] }).withLimit(1).do(),
    filter: await near().withWhere({ path: ["weight"], operator: "GreaterThan", valueInt: 2 }).do(),
    "limit and offset": await near().withLimit(1).withOffset(1).do(),
    "group by": await near(group).withGroupBy({ path: ["kind"], groups: 2, objectsPerGroup: 2 }).withLimit(9).do(),
    autocut: await near().withAutocut(1).do(),
    aggregate: await client.graphql
      .aggregate()
      .withClassName("DogTs2")
      .withNearObject({ id: "00000000-0000-0000-0000-000000000001" }) // the client drops withNearImage here
      .withObjectLimit(2)
      .withFields("meta { count } weight { sum }")
      .do(),
    "no picture": await get("DogTs2").withNearImage(placeholder).do().catch((error) => error.message),
  };
}

try {
  await prepare();
  process.stdout.write(JSON.stringify(await ask()));
} finally {
  for (const name of ["DogTs2", "PairTs2", "WineTs2"]) await client.schema.classDeleter().withClassName(name).do();
}
