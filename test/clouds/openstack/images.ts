import type { Json, Project } from './api.ts'

const BYTES = 1 << 20

/** @returns id of an image with data, which are nothing */
export async function createImage(
  project: Project,
  name: string,
  visibility: 'public' | 'private' = 'private',
): Promise<string> {
  const { id } = await project.call('image', 'POST', '/images', {
    name,
    disk_format: 'raw',
    container_format: 'bare',
    visibility,
  })
  const answer = await fetch(`${await urlOf(project)}/v2/images/${id}/file`, {
    method: 'PUT',
    headers: { 'x-auth-token': project.token, 'content-type': 'application/octet-stream' },
    body: new Uint8Array(BYTES),
  })
  if (!answer.ok) throw new Error(`the image was not taken: ${answer.status}`)
  return id
}

async function urlOf(project: Project): Promise<string> {
  const { catalog } = await project.call('identity', 'GET', '/auth/catalog')
  return catalog.find((entry: Json) => entry.type === 'image').endpoints[0].url
}
