import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIP } from 'node:net'
import type { TestContext } from 'node:test'

export interface NameServer {
  /** `address:port` */
  address: string
  /** Every question so far, as `name TYPE`. */
  asked: string[]
}

const types: Readonly<Record<number, 'A' | 'AAAA'>> = { 1: 'A', 28: 'AAAA' }

/**
 * A DNS server on the loopback interface (RFC 1035).
 * @param answer - addresses of either family at this moment; undefined for a name that does not exist; null for silence
 */
export async function startNameServer(
  t: TestContext,
  answer: (name: string, type: 'A' | 'AAAA') => readonly string[] | undefined | null,
): Promise<NameServer> {
  const socket = createSocket('udp4')
  const asked: string[] = []
  socket.on('message', (query, from) => {
    const { name, end } = readName(query)
    const type = types[query.readUInt16BE(end)] ?? 'A'
    asked.push(`${name} ${type}`)
    const found = answer(name, type)
    if (found === null) return
    const family = type === 'A' ? 4 : 6
    const records = found?.filter((address) => isIP(address) === family).map(toRecord)
    socket.send(toMessage(query.subarray(0, end + 4), records), from.port, from.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.after(() => socket.close())
  return { address: `127.0.0.1:${socket.address().port}`, asked }
}

function readName(query: Buffer): { name: string; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}

function toMessage(question: Buffer, records: readonly Buffer[] | undefined): Buffer {
  const header = Buffer.from(question)
  header.writeUInt16BE(records ? 0x8180 : 0x8183, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(records?.length ?? 0, 6)
  header.writeUInt32BE(0, 8)
  return Buffer.concat([header, ...(records ?? [])])
}

/** One answer that may not be kept: its time to live is 0. */
function toRecord(address: string): Buffer {
  const data = toBytes(address)
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(data.length === 4 ? 1 : 28, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function toBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail = ''] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const groups = (part: string) => (part ? part.split(':') : [])
  const missing = Array<string>(8 - groups(head).length - groups(tail).length).fill('0')
  const all = [...groups(head), ...missing, ...groups(tail)].map((group) => group.padStart(4, '0'))
  return Buffer.from(all.join(''), 'hex')
}
