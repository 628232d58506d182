export {
  type CreatedPlugin,
  type CreateRequest,
  createPlugin,
  defaultKinds,
} from './create-plugin.ts'
export { pluginFiles } from './template/plugin-files.ts'
