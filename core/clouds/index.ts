export { createLocalClouds, type LocalClouds } from './local.ts'
