import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFrameWriter, FrameReader } from './framing.ts'

function written(...texts: string[]): Buffer {
  const chunks: Buffer[] = []
  const writer = createFrameWriter((bytes) => {
    chunks.push(Buffer.from(bytes))
    return true
  })
  for (const text of texts) writer.write(text)
  return Buffer.concat(chunks)
}

function readAll(reader: FrameReader, chunk: Buffer): string[] {
  reader.push(chunk)
  const texts: string[] = []
  for (let text = reader.next(); text !== undefined; text = reader.next()) texts.push(text)
  return texts
}

const texts = ['', 'a', 'é名\u{1f511}', 'x'.repeat(70_000), '名'.repeat(30_000), '[]']

test('a frame is its length in bytes and its text', () => {
  assert.deepEqual([...written('é!')], [0, 0, 0, 3, 0xc3, 0xa9, 0x21])
})

for (const size of [1, 3, 4, 5, 1000, 65_536]) {
  test(`texts come out as they went in, cut into pieces of ${size} bytes`, () => {
    const bytes = written(...texts)
    const reader = new FrameReader(1_000_000)
    const read: string[] = []
    for (let at = 0; at < bytes.length; at += size)
      read.push(...readAll(reader, Buffer.from(bytes.subarray(at, at + size))))
    assert.deepEqual(read, texts)
  })
}

test('a chunk may be used again as soon as it was read', () => {
  const bytes = written('one', 'two')
  const reader = new FrameReader(100)
  const chunk = Buffer.from(bytes.subarray(0, 10))
  assert.deepEqual(readAll(reader, chunk), ['one'])
  chunk.fill(0)
  assert.deepEqual(readAll(reader, bytes.subarray(10)), ['two'])
})

test('a frame longer than allowed is refused by its first four bytes', () => {
  const reader = new FrameReader(10)
  reader.push(Buffer.from([0, 0, 0, 11]))
  assert.throws(() => reader.next(), /a frame of 11 bytes is longer than the 10 allowed/)
})

test('bytes that have not left yet are not written over', () => {
  const kept: Uint8Array[] = []
  const writer = createFrameWriter((bytes) => {
    kept.push(bytes)
    return false
  })
  writer.write('first')
  writer.write('other')
  assert.equal(Buffer.from(kept[0] ?? []).toString('latin1', 4), 'first')
})
