const Stream = require('readable-stream')

const { Readable, Writable } = Stream

Readable.fromWeb = (webStream, options) =>
  Readable.from(chunksOf(webStream), { objectMode: false, ...options })

async function* chunksOf(webStream) {
  const reader = webStream.getReader()
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      yield Buffer.from(next.value)
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

Readable.toWeb = (readable) => {
  const iterator = readable[Symbol.asyncIterator]()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next()
      if (done) controller.close()
      else controller.enqueue(typeof value === 'string' ? new TextEncoder().encode(value) : value)
    },
    async cancel() {
      await iterator.return?.()
    },
  })
}

Writable.toWeb = (writable) =>
  new WritableStream({
    write: (chunk) =>
      new Promise((resolve, reject) => {
        writable.write(chunk, (error) => (error ? reject(error) : resolve()))
      }),
    close: () => new Promise((resolve) => writable.end(resolve)),
    abort: (reason) => void writable.destroy(reason),
  })

// Old packages inherit from the module itself, and expect both classes of events on it.
module.exports = Object.assign(Stream.Stream, Stream, { Stream: Stream.Stream })
