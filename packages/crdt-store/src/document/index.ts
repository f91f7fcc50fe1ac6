export { documentModel } from './model.ts'
