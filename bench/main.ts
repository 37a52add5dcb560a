/** `npm run bench`: what Sealgate costs, beside what people would write instead. @module */
import { runTable, TABLE_SIZES, tableText } from './table.ts'

const isShort = process.argv.includes('--short')
const rows = await runTable(isShort ? TABLE_SIZES.short : TABLE_SIZES.full)
process.stdout.write(`${tableText(rows)}\n`)
