// What an application does with the Node driver, for test_mongo_node.py: node mongo_driver.js URI PASSWORD [CA-FILE]
const { MongoClient } = require("mongodb");

async function main([uri, password, tlsCAFile]) {
  const options = { auth: { username: "rwuser", password }, serverSelectionTimeoutMS: 10000 };
  const tls = tlsCAFile ? { tlsCAFile, tlsAllowInvalidHostnames: true } : {};
  const client = await new MongoClient(uri, { ...options, ...tls }).connect();
  try {
    const items = client.db("app").collection("node");
    await items.insertMany(Array.from({ length: 250 }, (_, number) => ({ _id: number, at: new Date(), kind: number % 2 })));
    await items.updateOne({ _id: 1 }, { $set: { name: "one" } });
    await items.deleteOne({ _id: 0 });
    await items.createIndex({ kind: 1 });
    const session = client.startSession();
    const named = await items.findOne({ name: "one" }, { session });
    await session.endSession();
    const forbidden = await client.db("admin").command({ hostInfo: 1 }).catch((error) => error.code);
    const result = {
      count: await items.countDocuments({ kind: 1 }),
      estimated: await items.estimatedDocumentCount(),
      read: (await items.find().batchSize(40).toArray()).length,
      groups: await items.aggregate([{ $group: { _id: "$kind", n: { $sum: 1 } } }, { $sort: { _id: 1 } }]).toArray(),
      named: named._id,
      indexes: (await items.listIndexes().toArray()).map((index) => index.name),
      databases: (await client.db().admin().listDatabases()).databases.map((database) => database.name),
      forbidden,
    };
    console.log(JSON.stringify(result));
  } finally {
    await client.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
