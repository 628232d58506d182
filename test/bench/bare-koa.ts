import { createServer } from 'node:http'
import Koa from 'koa'

/** The reference of the read benchmark: Koa, one answer, nothing else. Takes the JSON as its argument. */
const answer = process.argv[2] ?? '{}'
const app = new Koa()
app.use((context) => {
  context.type = 'application/json; charset=utf-8'
  context.body = answer
})
const server = createServer(app.callback())
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(
    `bare koa at http://127.0.0.1:${typeof address === 'object' ? address?.port : address}\n`,
  )
})
