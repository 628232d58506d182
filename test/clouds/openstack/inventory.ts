import type { Inventory } from './accounts.ts'
import type { Json, Project } from './api.ts'

/** Everything that a project has in the cloud, by kind, as ids; without what was there from the start. */
export type Belongings = Record<
  | 'servers'
  | 'volumes'
  | 'networks'
  | 'ports'
  | 'floatingips'
  | 'security_groups'
  | 'keypairs'
  | 'images',
  string[]
>

export async function belongingsOf(project: Project, cloud: Inventory): Promise<Belongings> {
  const list = async (
    type: Parameters<Project['call']>[0],
    path: string,
    key: string,
  ): Promise<Json[]> => (await project.call(type, 'GET', path))[key]
  const own = `project_id=${project.id}`
  const ids = (entries: Json[]) => entries.map(({ id }) => id)
  const [servers, volumes, networks, ports, floatingips, groups, keypairs, images] =
    await Promise.all([
      list('compute', '/servers', 'servers'),
      project.has('volumev3') ? list('volumev3', '/volumes', 'volumes') : [],
      list('network', `/networks?${own}`, 'networks'),
      list('network', `/ports?${own}`, 'ports'),
      list('network', `/floatingips?${own}`, 'floatingips'),
      list('network', `/security-groups?${own}`, 'security_groups'),
      list('compute', '/os-keypairs', 'keypairs'),
      list('image', `/images?owner=${project.id}`, 'images'),
    ])
  return {
    servers: ids(servers),
    volumes: ids(volumes),
    networks: ids(networks).filter((id) => id !== cloud.privateNetwork),
    ports: ids(ports.filter(({ device_id }) => device_id !== cloud.router)),
    floatingips: ids(floatingips),
    security_groups: ids(groups.filter(({ name }) => name !== 'default')),
    keypairs: keypairs.map(({ keypair }) => keypair.name),
    images: ids(images),
  }
}

export const nothing: Belongings = {
  servers: [],
  volumes: [],
  networks: [],
  ports: [],
  floatingips: [],
  security_groups: [],
  keypairs: [],
  images: [],
}
