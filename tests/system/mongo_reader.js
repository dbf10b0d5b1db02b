// Counts the documents of a collection with the Node driver: node mongo_reader.js URI PASSWORD CA-FILE DATABASE COLLECTION
const { MongoClient } = require("mongodb");

async function main([uri, password, tlsCAFile, database, collection]) {
  const auth = { username: "rwuser", password };
  const tls = { tlsCAFile, tlsAllowInvalidHostnames: true };
  const client = await new MongoClient(uri, { auth, ...tls, serverSelectionTimeoutMS: 10000 }).connect();
  try {
    const documents = await client.db(database).collection(collection).find().toArray();
    console.log(JSON.stringify(documents.map((document) => document.number).sort()));
  } finally {
    await client.close();
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});
