import type { Generated } from 'kysely'

/** Times are ms since the epoch; JSON is kept as text so that every engine stores it alike. */
export interface Database {
  orders: OrderTable
  order_dependencies: { order_id: string; depends_on: string }
  order_events: OrderEventTable
  list_versions: { user_id: string; identity_provider_id: string; kind: string; version: number }
  audit: AuditTable
  idempotency_keys: IdempotencyTable
  /** What clouds were asked for once, as long as nobody saw the end of it. */
  begun_effects: BegunEffectTable
  plugin_storage: { plugin: string; key: string; value: string }
  revoked_tokens: { token_hash: string; expires_at: number }
  /** Logins that go on elsewhere, in a browser or on another device. */
  pending_logins: PendingLoginTable
  log_ins: LogInTable
  /** Failed log-ins by hashes of user, address and both, for as long as they count. */
  log_in_failures: { key: string; count: number; locked_until: number; keep_until: number }
  /** Hashes of users and the addresses from which they logged in. */
  log_in_places: { key: string; keep_until: number }
  /** Plugins that run in a process because a thread of theirs could not be stopped. */
  moved_plugins: MovedPluginTable
  plugin_trials: PluginTrialTable
  /** Commands of this site to other members, until their outcome is known and forgotten. */
  outbox: OutboxTable
  /** Commands of other members that were begun here, with what they were answered. */
  inbox: InboxTable
  /** Keys of members that were learnt beside those in the configuration. */
  peer_keys: PeerKeyTable
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
  /** Newest version at its provider that was heard of; null for orders of this site. */
  generation: number | null
  refusals: Generated<number>
  /** Newest version that the member which asked for it has heard of. */
  told_version: number | null
  /** JSON of the sites that were considered for it; null when its user said where. */
  considered: string | null
  /** JSON of what allows the site to work on it in its owner's name. */
  delegation: string | null
  /** Number of the newest delegation that its provider was told of. */
  delegation_told: Generated<number>
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
  detail: string | null
  /** `ok` or the error code. */
  response: string
}

export interface LogInTable {
  id: Generated<number>
  timestamp: number
  request_id: string
  /** As it was typed; null for credentials without one. */
  user_name: string | null
  /** Null when no source was found. */
  source: string | null
  address: string
  /** ok, refused, locked out or failed */
  outcome: string
  reason: string | null
}

export interface IdempotencyTable {
  /** Owner and key, so that users cannot meet each other's. */
  scope: string
  request_hash: string
  /** JSON of what was answered. */
  answer: string
  created_at: number
}

export interface BegunEffectTable {
  /** As in `idempotency_keys`. */
  scope: string
  /** JSON of the ids that were there before; null where the cloud could not tell. */
  before: string | null
  /** When it was last asked for, or that asking ended. */
  at: number
}

export interface PendingLoginTable {
  /** Of what its owner comes back with. */
  id_hash: string
  /** `browser`, `device` or `ticket` */
  purpose: string
  /** Name of the plugin in the configuration. */
  source: string
  /** Of who began it, to bound how many each may have. */
  address: string
  /** The browser in which it must end. */
  browser_hash: string | null
  /** Page of another origin that gets the ticket. */
  return_url: string | null
  /** What the plugin wants back; only whoever began the login can open it. */
  sealed: string
  interval_seconds: number | null
  /** A device that asks earlier is too fast. */
  next_poll_at: number | null
  expires_at: number
}

export interface MovedPluginTable {
  plugin: string
  /** The code that did it; other code of the same plugin gets another chance. */
  bundle_hash: string
  reason: string
  moved_at: number
}

export interface PluginTrialTable {
  plugin: string
  /** Plan that is made when it passes. */
  plan: string
  /** JSON of the share of new orders. */
  share: string
  /** JSON list of what was accepted. */
  accepted: string
  started_by: string
  started_at: number
}

export interface OutboxTable {
  /** In the order of asking. */
  seq: Generated<number>
  id: string
  member: string
  method: string
  /** Names the logical request, one per member; null when nobody asks for it again. */
  key: string | null
  /** Of method and parameters: the same key never stands for anything else. */
  params_hash: string
  /** What the request says of, as `method/value`, when only its newest state matters. */
  object: string | null
  generation: number | null
  /** The signed envelope, as each attempt carries it. */
  request: string
  expires_at: number
  /** JSON of the outcome; null while it is not known. */
  outcome: string | null
  ended_at: number | null
}

export interface InboxTable {
  issuer: string
  id: string
  /** Of the signed request. */
  hash: string
  /** The signed envelope. */
  request: string
  /** 0 begun, 1 answered for good */
  done: number
  /** The signed answer; while it is not done, that of an attempt whose outcome is not known. */
  answer: string | null
  /** After which nothing is begun. */
  begin_until: number
  keep_until: number
}

export interface PeerKeyTable {
  member: string
  kid: string
  /** sig or enc */
  use: string
  x: string
  /** The configured key that vouches for it. */
  root: string
  /** 1 when the member does not use it any more. */
  dropped: number
  learnt_at: number
}
