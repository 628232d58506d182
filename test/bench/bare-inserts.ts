import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import Koa from 'koa'

/**
 * The reference of the order benchmark: Koa that reads the JSON of an order, inserts the rows that an order consists of
 * into the same kind of store, and answers once they are durable. Inserts of one turn share a commit. Nothing is
 * checked, nobody authenticated, no order worked on. Takes the file of the store as its argument.
 */
const database = new DatabaseSync(process.argv[2] ?? ':memory:')
database.exec(`PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
  CREATE TABLE orders (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE, kind TEXT, state TEXT, owner TEXT,
    name TEXT, request TEXT, user_id TEXT, cloud_name TEXT, next_due INTEGER);
  CREATE INDEX by_owner ON orders (user_id, kind, seq);
  CREATE INDEX by_due ON orders (cloud_name, next_due);
  CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, order_id TEXT, timestamp INTEGER, state TEXT);
  CREATE INDEX by_order ON events (order_id, id);
  CREATE TABLE audit (id INTEGER PRIMARY KEY AUTOINCREMENT, timestamp INTEGER, user_id TEXT, order_id TEXT)`)
const order = database.prepare(
  'INSERT INTO orders (id, kind, state, owner, name, request, user_id, cloud_name, next_due) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
)
const event = database.prepare('INSERT INTO events (order_id, timestamp, state) VALUES (?, ?, ?)')
const audit = database.prepare('INSERT INTO audit (timestamp, user_id, order_id) VALUES (?, ?, ?)')
const owner = '{"id":"admin","identityProviderId":"site-a.test","name":"admin","roles":["admin"]}'
let waiting: { id: string; request: string; done(): void }[] = []

function commit(): void {
  const group = waiting
  waiting = []
  const now = Date.now()
  database.exec('BEGIN')
  for (const { id, request } of group) {
    order.run(id, 'compute', 'OPEN', owner, `fogbow-${id}`, request, 'admin', 'emulated', now)
    event.run(id, now, 'OPEN')
    audit.run(now, 'admin', id)
  }
  database.exec('COMMIT')
  for (const { done } of group) done()
}

const app = new Koa()
app.use(async (context) => {
  const chunks: Buffer[] = []
  for await (const chunk of context.req) chunks.push(chunk)
  const request = JSON.stringify(JSON.parse(Buffer.concat(chunks).toString()))
  const id = randomUUID()
  await new Promise<void>((done) => {
    if (waiting.length === 0) setImmediate(commit)
    waiting.push({ id, request, done })
  })
  context.status = 201
  context.body = { id }
})
const server = createServer(app.callback())
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(
    `bare inserts at http://127.0.0.1:${typeof address === 'object' ? address?.port : address}\n`,
  )
})
