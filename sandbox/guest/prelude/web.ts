import { createBlob } from './blob.ts'
import { createBody } from './body.ts'
import type { Bridge } from './bridge.ts'
import { createFormData } from './form-data.ts'
import { createRequest } from './request.ts'
import { createResponse } from './response.ts'

export type Web = ReturnType<typeof createWeb>

/** The classes around requests and their bodies, and what of them `fetch` alone may use. */
export function createWeb(bridge: Bridge) {
  const blobs = createBlob(bridge)
  const FormData = createFormData(blobs)
  const bodies = createBody({ bridge, blobs, FormData })
  const Request = createRequest(bridge, bodies)
  const { Response, make } = createResponse(bridge, bodies)
  const { Blob, File } = blobs
  return {
    classes: { Blob, File, FormData, Request, Response },
    takeBody: bodies.take,
    makeResponse: make,
  }
}
