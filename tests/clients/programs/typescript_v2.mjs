// What a program of the older TypeScript client (v2) does with pictures; it prints the answers as JSON, by section of Weaviate's page.
//
//     node typescript_v2.mjs CLIENT PORT FOLDER        CLIENT is the folder of the package, FOLDER holds red.png, green.png, blue.png
//
// It speaks REST and GraphQL only.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folderOfClient, port, folder] = process.argv.slice(2);
const weaviate = createRequire(join(folderOfClient, "package.json"))("weaviate-ts-client").default;
const client = weaviate.client({ scheme: "http", host: `127.0.0.1:${port}` });
const name = "DogTs2";
const picture = async (colour) => readFile(join(folder, `${colour}.png`), "base64");

async function prepare() {
  await client.schema
    .classCreator()
    .withClass({
      class: name,
      vectorizer: "img2vec-neural",
      moduleConfig: { "img2vec-neural": { imageFields: ["image"] } },
      properties: [
        { name: "breed", dataType: ["text"] },
        { name: "image", dataType: ["blob"] },
        { name: "weight", dataType: ["int"] },
      ],
    })
    .do();
  const batcher = client.batch.objectsBatcher();
  let weight = 0;
  for (const colour of ["red", "green", "blue"]) {
    weight += 1;
    const properties = { breed: colour, image: await picture(colour), weight };
    batcher.withObject({ class: name, id: `00000000-0000-0000-0000-00000000000${weight}`, properties });
  }
  await batcher.do();
}

const get = (fields) => client.graphql.get().withClassName(name).withFields(fields);

async function ask() {
  const image = await picture("red");
  return {
    "by local image path": await get("breed").withNearImage({ image }).withLimit(1).do(),
    "by the base64 representation": await get("breed").withNearImage({ image: `data:image/png;base64,${await picture("green")}` }).withLimit(1).do(),
    distance: await get("breed _additional { distance }").withNearImage({ image, distance: 0.000001 }).do(),
    filter: await get("breed")
      .withNearImage({ image })
      .withWhere({ path: ["weight"], operator: "GreaterThan", valueInt: 1 })
      .do(),
    "near object": await get("breed").withNearObject({ id: "00000000-0000-0000-0000-000000000003" }).withLimit(1).do(),
    keywords: await get("breed").withBm25({ query: "green", properties: ["breed"] }).do(),
    hybrid: await get("breed _additional { score }").withHybrid({ query: "blue", alpha: 0 }).do(),
    sorted: await get("weight").withSort([{ path: ["weight"], order: "desc" }]).do(),
    group: await get("_additional { group { count hits { breed } } }")
      .withNearImage({ image })
      .withGroupBy({ path: ["breed"], groups: 1, objectsPerGroup: 1 })
      .do(),
    aggregate: await client.graphql.aggregate().withClassName(name).withFields("meta { count } weight { sum }").do(),
    raw: await client.graphql.raw().withQuery(`{ Get { ${name}(limit: 1) { breed } } }`).do(),
    "no picture": await get("breed").withNearImage({ image: "SOME_BASE_64_REPRESENTATION" }).do().catch((error) => ({ failed: error.message })),
  };
}

try {
  await prepare();
  process.stdout.write(JSON.stringify(await ask()));
} finally {
  await client.schema.classDeleter().withClassName(name).do();
}
