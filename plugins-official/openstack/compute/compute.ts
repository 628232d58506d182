import { asFogbowError, type ComputePlugin } from '@fogbow/plugin-sdk'
import { type Cloud, isCode } from '../api/cloud.ts'
import { amountOf, findImage } from '../image.ts'
import { createMemory, type Memory } from '../memory.ts'
import { deletePorts, makePort } from '../network/ports.ts'
import { cloudName, tagOf } from '../order-tag.ts'
import { type Parts, segment } from '../parts.ts'
import { chooseFlavor, type Flavor, type Flavors } from './flavors.ts'
import { deleteKeyPair, makeKeyPair } from './key-pair.ts'
import { changePower, type powers } from './power.ts'
import { getServer, getServerOfOrder, serversOfOrder, sizeOf, viewOf } from './servers.ts'
import { takeSnapshot } from './snapshot.ts'
import { toUserData } from './user-data.ts'

type Order = Parameters<ComputePlugin['requestInstance']>[0]
type Request = Order['request']

/** What a server is known by, with what it takes. */
interface Made {
  id: string
  size: { vCPU: number; ram: number; disk: number }
}

interface ImageSize {
  /** GiB */
  minDisk: number
  /** MiB */
  minRam: number
}

const IMAGE_LIFETIME_MS = 60_000

export function createComputePart(parts: Parts, flavors: Flavors): ComputePlugin {
  const { open, once } = parts
  const images: Memory<ImageSize> = createMemory(parts.host.clock, IMAGE_LIFETIME_MS)
  const act =
    (action: keyof typeof powers): NonNullable<ComputePlugin['pauseInstance']> =>
    async ({ instanceId = '' }, token, call) =>
      changePower(await open(token, call), instanceId, action)

  return {
    async requestInstance(order, token, call) {
      const cloud = await open(token, call)
      const tag = await tagOf(order.orderId)
      const find = async (): Promise<Made | undefined> => {
        const [server] = await serversOfOrder(cloud, tag)
        return server && { id: server.text('id'), size: sizeOf(server) }
      }
      const create = () => createServer(cloud, parts, { flavors, images }, order, tag)
      const { id, size } = await once.make(`compute/${order.orderId}`, find, create)
      return { instanceId: id, allocation: size }
    },

    async getInstance({ orderId, instanceId }, token, call) {
      const cloud = await open(token, call)
      const server =
        instanceId === undefined
          ? await getServerOfOrder(cloud, orderId)
          : await getServer(cloud, instanceId)
      return { ...viewOf(server), networks: defaultNetworks(parts) }
    },

    async deleteInstance({ orderId, instanceId, request }, token, call) {
      const cloud = await open(token, call)
      const tag = await tagOf(orderId)
      const servers = await serversOfOrder(cloud, tag)
      const ids = new Set(servers.map((server) => server.text('id')))
      if (instanceId !== undefined) ids.add(instanceId)
      for (const id of ids) await cloud.delete('compute', `/servers/${segment(id)}`)
      await removeBeside(cloud, request, tag)
    },

    pauseInstance: act('pause'),
    hibernateInstance: act('hibernate'),
    stopInstance: act('stop'),
    resumeInstance: act('resume'),

    async takeSnapshot({ orderId, instanceId = '' }, name, token, call) {
      await takeSnapshot(await open(token, call), parts, { orderId, instanceId, name })
    },
  }
}

interface Known {
  flavors: Flavors
  images: Memory<ImageSize>
}

