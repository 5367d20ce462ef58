// What programs of the TypeScript client of today do all day: collections, objects, batches, references, tenants, searches; prints what came of it, by part.
//
//     node typescript_v3.mjs CLIENT PORT GRPC_PORT        CLIENT is the folder of the package
//
// It speaks REST and gRPC.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folderOfClient, port, grpcPort] = process.argv.slice(2);
const found = createRequire(join(folderOfClient, "package.json")).resolve("weaviate-client");
const { default: module, Filters: exported } = await import(pathToFileURL(found).href);
const weaviate = module.default ?? module;
const Filters = exported ?? module.Filters;
const { configure } = weaviate;
const client = await weaviate.connectToLocal({ host: "127.0.0.1", port: Number(port), grpcPort: Number(grpcPort) });
const [people, cars, many] = ["PersonTs3", "CarTs3", "ManyTs3"];
const uid = (number) => `00000000-0000-0000-0000-${String(number).padStart(12, "0")}`;
const prop = (name, dataType) => ({ name, dataType });
const names = (answer) => answer.objects.map((one) => one.properties.name);
const vectorizers = configure.vectors.selfProvided();

async function prepare() {
  const properties = [prop("name", "text"), prop("seats", "int"), prop("price", "number"), prop("fast", "boolean"), prop("built", "date")];
  const references = [{ name: "owner", targetCollection: people }];
  await client.collections.create({ name: people, properties: [prop("name", "text")], vectorizers });
  await client.collections.create({ name: cars, properties, references, vectorizers });
  await client.collections.create({ name: many, properties: [prop("name", "text")], multiTenancy: { enabled: true }, vectorizers });
}

async function schema() {
  const { config } = client.collections.get(people);
  await config.addProperty(prop("age", "int"));
  return [await client.collections.exists(people), (await config.get()).properties.map((one) => one.name)];
}

async function objects() {
  const { data, query } = client.collections.get(people);
  await data.insert({ id: uid(1), properties: { name: "Ann" }, vectors: [1, 0] });
  await data.update({ id: uid(1), properties: { age: 40 } });
  const merged = await query.fetchObjectById(uid(1), { includeVector: true });
  await data.replace({ id: uid(1), properties: { name: "Anna" }, vectors: [0, 1] });
  const replaced = await query.fetchObjectById(uid(1));
  const existed = await data.exists(uid(1));
  await data.deleteById(uid(1));
  return [merged.properties, merged.vectors.default, replaced.properties, existed, await data.exists(uid(1))];
}

async function batches() {
  const [persons, vehicles] = [[], []];
  for (let n = 1; n <= 100; n += 1) {
    persons.push({ id: uid(n), properties: { name: `person ${n}` }, vectors: [n, 1] });
    const built = new Date(`20${(n % 90) + 10}-01-01T00:00:00Z`);
    const properties = { name: `car ${n}`, seats: n % 4, price: n / 4, fast: n % 2 === 0, built };
    vehicles.push({ id: uid(1000 + n), properties, references: { owner: uid(n) }, vectors: [1, n] });
  }
  persons.push({ properties: { name: 5 } });
  const collections = [client.collections.get(people), client.collections.get(cars)];
  const stored = await collections[0].data.insertMany(persons);
  const linked = await collections[1].data.insertMany(vehicles);
  let walked = 0;
  for await (const one of collections[1].iterator()) walked += one.properties.name ? 1 : 0;
  return [Object.keys(stored.errors).length, Object.keys(linked.errors).length, walked];
}

async function references() {
  const { data, query, filter } = client.collections.get(cars);
  const returnReferences = [{ linkOn: "owner", returnProperties: ["name"] }];
  const owners = async () => (await query.fetchObjectById(uid(1001), { returnReferences })).references.owner.objects.map((one) => one.properties.name);
  const first = await owners();
  const change = { fromProperty: "owner", fromUuid: uid(1001) };
  await data.referenceAdd({ ...change, to: uid(2) });
  await data.referenceDelete({ ...change, to: uid(1) });
  const through = await query.fetchObjects({ filters: filter.byRef("owner").byProperty("name").equal("77") });
  return [first, await owners(), names(through)];
}

async function searches() {
  const { query, filter, sort } = client.collections.get(cars);
  const list = async (filters, limit = 9) => names(await query.fetchObjects({ filters, limit, sort: sort.byProperty("price") })).sort();
  const by = (name) => filter.byProperty(name);
  return {
    "near vector": names(await query.nearVector([0, 1], { limit: 2 })),
    "near object": names(await query.nearObject(uid(1005), { limit: 1 })),
    keywords: names(await query.bm25("17", { queryProperties: ["name"] })),
    hybrid: names(await query.hybrid("17", { alpha: 0.5, vector: [1, 17], limit: 1 })),
    sorted: names(await query.fetchObjects({ sort: sort.byProperty("seats", false).byProperty("price"), limit: 2 })),
    after: names(await query.fetchObjects({ after: uid(1098), limit: 2 })),
    and: await list(Filters.and(by("seats").equal(3), by("price").greaterThan(23))),
    date: await list(by("built").equal(new Date("2011-01-01T00:00:00Z")), 1),
    boolean: await list(by("fast").equal(true), 1),
    id: await list(filter.byId().equal(uid(1050))),
    any: await list(by("name").containsAny(["7", "8"])),
  };
}

async function aggregates() {
  const { aggregate, metrics } = client.collections.get(cars);
  const of = (name) => metrics.aggregate(name);
  const returnMetrics = [of("seats").integer(["minimum", "maximum", "sum", "mean"]), of("fast").boolean(["totalTrue"]), of("name").text(["count"])];
  const whole = await aggregate.overAll({ returnMetrics });
  const groups = await aggregate.groupBy.overAll({ groupBy: { property: "fast" } });
  const near = await aggregate.nearVector([1, 1], { objectLimit: 3 });
  return { whole: [whole.totalCount, whole.properties], groups: groups.map((one) => [one.groupedBy.value, one.totalCount]), near: near.totalCount };
}

async function tenants() {
  const all = client.collections.get(many);
  await all.tenants.create([{ name: "ann" }, { name: "bob" }]);
  await all.withTenant("ann").data.insert({ id: uid(1), properties: { name: "hers" } });
  await all.withTenant("bob").data.insertMany([{ id: uid(1), properties: { name: "his" } }]);
  const got = [];
  for (const tenant of ["ann", "bob"]) got.push(names(await all.withTenant(tenant).query.fetchObjects()));
  const counted = (await all.withTenant("bob").aggregate.overAll()).totalCount;
  await all.tenants.remove([{ name: "bob" }]);
  const without = await all.query.fetchObjects().then(() => "", (error) => error.message);
  return [got, counted, Object.keys(await all.tenants.get()), without.includes("tenan")];
}

async function deletion() {
  const { data, filter } = client.collections.get(cars);
  const three = filter.byProperty("seats").equal(3);
  const would = await data.deleteMany(three, { dryRun: true });
  const done = await data.deleteMany(three);
  return [would.matches, done.successful, done.failed];
}

async function backups() {
  return [await client.backup.create({ backend: "filesystem", backupId: "mine" }).then(() => "", (error) => error.message)];
}

try {
  await prepare();
  const told = {};
  for (const part of [schema, objects, batches, references, searches, aggregates, tenants, deletion, backups]) told[part.name] = await part();
  process.stdout.write(JSON.stringify(told));
} finally {
  for (const name of [cars, people, many]) await client.collections.delete(name);
  await client.close();
}
