import { DOMException } from './events.ts'

/** Structured cloning (HTML, section 2.7) of plain data, dates, regular expressions, maps, sets, buffers and errors. */
export function structuredClone(value: unknown): unknown {
  return clone(value, new Map())
}

function clone(value: unknown, seen: Map<object, unknown>): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new DOMException(`${String(value).slice(0, 64)} could not be cloned`, 'DataCloneError')
  }
  if (typeof value !== 'object' || value === null) return value
  if (seen.has(value)) return seen.get(value)
  const keep = <T>(copy: T): T => {
    seen.set(value, copy)
    return copy
  }
  if (value instanceof Date) return keep(new Date(value.getTime()))
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags))
  if (value instanceof ArrayBuffer) return keep(value.slice(0))
  if (ArrayBuffer.isView(value)) return keep(cloneView(value))
  if (value instanceof Map) {
    const copy = keep(new Map())
    for (const [key, item] of value) copy.set(clone(key, seen), clone(item, seen))
    return copy
  }
  if (value instanceof Set) {
    const copy = keep(new Set())
    for (const item of value) copy.add(clone(item, seen))
    return copy
  }
  if (value instanceof Error)
    return keep(Object.assign(new Error(value.message), { name: value.name }))
  const copy = keep(Array.isArray(value) ? new Array(value.length) : {}) as Record<string, unknown>
  for (const [key, item] of Object.entries(value)) {
    Object.defineProperty(copy, key, {
      value: clone(item, seen),
      writable: true,
      enumerable: true,
      configurable: true,
    })
  }
  return copy
}

function cloneView(view: ArrayBufferView): ArrayBufferView {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice()
  if (view instanceof DataView) return new DataView(bytes.buffer)
  const Kind = view.constructor as new (buffer: ArrayBuffer) => ArrayBufferView
  return new Kind(bytes.buffer)
}
