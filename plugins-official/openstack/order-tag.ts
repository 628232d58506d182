const form = /^[A-Za-z0-9._-]{1,50}$/

/**
 * How what an order made is found again: as tag in Nova, as metadata in Cinder, as description in Neutron. Tags of Nova
 * are the shortest, 60 characters, and know neither commas nor slashes.
 */
export async function tagOf(orderId: string): Promise<string> {
  return `fogbow-${form.test(orderId) ? orderId : await digest(orderId)}`
}

async function digest(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(bytes).slice(0, 24)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
}

const LONGEST_NAME = 255

/**
 * A name as every service takes it: databases of clouds often store no characters beyond the basic plane of Unicode, and
 * Nova refuses what cannot be printed.
 */
export function cloudName(name: string, tag: string): string {
  const plain = name
    .replace(/[\u{10000}-\u{10FFFF}]/gu, '?')
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_NAME)
    .trim()
  return plain === '' ? tag : plain
}
