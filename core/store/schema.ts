import type { Generated } from 'kysely'

/** Times are ms since the epoch; JSON is kept as text so that every engine stores it alike. */
export interface Database {
  orders: OrderTable
  order_dependencies: { order_id: string; depends_on: string }
  order_events: OrderEventTable
  list_versions: { user_id: string; identity_provider_id: string; kind: string; version: number }
  audit: AuditTable
  idempotency_keys: IdempotencyTable
  plugin_storage: { plugin: string; key: string; value: string }
  revoked_tokens: { token_hash: string; expires_at: number }
  /** Plugins that run in a process because a thread of theirs could not be stopped. */
  moved_plugins: MovedPluginTable
}

export interface OrderTable {
  /** Grows with every order; the cursor of lists. */
  seq: Generated<number>
  id: string
  kind: string
  state: string
  provider: string
  cloud_name: string
  requester: string
  user_id: string
  identity_provider_id: string
  /** JSON of the owner as a federation user, without any token. */
  owner: string
  name: string
  /** JSON of the validated request. */
  request: string
  /** The cloud's id of the instance, once known. */
  instance_id: string | null
  /** JSON of what the plugin reported last. */
  instance: string | null
  observed_at: number | null
  /** JSON of what the instance occupies. */
  allocation: string | null
  fault_message: string | null
  /** Fencing token: every change of state adds one, and none is made on another version. */
  version: number
  /** When the engine has to look at it; null when there is nothing to do. */
  next_due: number | null
  /** Attempts in the present state, for the back-off. */
  attempts: number
  /** 0 never asked of the cloud, 1 asked with unknown outcome, 2 outcome known */
  request_outcome: number
  /** Until when a request with unknown outcome may still take effect. */
  request_until: number | null
  /** When the present state was entered. */
  state_since: number
  created_at: number
}

export interface OrderEventTable {
  id: Generated<number>
  order_id: string
  timestamp: number
  state: string
  message: string | null
}

export interface AuditTable {
  id: Generated<number>
  timestamp: number
  request_id: string
  operation: string
  resource_type: string
  user_id: string | null
  identity_provider_id: string | null
  requester: string
  provider: string
  cloud_name: string | null
  order_id: string | null
  /** `ok` or the error code. */
  response: string
}

export interface IdempotencyTable {
  /** Owner and key, so that users cannot meet each other's. */
  scope: string
  request_hash: string
  /** JSON of what was answered. */
  answer: string
  created_at: number
}

export interface MovedPluginTable {
  plugin: string
  /** The code that did it; other code of the same plugin gets another chance. */
  bundle_hash: string
  reason: string
  moved_at: number
}
