import {
  type Credentials,
  createSignedTokens,
  definePlugin,
  FogbowError,
  type PluginHost,
} from '@fogbow/plugin-sdk'
import { matches, unknownUserHash } from './password.ts'
import { createQueue, type Queue } from './queue.ts'
import { parseUsers, type User } from './users.ts'

interface Config {
  issuer: string
  tokenLifetimeSeconds?: number
}

const DEFAULT_LIFETIME_SECONDS = 86_400
const MOST_WAITING_LOGINS = 50

/** Users of this site, from a users file. */
export default definePlugin<Config>({
  async create(host) {
    const { issuer, tokenLifetimeSeconds = DEFAULT_LIFETIME_SECONDS } = host.config
    // That there are no users at all is told at the start, and not at the first login.
    await host.secrets.get('users')
    const logins = createQueue(MOST_WAITING_LOGINS)
    const tokens = await createSignedTokens(host, { issuer, lifetimeSeconds: tokenLifetimeSeconds })
    return {
      tokenGenerator: {
        async createTokenValue(credentials) {
          const { name, roles, attributes } = await logIn(host, logins, credentials)
          return tokens.issue({ id: name, name, roles, attributes })
        },
      },
      federationIdentity: {
        getFederationUserToken: async (tokenValue) => tokens.read(tokenValue),
      },
      authentication: {
        isAuthentic: (token) => tokens.isAuthentic(token),
      },
    }
  },
})

/** The users are read anew at each login, so that a change of the file counts at once. */
async function logIn(
  { secrets }: PluginHost<Config>,
  logins: Queue,
  { username = '', password = '' }: Credentials,
): Promise<User> {
  const users = parseUsers(await secrets.get('users'))
  const user = users.get(username)
  const expected = user?.password ?? hashLikeOthers(users)
  const isRight = await logins.run(() => matches(password, expected))
  if (user && isRight && password !== '' && !user.disabled) return user
  throw new FogbowError('unauthenticated', 'user name or password is wrong')
}

/** A wrong name costs as much time as a wrong password, so that nobody learns which names exist. */
function hashLikeOthers(users: ReadonlyMap<string, User>): User['password'] {
  const [first] = users.values()
  if (!first) return unknownUserHash
  const { salt, hash } = unknownUserHash
  return { ...first.password, salt, hash }
}
