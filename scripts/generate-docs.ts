// npm run docs: writes the pages that are generated from tables in the code.
import { writeTables } from './docs/tables.ts'

writeTables('.')
