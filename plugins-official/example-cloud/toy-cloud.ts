import type { Flavor, Image, Machine } from './api.ts'

const flavors: Flavor[] = [
  { id: 'f1', name: 'small', cpus: 1, memoryMiB: 1024, diskGiB: 10 },
  { id: 'f2', name: 'large', cpus: 4, memoryMiB: 8192, diskGiB: 80 },
]
const images: Image[] = [{ id: 'debian', name: 'Debian' }]
const MOST_MACHINES = 20

/**
 * A cloud of a few lines, as the `fetch` of tests: it keeps machines under the keys of those who order them, and lets
 * nobody in without the right credential.
 */
export function createToyCloud(credential: string): typeof fetch {
  const machines = new Map<string, Machine>()
  const byId = (id: string) => [...machines].find(([, machine]) => machine.id === id)

  function put(key: string, wanted: { label: string; image: string; flavor: string }): Response {
    const known = machines.get(key)
    if (known) return Response.json(known)
    const flavor = flavors.find(({ id }) => id === wanted.flavor)
    if (!flavor || !images.some(({ id }) => id === wanted.image))
      return new Response(`no image '${wanted.image}', or no such flavor`, { status: 400 })
    if (machines.size >= MOST_MACHINES) return new Response('too many machines', { status: 402 })
    const { label } = wanted
    const address = `192.0.2.${machines.size + 1}`
    const id = crypto.randomUUID()
    const machine: Machine = { id, label, status: 'running', flavor, address }
    machines.set(key, machine)
    return Response.json(machine)
  }

  return async (input, init) => {
    const { method, url, headers } = new Request(input, init)
    if (headers.get('authorization') !== `Bearer ${credential}`)
      return new Response('who are you?', { status: 401 })
    const path = decodeURIComponent(new URL(url).pathname)
    const lists: Record<string, unknown> = {
      '/images': images,
      '/flavors': flavors,
      '/limits': { machines: { limit: MOST_MACHINES, used: machines.size } },
    }
    if (Object.hasOwn(lists, path)) return Response.json(lists[path])
    const [, , segment = '', rest = ''] = path.split('/')
    const isByKey = segment === 'by-key'
    if (method === 'PUT' && isByKey) return put(rest, JSON.parse(String(init?.body)))
    const [key, machine] = (isByKey ? [rest, machines.get(rest)] : byId(segment)) ?? []
    if (!machine || key === undefined) return new Response('no such machine', { status: 404 })
    if (method === 'DELETE') machines.delete(String(key))
    return Response.json(machine)
  }
}
