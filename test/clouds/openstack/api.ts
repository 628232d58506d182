import { REGION } from './configuration.ts'

/** A project of a cloud, reached without any code of the plugins: what it says is what is there. */
export interface Project {
  readonly id: string
  readonly token: string
  has(type: ServiceType): boolean
  /** @throws when the answer is no 2xx */
  call(type: ServiceType, method: string, path: string, body?: unknown): Promise<Json>
}

export type ServiceType = 'identity' | 'compute' | 'network' | 'image' | 'volumev3'
// biome-ignore lint/suspicious/noExplicitAny: answers of a cloud are looked into at many depths
export type Json = any

export interface Login {
  username: string
  password: string
  project: string
}

const versions: Partial<Record<ServiceType, string>> = { network: '/v2.0', image: '/v2' }
const json = { 'content-type': 'application/json' }
/** The first one that shows what these tests look at. */
const computeVersion = { 'openstack-api-version': 'compute 2.70' }

export async function logIn(authUrl: string, login: Login): Promise<Project> {
  const domain = { name: 'Default' }
  const { username: name, password, project } = login
  const auth = {
    identity: { methods: ['password'], password: { user: { name, password, domain } } },
    scope: { project: { name: project, domain } },
  }
  const response = await fetch(`${authUrl}/auth/tokens`, {
    method: 'POST',
    headers: json,
    body: JSON.stringify({ auth }),
  })
  const { token } = (await readAnswer(response)) as Json
  const value = response.headers.get('x-subject-token') ?? ''
  return {
    id: token.project.id,
    token: value,
    has: (type) => token.catalog.some((entry: Json) => entry.type === type),
    async call(type, method, path, body) {
      const base = type === 'identity' ? authUrl : endpointOf(token.catalog, type)
      const answer = await fetch(`${base}${versions[type] ?? ''}${path}`, {
        method,
        headers: { ...json, ...(type === 'compute' && computeVersion), 'x-auth-token': value },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return readAnswer(answer)
    },
  }
}

function endpointOf(catalogue: Json[], type: ServiceType): string {
  const { endpoints } = catalogue.find((entry) => entry.type === type)
  return endpoints.find((entry: Json) => entry.region_id === REGION).url
}

async function readAnswer(response: Response): Promise<Json> {
  const text = await response.text()
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${text}`)
  return text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text
}