async function createServer(
  cloud: Cloud,
  parts: Parts,
  { flavors, images }: Known,
  order: Order,
  tag: string,
): Promise<Made> {
  const { request } = order
  const image = await images.get(cloud.session, request.imageId, async () => {
    const found = await findImage(cloud, request.imageId)
    return { minDisk: amountOf(found, 'min_disk'), minRam: amountOf(found, 'min_ram') }
  })
  const wanted = wantedOf(request, image)
  const fromVolume = parts.config.compute?.bootFrom === 'volume'
  const flavor = chooseFlavor(await flavors.all(cloud), wanted, fromVolume)
  const rootDisk = fromVolume || flavor.disk === 0 ? Math.max(wanted.disk, 1) : undefined
  try {
    const server = await describeServer(cloud, parts, order, tag, flavor, rootDisk)
    const made = (await cloud.post('compute', '/servers', { server })).object('server')
    const { vCPU, ram, disk } = flavor
    return { id: made.text('id'), size: { vCPU, ram, disk: rootDisk ?? disk } }
  } catch (error) {
    if (asFogbowError(error).outcome === 'refused') {
      // It may be that image or flavor, which were known to be there, are gone.
      flavors.forget(cloud)
      images.forget(cloud.session)
      await tidy(parts, () => removeBeside(cloud, request, tag))
    }
    throw error
  } finally {
    if (request.publicKey) await tidy(parts, () => deleteKeyPair(cloud, tag))
  }
}

function wantedOf(request: Request, image: ImageSize) {
  const { vCPU = 0, ram = 0, disk = 0, requirements = {} } = request
  return {
    vCPU,
    ram: Math.max(ram, image.minRam),
    disk: Math.max(disk, image.minDisk),
    requirements,
  }
}

/** Body of `POST /servers`, with ports and key pair made for it. */
async function describeServer(
  cloud: Cloud,
  parts: Parts,
  { orderId, name, request }: Order,
  tag: string,
  flavor: Flavor,
  rootDisk: number | undefined,
): Promise<object> {
  const { availabilityZone, volumeType } = parts.config.compute ?? {}
  const ports: string[] = []
  for (const networkId of new Set(request.networkIds))
    ports.push(await makePort(cloud, parts.once, `compute/${orderId}`, tag, networkId))
  if (request.publicKey) await makeKeyPair(cloud, tag, request.publicKey)
  const userData = toUserData(request.userData)
  return {
    name: cloudName(name, tag),
    flavorRef: flavor.id,
    tags: [tag],
    metadata: { fogbow_order: tag },
    networks: networksFor(parts, ports),
    ...(rootDisk === undefined
      ? { imageRef: request.imageId }
      : { block_device_mapping_v2: [bootVolume(request.imageId, rootDisk, volumeType)] }),
    ...(request.publicKey && { key_name: tag }),
    ...(userData !== undefined && { user_data: userData }),
    ...(availabilityZone !== undefined && { availability_zone: availabilityZone }),
  }
}

/** The default network first: its interface is the first one that the machine sees. */
function networksFor({ config }: Parts, ports: readonly string[]): unknown {
  const network = config.compute?.defaultNetwork
  const joined = ports.map((port) => ({ port }))
  if (network !== undefined) return [{ uuid: network }, ...joined]
  return joined.length > 0 ? joined : 'auto'
}

function bootVolume(imageId: string, gib: number, volumeType: string | undefined): object {
  return {
    boot_index: 0,
    uuid: imageId,
    source_type: 'image',
    destination_type: 'volume',
    volume_size: gib,
    delete_on_termination: true,
    ...(volumeType !== undefined && { volume_type: volumeType }),
  }
}

/** What was made for a server and is none. */
async function removeBeside(cloud: Cloud, request: Request, tag: string): Promise<void> {
  if (request.publicKey) await deleteKeyPair(cloud, tag)
  if ((request.networkIds ?? []).length > 0) await deletePorts(cloud, tag)
}

/** What goes wrong in tidying up must not hide what came of the request. The deletion of the order does it again. */
async function tidy({ host }: Parts, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (isCode(error, 'instance_not_found')) return
    host.log.warn('what was made beside a compute is still there', {
      problem: asFogbowError(error).message,
    })
  }
}

function defaultNetworks({ config }: Parts): { id: string; name: string }[] {
  const id = config.compute?.defaultNetwork
  return id === undefined ? [] : [{ id, name: 'default' }]
}
