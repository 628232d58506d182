import type { Answer, SeenRequest } from './https-server.ts'

/** The token endpoint of Entra and the virtual machines of Resource Manager, in pages of two. */
export function answerAzure({ method, url, headers, body }: SeenRequest): Answer {
  if (url.pathname === '/tenant-1/oauth2/v2.0/token') return answerToken(new URLSearchParams(body))
  if (headers.authorization !== 'Bearer token-1') return failure(401, 'InvalidAuthenticationToken')
  const origin = `https://${headers.host}`
  if (method === 'PUT') return accepted(origin)
  if (url.pathname === '/operations/1') return { body: { status: 'Succeeded' } }
  if (url.pathname.endsWith('/virtualMachines/vm-9')) return { body: machine('vm-9') }
  if (!url.pathname.endsWith('/virtualMachines')) return failure(404, 'ResourceNotFound')
  const page = Number(url.searchParams.get('$skiptoken') ?? 0)
  const nextLink = new URL(url.pathname + url.search, origin)
  nextLink.searchParams.set('$skiptoken', String(page + 1))
  return {
    body: {
      value: [machine(`vm-${2 * page}`), machine(`vm-${2 * page + 1}`)],
      ...(page < 2 && { nextLink: nextLink.href }),
    },
  }
}

/** Work that goes on after its request; where to ask for it is told. */
function accepted(origin: string): Answer {
  const body = machine('vm-9', 'Creating')
  return { status: 201, headers: { 'azure-asyncoperation': `${origin}/operations/1` }, body }
}

function answerToken(form: URLSearchParams): Answer {
  const known = form.get('client_id') === 'client-1' && form.get('client_secret') === 'a secret'
  if (!known) return { status: 401, body: { error: 'invalid_client' } }
  return { body: { token_type: 'Bearer', expires_in: 3600, access_token: 'token-1' } }
}

function machine(name: string, provisioningState = 'Succeeded'): object {
  return {
    id: `/subscriptions/subscription-1/resourceGroups/group/providers/Microsoft.Compute/virtualMachines/${name}`,
    name,
    location: 'westeurope',
    properties: { provisioningState },
  }
}

function failure(status: number, code: string): Answer {
  return { status, body: { error: { code, message: `${code} says the server` } } }
}
