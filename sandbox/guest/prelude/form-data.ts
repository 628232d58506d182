import type { BlobClasses } from './blob.ts'
import type { Bridge } from './bridge.ts'
import { concat } from './byte-source.ts'
import { parseForm } from './url-search-params.ts'

type Blob = InstanceType<BlobClasses['Blob']>
type Entry = [name: string, value: string | Blob]

export type FormDataClass = ReturnType<typeof createFormData>
export type FormData = InstanceType<FormDataClass>

/** Fields of a form (XMLHttpRequest, section 5). */
export function createFormData({ Blob, File, bytesOf }: BlobClasses) {
  function toValue(value: unknown, fileName: string | undefined): string | Blob {
    if (!(value instanceof Blob)) return String(value).toWellFormed()
    if (value instanceof File && fileName === undefined) return value
    return new File([bytesOf(value)], fileName ?? 'blob', { type: value.type })
  }

  return class FormData {
    #entries: Entry[] = []

    append(name: string, value: unknown, fileName?: string): void {
      this.#entries.push([String(name).toWellFormed(), toValue(value, fileName)])
    }

    set(name: string, value: unknown, fileName?: string): void {
      const entry: Entry = [String(name).toWellFormed(), toValue(value, fileName)]
      const at = this.#entries.findIndex(([one]) => one === entry[0])
      const others = this.#entries.filter(([one]) => one !== entry[0])
      this.#entries = others.toSpliced(at === -1 ? others.length : at, 0, entry)
    }

    delete(name: string): void {
      this.#entries = this.#entries.filter(([one]) => one !== String(name))
    }

    get(name: string): string | Blob | null {
      return this.#entries.find(([one]) => one === String(name))?.[1] ?? null
    }

    getAll(name: string): (string | Blob)[] {
      return this.#entries.filter(([one]) => one === String(name)).map(([, value]) => value)
    }

    has(name: string): boolean {
      return this.#entries.some(([one]) => one === String(name))
    }

    forEach(visit: (value: unknown, name: string, self: unknown) => void, self?: unknown): void {
      for (const [name, value] of this) visit.call(self, value, name, this)
    }

    *entries(): IterableIterator<Entry> {
      for (let at = 0; at < this.#entries.length; at++) yield [...(this.#entries[at] as Entry)]
    }

    *keys(): IterableIterator<string> {
      for (const [name] of this.entries()) yield name
    }

    *values(): IterableIterator<string | Blob> {
      for (const [, value] of this.entries()) yield value
    }

    [Symbol.iterator](): IterableIterator<Entry> {
      return this.entries()
    }

    get [Symbol.toStringTag](): string {
      return 'FormData'
    }
  }
}

/** A form as a body of the type `multipart/form-data` (RFC 7578), with names escaped as WHATWG HTML says. */
export function encodeMultipart(bridge: Bridge, blobs: BlobClasses, form: Iterable<Entry>) {
  const boundary = `----form-${bridge.randomUUID()}`
  const chunks: Uint8Array[] = []
  for (const [name, value] of form) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name)}"`
    if (typeof value === 'string') {
      const text = value.replace(/\r\n|\r|\n/g, '\r\n')
      chunks.push(bridge.encodeUtf8(`${head}\r\n\r\n${text}\r\n`))
      continue
    }
    const fileName = escapeName((value as Blob & { name: string }).name)
    const type = value.type || 'application/octet-stream'
    chunks.push(
      bridge.encodeUtf8(`${head}; filename="${fileName}"\r\nContent-Type: ${type}\r\n\r\n`),
      blobs.bytesOf(value),
      bridge.encodeUtf8('\r\n'),
    )
  }
  chunks.push(bridge.encodeUtf8(`--${boundary}--\r\n`))
  const length = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
  return { bytes: concat(chunks, length), type: `multipart/form-data; boundary=${boundary}` }
}

function escapeName(name: string): string {
  return name.replace(/\r\n|\r|\n/g, '%0D%0A').replaceAll('"', '%22')
}

/**
 * Reads a form from a body.
 * @throws TypeError when the type is no form or the body is not what the type says
 */
export function decodeForm(
  bridge: Bridge,
  blobs: BlobClasses,
  into: FormData,
  bytes: Uint8Array,
  type: string,
): FormData {
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) {
    const text = bridge.createDecoder('utf-8', false, false)?.decode(bytes, false) ?? ''
    for (const [name, value] of parseForm(bridge, text)) into.append(name, value)
    return into
  }
  const boundary = /^multipart\/form-data\b.*?;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type)
  if (!boundary) throw new TypeError('The body is no form')
  for (const part of partsOf(bridge, bytes, boundary[1] ?? boundary[2] ?? '')) {
    const name = parameter(part.head, 'name')
    if (name === undefined) throw new TypeError('A part of the form has no name')
    const fileName = parameter(part.head, 'filename')
    const partType = /^content-type:\s*(.*)$/im.exec(part.head)?.[1] ?? 'text/plain'
    if (fileName === undefined) into.append(name, toText(bridge, part.body))
    else into.append(name, new blobs.File([part.body], fileName, { type: partType.trim() }))
  }
  return into
}

/** Every byte of a body as the character of that number, so that it can be searched like a text. */
function partsOf(bridge: Bridge, bytes: Uint8Array, boundary: string) {
  const text = bridge.createDecoder('latin1', false, true)?.decode(bytes, false) ?? ''
  const sections = `\r\n${text}`.split(`\r\n--${boundary}`)
  if (sections.length < 2 || !sections.at(-1)?.startsWith('--'))
    throw new TypeError('The form does not end with its boundary')
  let at = 0
  return sections.slice(0, -1).flatMap((section, index) => {
    const start = index === 0 ? 0 : at
    at = start + section.length + boundary.length + 4
    const blank = section.indexOf('\r\n\r\n')
    if (index === 0 || blank === -1) return []
    // The text is two characters ahead of the bytes.
    const from = start + blank + 4 - 2
    const head = toText(bridge, bytes.subarray(Math.max(start - 2, 0), from))
    return [{ head, body: bytes.slice(from, start + section.length - 2) }]
  })
}

function parameter(head: string, name: string): string | undefined {
  const line = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? ''
  const found = new RegExp(`;\\s*${name}="([^"]*)"`, 'i').exec(line)?.[1]
  return found?.replaceAll('%0D%0A', '\r\n').replaceAll('%22', '"')
}

function toText(bridge: Bridge, bytes: Uint8Array): string {
  return bridge.createDecoder('utf-8', false, true)?.decode(bytes, false) ?? ''
}
