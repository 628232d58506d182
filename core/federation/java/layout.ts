import { invalid } from '@fogbow/plugin-sdk'
import { childNamed, childText, type Element, element } from '../xmpp/index.ts'
import type { JavaMethod, Part } from './methods.ts'

export type Values = Readonly<Record<string, unknown>>

/** Children of the `<iq>`, in exactly the places where the original service has them. */
export function writeRequest(method: JavaMethod, values: Values): Element[] {
  const at = (place: Part['place']) =>
    writeParts(
      method.request.filter((part) => part.place === place),
      values,
    )
  return [
    ...at('before query'),
    element('query', { xmlns: method.namespace }, at('in query')),
    ...at('after query'),
  ]
}

/** @returns nothing for methods that answer nothing */
export function writeResult(method: JavaMethod, values: Values): Element[] {
  const parts = writeParts(method.result, values)
  return parts.length === 0 ? [] : [element('query', { xmlns: method.namespace }, parts)]
}

/**
 * Reads arguments by local name, in any order, wherever they stand.
 * @param iq - with the query that names the method. @throws invalid_parameter
 */
export function readRequest(method: JavaMethod, iq: Element, query: Element): Values {
  return readParts(method.request, [query, iq])
}

/** @throws invalid_parameter */
export function readResult(method: JavaMethod, iq: Element): Values {
  const query = childNamed(iq, 'query')
  return readParts(method.result, query ? [query] : [])
}

function writeParts(parts: readonly Part[], values: Values): Element[] {
  return parts.flatMap((part) => {
    const text = part.write(values[part.value])
    return text === undefined ? [] : [element(part.element, {}, [text])]
  })
}

function readParts(parts: readonly Part[], places: readonly Element[]): Values {
  const values: Record<string, unknown> = {}
  for (const part of parts) {
    const found = places.map((place) => childText(place, part.element)).find((text) => text != null)
    if (found !== undefined) values[part.value] = part.read(found)
    else if (!part.isOptional) throw invalid(part.element, 'is missing')
  }
  return values
}
