const { fetch, Headers, Request, Response, FormData, Blob, AbortController } = globalThis

/** The package of this name speaks HTTP over sockets of Node; its interface is that of the web. */
module.exports = Object.assign((...args) => fetch(...args), {
  default: (...args) => fetch(...args),
  Headers,
  Request,
  Response,
  FormData,
  Blob,
  AbortController,
  FetchError: TypeError,
  isRedirect: (status) => [301, 302, 303, 307, 308].includes(status),
})
Object.defineProperty(module.exports, '__esModule', { value: true })
