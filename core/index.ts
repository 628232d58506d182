export { defineConfig } from './config/index.ts'
export { type Site, startSite } from './site.ts'
