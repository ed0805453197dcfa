// A burst of statements through a driver: node drivers.mjs DRIVER URL OPTIONS < [{tenant, text, values}, ...]
// Prints what each returned: its ids, its error, or null where no answer came.
import { text } from 'node:stream/consumers'
import pg from 'pg'
import postgres from 'postgres'

const [driver, url, given] = process.argv.slice(2)
const { seconds, rounds, ...options } = JSON.parse(given)
const asked = JSON.parse(await text(process.stdin))
const settings = "select set_config('app.tenant_id', $1, true)"

const drivers = {
  'postgres.js'() {
    const sql = postgres(url, { max: 4, ...options })
    const run = (on, text, values) => on.unsafe(text, values, { prepare: true }) // unless the client's option says no
    return ({ tenant, text, values }) =>
      tenant
        ? sql.begin(async (one) => {
            await run(one, settings, [tenant])
            return run(one, text, values)
          })
        : run(sql, text, values)
  },
  'node-postgres'() {
    const { named, ...rest } = options
    const pool = new pg.Pool({ connectionString: url, max: 4, ...rest })
    const query = (text, values) => ({ text, values, ...(named && { name: text.slice(0, 60) }) })
    return async ({ tenant, text, values }) => {
      if (!tenant) return (await pool.query(query(text, values))).rows
      const one = await pool.connect()
      try {
        await one.query('begin')
        await one.query(query(settings, [tenant]))
        const found = await one.query(query(text, values))
        await one.query('commit')
        return found.rows
      } catch (error) {
        await one.query('rollback')
        throw error
      } finally {
        one.release()
      }
    }
  },
}

const call = drivers[driver]()
const late = new Promise((resolve) => setTimeout(resolve, seconds * 1000, null))
const told = []
for (let round = 0; round < rounds; round++) {
  const answers = asked.map(async (one) => {
    try {
      return (await call(one)).map((row) => row.id)
    } catch (error) {
      return `${error.code} ${error.message}`
    }
  })
  told.push(...(await Promise.all(answers.map((answer) => Promise.race([answer, late])))))
}
process.stdout.write(JSON.stringify(told), () => process.exit())
