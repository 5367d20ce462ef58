// What programs of the TypeScript client v2 do all day: schema, objects, batches, references, tenants, searches; prints what came of it, by part.
//
//     node typescript_v2.mjs CLIENT PORT GRPC_PORT        CLIENT is the folder of the package
//
// It speaks REST and GraphQL only.
import { createRequire } from "node:module";
import { join } from "node:path";

const [folderOfClient, port] = process.argv.slice(2);
const weaviate = createRequire(join(folderOfClient, "package.json"))("weaviate-ts-client").default;
const client = weaviate.client({ scheme: "http", host: `127.0.0.1:${port}` });
const [people, cars, many] = ["PersonTs2", "CarTs2", "ManyTs2"];
const uid = (number) => `00000000-0000-0000-0000-${String(number).padStart(12, "0")}`;
const prop = (name, dataType) => ({ name, dataType: [dataType] });
const get = (fields = "name") => client.graphql.get().withClassName(cars).withFields(fields).withLimit(2);
const names = async (query) => (await query.do()).data.Get[cars].map((one) => one.name);
const beacon = (number) => client.data.referencePayloadBuilder().withId(uid(number)).withClassName(people).payload();

async function prepare() {
  const classes = [
    { class: people, properties: [prop("name", "text")] },
    {
      class: cars,
      properties: [
        prop("name", "text"),
        prop("seats", "int"),
        prop("price", "number"),
        prop("fast", "boolean"),
        prop("built", "date"),
        prop("owner", people),
      ],
    },
    { class: many, properties: [prop("name", "text")], multiTenancyConfig: { enabled: true } },
  ];
  for (const one of classes) await client.schema.classCreator().withClass({ ...one, vectorizer: "none" }).do();
}

async function schema() {
  await client.schema.propertyCreator().withClassName(people).withProperty(prop("age", "int")).do();
  const told = await client.schema.classGetter().withClassName(people).do();
  return [await client.schema.exists(people), told.properties.map((one) => one.name)];
}

async function objects() {
  const { data } = client;
  await data.creator().withClassName(people).withId(uid(1)).withProperties({ name: "Ann" }).withVector([1, 0]).do();
  await data.merger().withClassName(people).withId(uid(1)).withProperties({ age: 40 }).do();
  const merged = await data.getterById().withClassName(people).withId(uid(1)).withVector().do();
  await data.updater().withClassName(people).withId(uid(1)).withProperties({ name: "Anna" }).do();
  const replaced = await data.getterById().withClassName(people).withId(uid(1)).do();
  const existed = await data.checker().withClassName(people).withId(uid(1)).do();
  await data.deleter().withClassName(people).withId(uid(1)).do();
  const exists = await data.checker().withClassName(people).withId(uid(1)).do();
  return [merged.properties, merged.vector, replaced.properties, existed, exists];
}

async function batches() {
  const batch = client.batch.objectsBatcher();
  for (let n = 1; n <= 100; n += 1) {
    batch.withObject({ class: people, id: uid(n), properties: { name: `person ${n}` }, vector: [n, 1] });
    const built = `20${(n % 90) + 10}-01-01T00:00:00Z`;
    const properties = { name: `car ${n}`, seats: n % 4, price: n / 4, fast: n % 2 === 0, built };
    batch.withObject({ class: cars, id: uid(1000 + n), properties, vector: [1, n] });
  }
  batch.withObject({ class: people, properties: { name: 5 } });
  const stored = await batch.do();
  const links = client.batch.referencesBatcher();
  for (let n = 1; n <= 100; n += 1) {
    links.withReference({ from: `weaviate://localhost/${cars}/${uid(1000 + n)}/owner`, to: `weaviate://localhost/${people}/${uid(n)}` });
  }
  const linked = await links.do();
  const listed = await client.data.getter().withClassName(cars).withLimit(2).do();
  const failed = (some) => some.filter((one) => one.result?.errors).length;
  return [failed(stored), failed(linked), listed.objects.length];
}

async function references() {
  const owner = `owner { ... on ${people} { name _additional { id } } }`;
  const where = (path, kind, value, operator = "Equal") => ({ path, operator, [kind]: value });
  const first = (await get(owner).withWhere(where(["name"], "valueText", "1")).do()).data.Get[cars][0];
  const change = (builder, number) => builder.withClassName(cars).withId(uid(1001)).withReferenceProperty("owner").withReference(beacon(number)).do();
  await change(client.data.referenceCreator(), 2);
  await change(client.data.referenceDeleter(), 1);
  const changed = (await client.data.getterById().withClassName(cars).withId(uid(1001)).do()).properties.owner;
  return [first.owner, changed.map((one) => one.beacon.split("/").pop()), await names(get().withWhere(where(["owner", people, "name"], "valueText", "77")))];
}

