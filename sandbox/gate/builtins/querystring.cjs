const encodePart = encodeURIComponent

function decodePart(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function stringify(
  fields,
  separator = '&',
  equals = '=',
  { encodeURIComponent: encode = encodePart } = {},
) {
  const pair = (name, value) => `${encode(name)}${equals}${encode(plain(value))}`
  return Object.entries(fields ?? {})
    .flatMap(([name, value]) =>
      Array.isArray(value) ? value.map((item) => pair(name, item)) : pair(name, value),
    )
    .join(separator)
}

function plain(value) {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value) ? String(value) : ''
}

function parse(
  text,
  separator = '&',
  equals = '=',
  { decodeURIComponent: decode = decodePart } = {},
) {
  const fields = Object.create(null)
  for (const part of String(text ?? '').split(separator)) {
    if (part === '') continue
    const [name, ...rest] = part.replaceAll('+', ' ').split(equals)
    const key = decode(name)
    const value = decode(rest.join(equals))
    if (!(key in fields)) fields[key] = value
    else fields[key] = [fields[key], value].flat()
  }
  return fields
}

module.exports = {
  decode: parse,
  encode: stringify,
  escape: encodePart,
  parse,
  stringify,
  unescape: decodePart,
}
