import { schema } from '../schema/json-schema.ts'
import {
  defineOrderedResource,
  displayName,
  instanceBase,
  placement,
  requirements,
} from './define-resource.ts'

/** Content types that cloud-init distinguishes (cloud-init documentation, "User data formats"). */
const userDataTypes = [
  'CLOUD_BOOTHOOK',
  'CLOUD_CONFIG',
  'INCLUDE_URL',
  'PART_HANDLER',
  'SHELL_SCRIPT',
  'UPSTART_JOB',
] as const

const userData = {
  type: 'array',
  maxItems: 32,
  default: [],
  description: 'Parts of the user data given to cloud-init at first boot',
  items: {
    type: 'object',
    additionalProperties: false,
    properties: {
      extraUserDataFileContent: { type: 'string', maxLength: 65536, description: 'base64' },
      extraUserDataFileType: { type: 'string', enum: userDataTypes },
      tag: { type: 'string', maxLength: 255 },
    },
  },
} as const

/** A virtual machine. */
export const compute = defineOrderedResource({
  name: 'compute',
  type: 'COMPUTE',
  path: 'computes',
  title: 'Compute',
  description: 'A virtual machine',
  request: schema({
    type: 'object',
    additionalProperties: false,
    required: ['imageId'],
    properties: {
      ...placement,
      name: displayName,
      vCPU: {
        type: 'integer',
        minimum: 0,
        maximum: 4096,
        default: 0,
        description: 'At least so many virtual CPUs',
      },
      ram: {
        type: 'integer',
        minimum: 0,
        maximum: 67108864,
        default: 0,
        description: 'At least so much memory, MiB',
      },
      disk: {
        type: 'integer',
        minimum: 0,
        maximum: 1048576,
        default: 0,
        description: 'At least so much root disk, GiB',
      },
      imageId: {
        type: 'string',
        minLength: 1,
        maxLength: 255,
        description: 'Image to boot, as listed by `images`',
      },
      publicKey: {
        type: 'string',
        maxLength: 16384,
        description: 'SSH public key of the login user',
      },
      userData,
      networkIds: {
        type: 'array',
        maxItems: 64,
        default: [],
        items: { type: 'string', minLength: 1, maxLength: 1024 },
        description: 'Order ids of networks to join, beside the default network of the cloud',
      },
      requirements,
    },
  }),
  aliases: { memory: 'ram' },
  references: { networkIds: 'network' },
  shownReferences: { networkIds: 'networks' },
  check: checkUserData,
  instance: schema({
    type: 'object',
    required: ['state', 'cloudState', 'vCPU', 'ram', 'disk'],
    properties: {
      ...instanceBase,
      vCPU: { type: 'integer', minimum: 0, description: 'Virtual CPUs of the flavor' },
      ram: { type: 'integer', minimum: 0, description: 'Memory of the flavor, MiB' },
      disk: { type: 'integer', minimum: 0, description: 'Root disk of the flavor, GiB' },
      ipAddresses: { type: 'array', items: { type: 'string', maxLength: 64 }, maxItems: 256 },
      networks: {
        type: 'array',
        maxItems: 64,
        description:
          'Networks of the cloud that were joined without being ordered, such as its default one',
        items: {
          type: 'object',
          required: ['id', 'name'],
          properties: {
            id: { type: 'string', maxLength: 255 },
            name: { type: 'string', maxLength: 255 },
          },
        },
      },
    },
  }),
  shownFromOrder: ['imageId', 'publicKey', 'userData'],
  shownAlso: { ram: 'memory' },
  allocation: { vCPU: 'vCPU', ram: 'ram', disk: 'disk' },
  countedAs: 'instances',
  hasAllocation: true,
  actions: [
    {
      name: 'pause',
      operation: 'pause',
      operationForAll: 'pauseAll',
      method: 'pauseInstance',
      title: 'Pauses a compute; its memory stays in RAM',
    },
    {
      name: 'hibernate',
      operation: 'hibernate',
      operationForAll: 'hibernateAll',
      method: 'hibernateInstance',
      title: 'Hibernates a compute; its memory is kept on disk',
    },
    {
      name: 'stop',
      operation: 'stop',
      operationForAll: 'stopAll',
      method: 'stopInstance',
      title: 'Stops a compute; its memory is lost',
    },
    {
      name: 'resume',
      operation: 'resume',
      operationForAll: 'resumeAll',
      method: 'resumeInstance',
      title: 'Resumes a paused, hibernated or stopped compute',
    },
  ],
  hasSnapshot: true,
})

function checkUserData(request: Readonly<Record<string, unknown>>) {
  const parts = (request.userData ?? []) as { extraUserDataFileContent?: string }[]
  const wrong = parts.findIndex((part) => !isBase64(part.extraUserDataFileContent ?? ''))
  if (wrong < 0) return undefined
  return { field: `userData[${wrong}].extraUserDataFileContent`, message: 'must be base64' }
}

function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(text)
}