async function searches() {
  const where = (path, kind, value, operator = "Equal") => ({ path, operator, [kind]: value });
  const both = { operator: "And", operands: [where(["seats"], "valueInt", 3), where(["price"], "valueNumber", 23, "GreaterThan")] };
  const order = [
    { path: ["seats"], order: "desc" },
    { path: ["price"], order: "asc" },
  ];
  return {
    "near vector": await names(get().withNearVector({ vector: [0, 1] })),
    "near object": await names(get().withLimit(1).withNearObject({ id: uid(1005) })),
    keywords: await names(get().withBm25({ query: "17", properties: ["name"] })),
    hybrid: await names(get().withLimit(1).withHybrid({ query: "17", alpha: 0.5, vector: [1, 17] })),
    sorted: await names(get().withSort(order)),
    after: await names(get().withAfter(uid(1098))),
    and: await names(get().withLimit(9).withWhere(both)),
    date: await names(get().withSort([{ path: ["price"], order: "asc" }]).withLimit(1).withWhere(where(["built"], "valueDate", "2011-01-01T00:00:00Z"))),
    boolean: await names(get().withSort([{ path: ["price"], order: "asc" }]).withLimit(1).withWhere(where(["fast"], "valueBoolean", true))),
    id: await names(get().withWhere(where(["id"], "valueText", uid(1050)))),
    any: await names(get().withLimit(9).withWhere(where(["name"], "valueTextArray", ["7", "8"], "ContainsAny"))),
  };
}

async function aggregates() {
  const of = (fields) => client.graphql.aggregate().withClassName(cars).withFields(fields);
  const found = async (query) => (await query.do()).data.Aggregate[cars];
  const figures = "seats { minimum maximum mean median mode sum } fast { totalTrue percentageFalse } built { minimum } owner { pointingTo }";
  return {
    whole: await found(of(`meta { count } name { count } ${figures}`)),
    groups: await found(of("meta { count } groupedBy { path value }").withGroupBy(["fast"])),
    near: await found(of("meta { count }").withNearVector({ vector: [1, 1] }).withObjectLimit(3)),
  };
}

async function tenants() {
  await client.schema.tenantsCreator(many, [{ name: "ann" }, { name: "bob" }]).do();
  await client.data.creator().withClassName(many).withId(uid(1)).withProperties({ name: "hers" }).withTenant("ann").do();
  const his = { class: many, id: uid(1), properties: { name: "his" }, tenant: "bob" };
  await client.batch.objectsBatcher().withObject(his).do();
  const of = (tenant) => client.graphql.get().withClassName(many).withFields("name").withTenant(tenant);
  const got = [];
  for (const tenant of ["ann", "bob"]) got.push((await of(tenant).do()).data.Get[many]);
  const counted = await client.graphql.aggregate().withClassName(many).withTenant("bob").withFields("meta { count }").do();
  await client.schema.tenantsDeleter(many, ["bob"]).do();
  const left = await client.schema.tenantsGetter(many).do();
  const without = await client.graphql.get().withClassName(many).withFields("name").do().catch((error) => error.message);
  return [got, counted.data.Aggregate[many], left.map((one) => one.name), without.includes("tenan")];
}

async function deletion() {
  const three = client.batch.objectsBatchDeleter().withClassName(cars).withWhere({ path: ["seats"], operator: "Equal", valueInt: 3 });
  const would = (await three.withDryRun(true).do()).results;
  const done = (await three.withDryRun(false).do()).results;
  return [would.matches, done.successful, done.failed];
}

async function backups() {
  const create = client.backup.creator().withBackend("filesystem").withBackupId("mine");
  return [await create.do().then(() => "", (error) => error.message)];
}

try {
  await prepare();
  const told = {};
  for (const part of [schema, objects, batches, references, searches, aggregates, tenants, deletion, backups]) told[part.name] = await part();
  process.stdout.write(JSON.stringify(told));
} finally {
  for (const name of [cars, people, many]) await client.schema.classDeleter().withClassName(name).do();
}
