import { JavaFault } from './java-fault.ts'

export type JavaObject = Record<string, unknown>

/** Fields of the original's classes, as far as the double needs them; `int` is never null there. */
const common = {
  id: 'text',
  orderState: 'state',
  requester: 'text',
  provider: 'text',
  cloudName: 'text',
  instanceId: 'text',
  requirements: 'object',
  systemUser: 'object',
  userId: 'text',
  identityProviderId: 'text',
  type: 'text',
  faultMessage: 'text',
}
const PREFIX = 'cloud.fogbow.ras.core.models.orders.'

const classes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ComputeOrder: {
    vCPU: 'int',
    ram: 'int',
    disk: 'int',
    userData: 'list',
    name: 'text',
    imageId: 'text',
    publicKey: 'text',
    actualAllocation: 'object',
    networkOrderIds: 'list',
    ...common,
  },
  VolumeOrder: { volumeSize: 'int', actualAllocation: 'object', name: 'text', ...common },
  NetworkOrder: {
    name: 'text',
    gateway: 'text',
    cidr: 'text',
    allocationMode: 'text',
    ...common,
  },
  AttachmentOrder: { device: 'text', computeOrderId: 'text', volumeOrderId: 'text', ...common },
  PublicIpOrder: { computeOrderId: 'text', ...common },
}
export const states: ReadonlySet<string> = new Set([
  'OPEN',
  'SELECTED',
  'PENDING',
  'SPAWNING',
  'FULFILLED',
  'FAILED_AFTER_SUCCESSFUL_REQUEST',
  'FAILED_ON_REQUEST',
  'UNABLE_TO_CHECK_STATUS',
  'ASSIGNED_FOR_DELETION',
  'CHECKING_DELETION',
  'CLOSED',
])

export const classOfType: Readonly<Record<string, string>> = {
  COMPUTE: 'ComputeOrder',
  VOLUME: 'VolumeOrder',
  NETWORK: 'NetworkOrder',
  ATTACHMENT: 'AttachmentOrder',
  PUBLIC_IP: 'PublicIpOrder',
}

/** Reads an order as the original does: by the class named, unknown fields ignored, unknown states as null. */
export function readJavaOrder(text: string | undefined, className: string | undefined): JavaObject {
  const fields = className?.startsWith(PREFIX) ? classes[className.slice(PREFIX.length)] : undefined
  if (!fields) throw new JavaFault('undefined-condition', `no class ${className}`)
  const json = parseObject(text)
  const order: JavaObject = {}
  for (const [name, type] of Object.entries(fields)) {
    const value = json[name] ?? (type === 'int' ? 0 : null)
    if (value !== null && !fits(value, type))
      throw new JavaFault('undefined-condition', `${name} is no ${type}`)
    order[name] = type === 'state' && !states.has(String(value)) ? null : value
  }
  return order
}

export function parseObject(text: string | undefined): JavaObject {
  if (text === undefined) throw new JavaFault('internal-server-error', 'null')
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as JavaObject
  } catch {}
  throw new JavaFault('undefined-condition', 'unreadable JSON')
}

/** What is written bare and read as JSON. */
export function readWord(text: string | undefined): string | null {
  if (text === undefined) throw new JavaFault('internal-server-error', 'null')
  if (/^".*"$/.test(text)) return String(JSON.parse(text))
  if (text.startsWith('#')) return null
  if (/[\s:/=,;]/.test(text)) throw new JavaFault('internal-server-error', 'unreadable JSON')
  return text
}

export function writeJava(value: unknown): string {
  return JSON.stringify(value, (_, inner) => (inner === null ? undefined : inner)).replace(
    /[<>&='\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

export const orderClass = (type: unknown) => PREFIX + classOfType[String(type)]

function fits(value: unknown, type: string): boolean {
  if (type === 'int') return Number.isInteger(value)
  if (type === 'list') return Array.isArray(value)
  if (type === 'object') return typeof value === 'object' && !Array.isArray(value)
  return typeof value === 'string'
}
