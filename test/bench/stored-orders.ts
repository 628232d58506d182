import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

const HOUR_MS = 3_600_000

/** Puts fulfilled orders into the store of a stopped site, owned by the user given, next due within the coming hours. */
export function storeOrders(
  folder: string,
  userId: string,
  identityProviderId: string,
  count: number,
): string[] {
  const database = new DatabaseSync(join(folder, 'data', 'site.db'))
  const insert = database.prepare(
    `INSERT INTO orders (id, kind, state, provider, cloud_name, requester, user_id, identity_provider_id, owner, name, request,
       instance_id, instance, observed_at, allocation, version, next_due, attempts, request_outcome, state_since, created_at)
     VALUES (?, 'compute', 'FULFILLED', ?, 'emulated', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 3, ?, 10, 2, ?, ?)`,
  )
  const instance = JSON.stringify({
    state: 'READY',
    cloudState: 'active',
    vCPU: 1,
    ram: 512,
    disk: 3,
    ipAddresses: ['10.0.0.1'],
    networks: [],
  })
  const request = JSON.stringify({
    imageId: 'tiny',
    vCPU: 1,
    ram: 512,
    disk: 0,
    userData: [],
    networkIds: [],
  })
  const owner = JSON.stringify({
    id: userId,
    identityProviderId,
    name: userId,
    roles: ['admin'],
    attributes: {},
  })
  const ids: string[] = []
  const now = Date.now()
  database.exec('BEGIN')
  for (let order = 0; order < count; order += 1) {
    const id = randomUUID()
    ids.push(id)
    const due = now + HOUR_MS + (order % 3600) * 1000
    insert.run(
      id,
      identityProviderId,
      identityProviderId,
      userId,
      identityProviderId,
      owner,
      `vm-${order}`,
      request,
      `i-${id}`,
      instance,
      now + HOUR_MS,
      '{"vCPU":1,"ram":512,"disk":3}',
      due,
      now,
      now,
    )
  }
  database.exec('COMMIT')
  database.close()
  return ids
}
