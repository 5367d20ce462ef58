// What a program of the TypeScript client (v3) does with pictures; it prints the answers as JSON, by section of Weaviate's page.
//
//     node typescript_v3.mjs CLIENT PORT GRPC_PORT FOLDER        CLIENT is the folder of the package, FOLDER holds red.png, green.png, blue.png
//
// It speaks REST and gRPC.
import { createRequire } from "node:module";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folderOfClient, port, grpcPort, folder] = process.argv.slice(2);
const found = createRequire(join(folderOfClient, "package.json")).resolve("weaviate-client");
const { default: module, toBase64FromMedia } = await import(pathToFileURL(found).href);
const weaviate = module.default ?? module;
const toBase64 = toBase64FromMedia ?? module.toBase64FromMedia;
const client = await weaviate.connectToLocal({ host: "127.0.0.1", port: Number(port), grpcPort: Number(grpcPort) });
const name = "DogTs3";
const path = (colour) => join(folder, `${colour}.png`);

async function prepare() {
  const dogs = await client.collections.create({
    name,
    properties: [
      { name: "breed", dataType: "text" },
      { name: "image", dataType: "blob" },
      { name: "weight", dataType: "int" },
    ],
    vectorizers: weaviate.configure.vectors.img2VecNeural({ imageFields: ["image"] }),
  });
  const objects = [];
  for (const [n, colour] of ["red", "green", "blue"].entries()) {
    const properties = { breed: colour, image: await toBase64(path(colour)), weight: n + 1 };
    objects.push({ id: `00000000-0000-0000-0000-00000000000${n + 1}`, properties });
  }
  await dogs.data.insertMany(objects);
  return dogs;
}

const breeds = (found) => found.objects.map((one) => one.properties.breed);

async function ask(dogs) {
  const filtered = { filters: dogs.filter.byProperty("weight").greaterThan(1), returnMetadata: ["distance"] };
  return {
    "by local image path": breeds(await dogs.query.nearImage(path("red"), { limit: 1 })),
    "by the base64 representation": breeds(await dogs.query.nearImage(await readFile(path("green")), { limit: 1 })),
    distance: breeds(await dogs.query.nearImage(path("red"), { distance: 0.000001 })),
    filter: breeds(await dogs.query.nearImage(path("red"), filtered)),
    "near object": breeds(await dogs.query.nearObject("00000000-0000-0000-0000-000000000003", { limit: 1 })),
    keywords: breeds(await dogs.query.bm25("green", { queryProperties: ["breed"] })),
    sorted: (await dogs.query.fetchObjects({ sort: dogs.sort.byProperty("weight", false) })).objects.map((one) => one.properties.weight),
    aggregate: (await dogs.aggregate.overAll()).totalCount,
  };
}

try {
  process.stdout.write(JSON.stringify(await ask(await prepare())));
} finally {
  await client.collections.delete(name);
  await client.close();
}
